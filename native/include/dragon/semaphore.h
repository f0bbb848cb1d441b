/* Semaphores: a number of permits that any process takes and gives. */
#ifndef DRAGON_SEMAPHORE_H
#define DRAGON_SEMAPHORE_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_semaphore dragon_semaphore_t;

/* Makes a semaphore with `initial` permits and at most `bound`, 0 for no bound. INVALID_ARGUMENT
 * beyond 2^53 - 1; OUT_OF_MEMORY; TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_create(dragon_pool_t* pool, uint64_t initial,
                                                   uint64_t bound, dragon_semaphore_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_semaphore_attach(dragon_node_t* node,
                                                   const dragon_handle_t* handle,
                                                   dragon_semaphore_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_handle(const dragon_semaphore_t* semaphore,
                                                   dragon_handle_t* out);

/* Ends the semaphore for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_destroy(dragon_semaphore_t* semaphore);

/* Ends this attachment. */
DRAGON_API void dragon_semaphore_close(dragon_semaphore_t* semaphore);

/* Takes a permit. WOULD_BLOCK with DRAGON_ONCE; TIMEOUT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_acquire(dragon_semaphore_t* semaphore,
                                                    int64_t timeout_ms);

/* Gives permits, at least one. STATE beyond the bound; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_release(dragon_semaphore_t* semaphore,
                                                    uint64_t permits);

/* Waits until there is no permit. WOULD_BLOCK with DRAGON_ONCE; TIMEOUT; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_semaphore_wait_zero(dragon_semaphore_t* semaphore,
                                                      int64_t timeout_ms);

/* The permits now. */
DRAGON_API uint64_t dragon_semaphore_value(const dragon_semaphore_t* semaphore);

#ifdef __cplusplus
}
#endif

#endif
