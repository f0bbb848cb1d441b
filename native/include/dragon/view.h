/* Views: windows on allocations. Each lives until it is closed, its allocation until it is freed.
 */
#ifndef DRAGON_VIEW_H
#define DRAGON_VIEW_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_view dragon_view_t;

/* Up to the end of the view. */
#define DRAGON_REST UINT64_MAX

/* A view of a new allocation; of 0 bytes it takes no memory and names the pool. Errors as for
 * dragon_allocate. */
DRAGON_API dragon_status_t dragon_view_allocate(dragon_pool_t* pool, uint64_t bytes,
                                                int64_t timeout_ms, dragon_view_t** out);

/* A view of a whole allocation. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_view_open(dragon_pool_t* pool, uint64_t allocation,
                                            dragon_view_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; INVALID_ARGUMENT if the allocation has become smaller
 * than the view; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_view_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                              dragon_view_t** out);

/* Always a success. */
DRAGON_API dragon_status_t dragon_view_handle(const dragon_view_t* view, dragon_handle_t* out);

/* A view of a part; offsets of parts of parts add. INVALID_ARGUMENT beyond the end. */
DRAGON_API dragon_status_t dragon_view_clone(const dragon_view_t* view, uint64_t offset,
                                             uint64_t bytes, dragon_view_t** out);

/* Gives up this view, and nothing else. */
DRAGON_API void dragon_view_close(dragon_view_t* view);

/* Frees the allocation, for all views of it. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_view_free(dragon_view_t* view);

/* Changes the size of the allocation, which begins where the view does, else INVALID_ARGUMENT; the
 * view is all of it then. Errors as for dragon_resize. */
DRAGON_API dragon_status_t dragon_view_resize(dragon_view_t* view, uint64_t bytes);

/* Where the bytes are; `out` becomes NULL for a view of no allocation. OBJECT_DESTROYED;
 * INVALID_ARGUMENT if the allocation has become smaller than the view; CLOSED; so below. */
DRAGON_API dragon_status_t dragon_view_data(const dragon_view_t* view, void** out);
DRAGON_API uint64_t dragon_view_bytes(const dragon_view_t* view);
DRAGON_API uint64_t dragon_view_offset(const dragon_view_t* view);
/* 0 for a view of no allocation. */
DRAGON_API uint64_t dragon_view_allocation(const dragon_view_t* view);

/* 1 if both are views of one allocation, or name one pool. */
DRAGON_API int dragon_view_same(const dragon_view_t* view, const dragon_view_t* other);

/* Whether both show equal bytes. */
DRAGON_API dragon_status_t dragon_view_equal(const dragon_view_t* view, const dragon_view_t* other,
                                             int* out);

/* A hash of the bytes that is the same in every process. */
DRAGON_API dragon_status_t dragon_view_hash(const dragon_view_t* view, uint64_t* out);

/* Copies all of the view to the beginning of another one, which may overlap it. BUFFER_TOO_SHORT.
 */
DRAGON_API dragon_status_t dragon_view_copy(const dragon_view_t* view, const dragon_view_t* to);

/* Copies all of the view to a new allocation of any pool. Errors as for dragon_allocate, too. */
DRAGON_API dragon_status_t dragon_view_copy_new(const dragon_view_t* view, dragon_pool_t* pool,
                                                int64_t timeout_ms, dragon_view_t** out);

/* Zeroes the bytes from `start` up to `stop`, or the end. INVALID_ARGUMENT beyond the end. */
DRAGON_API dragon_status_t dragon_view_clear(const dragon_view_t* view, uint64_t start,
                                             uint64_t stop);

#ifdef __cplusplus
}
#endif

#endif
