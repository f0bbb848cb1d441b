/* Pools: managed memory that the processes of a node share, and its allocations. */
#ifndef DRAGON_POOL_H
#define DRAGON_POOL_H

#include "dragon/node.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_pool dragon_pool_t;

typedef struct dragon_pool_options {
  size_t size;            /* of this struct */
  uint64_t limit_bytes;   /* 0: 4 GiB or half of the memory, the smaller */
  uint64_t initial_bytes; /* committed at once; 0: 8 MiB or the limit, the smaller */
  uint64_t growth_bytes;  /* least that is committed at a time; 0: as the pool finds fit */
  int32_t numa_node;      /* where memory comes from, if that node has some; -1: anywhere */
  uint32_t huge_pages;    /* not 0: if the system has any left */
  uint32_t populate;      /* not 0: memory is touched when it is committed */
} dragon_pool_options_t;

#define DRAGON_POOL_OPTIONS \
  { sizeof(dragon_pool_options_t), 0, 0, 0, -1, 0, 0 }

typedef struct dragon_pool_stats {
  size_t size; /* of this struct: set it before the call */
  uint64_t limit_bytes;
  uint64_t committed_bytes;
  uint64_t used_bytes;
  uint64_t free_bytes;
  uint64_t largest_free_bytes;
  uint64_t high_water_bytes;
  uint64_t allocations;
  uint64_t waiters;
  uint64_t requested_bytes; /* that those who allocated asked for */
  uint64_t cached_bytes;    /* free, and kept by actors for their next allocations */
} dragon_pool_stats_t;

typedef struct dragon_allocation {
  uint64_t id; /* names it in its pool for ever; 0 names nothing */
  void* data;  /* where this process sees it */
  uint64_t bytes;
} dragon_allocation_t;

/* Makes a pool; `options` may be NULL. INVALID_ARGUMENT for a limit below 64 KiB or above 1 TiB, or
 * initial_bytes above it; OUT_OF_MEMORY of the system; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_pool_create(dragon_node_t* node,
                                              const dragon_pool_options_t* options,
                                              dragon_pool_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_pool_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                              dragon_pool_t** out);

/* The same, to look at only: whatever would change the pool is NOT_SUPPORTED, and its memory can't
 * be written. */
DRAGON_API dragon_status_t dragon_pool_attach_read_only(dragon_node_t* node,
                                                        const dragon_handle_t* handle,
                                                        dragon_pool_t** out);

/* Always a success. */
DRAGON_API dragon_status_t dragon_pool_handle(const dragon_pool_t* pool, dragon_handle_t* out);

/* Ends the pool for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_pool_destroy(dragon_pool_t* pool);

/* Ends this attachment. What was opened in the pool keeps it until it is closed. */
DRAGON_API void dragon_pool_close(dragon_pool_t* pool);

/* Sizes in bytes; exact while nobody allocates or frees. */
DRAGON_API dragon_status_t dragon_pool_stats(dragon_pool_t* pool, dragon_pool_stats_t* out);

/* Allocates; waits while the pool is full. The memory is not cleared. OUT_OF_MEMORY with
 * DRAGON_ONCE or from the system; TIMEOUT; TOO_LARGE if it can never fit; OBJECT_DESTROYED; CLOSED.
 */
DRAGON_API dragon_status_t dragon_allocate(dragon_pool_t* pool, uint64_t bytes, int64_t timeout_ms,
                                           dragon_allocation_t* out);

/* Anyone may free. OBJECT_DESTROYED if it was freed before; STATE while its owner, another actor,
   shows the bytes to a program; CLOSED. */
DRAGON_API dragon_status_t dragon_free(dragon_pool_t* pool, uint64_t id);

/* Changes the size of an allocation of this actor where it lies: a smaller one gives memory back, a
 * larger one needs free memory just behind it, else OUT_OF_MEMORY. NOT_OWNER; TOO_LARGE;
 * INVALID_ARGUMENT for 0 bytes; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_resize(dragon_pool_t* pool, uint64_t id, uint64_t bytes);

/* Makes an allocation of this actor's one that up to `holders` may hold, at most 4096, this actor
 * first: `share` is what it owns instead. A share is sent, received and freed as an allocation is;
 * the bytes are freed with the last one, and nobody writes them meanwhile. NOT_OWNER;
 * OUT_OF_MEMORY; INVALID_ARGUMENT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_share(dragon_pool_t* pool, uint64_t id, uint32_t holders,
                                        uint64_t* share);

/* A further share beside one of this actor's. STATE if there are as many as may be; NOT_OWNER;
 * OUT_OF_MEMORY; INVALID_ARGUMENT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_share_again(dragon_pool_t* pool, uint64_t share,
                                              uint64_t* further);

/* Where a live allocation is; of a share, where the shared bytes are. OBJECT_DESTROYED. */
DRAGON_API dragon_status_t dragon_allocation_find(const dragon_pool_t* pool, uint64_t id,
                                                  dragon_allocation_t* out);

/* Always a success; a handle of what was freed attaches to nothing. */
DRAGON_API dragon_status_t dragon_allocation_handle(const dragon_pool_t* pool, uint64_t id,
                                                    dragon_handle_t* out);

/* Finds an allocation and its pool, which is opened for the caller to close. BAD_HANDLE;
 * WRONG_NODE; OBJECT_DESTROYED; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_allocation_attach(dragon_node_t* node,
                                                    const dragon_handle_t* handle,
                                                    dragon_pool_t** pool, dragon_allocation_t* out);

#ifdef __cplusplus
}
#endif

#endif
