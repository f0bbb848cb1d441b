/* Barriers: a fixed number of parties that go on when all have arrived. */
#ifndef DRAGON_BARRIER_H
#define DRAGON_BARRIER_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_barrier dragon_barrier_t;

/* Makes a barrier for 1 to 16384 parties, else INVALID_ARGUMENT. OUT_OF_MEMORY; TOO_MANY_RECORDS;
 * OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_create(dragon_pool_t* pool, uint32_t parties,
                                                 dragon_barrier_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_barrier_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                                 dragon_barrier_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_handle(const dragon_barrier_t* barrier,
                                                 dragon_handle_t* out);

/* Ends the barrier for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_destroy(dragon_barrier_t* barrier);

/* Ends this attachment. */
DRAGON_API void dragon_barrier_close(dragon_barrier_t* barrier);

/* Arrives and waits for the others; `index` is the place in which this party came, from 0.
 * BARRIER_BROKEN, also when a party that waited has died; TIMEOUT, which breaks the barrier for
 * all; with DRAGON_ONCE WOULD_BLOCK, without arriving, unless it is the last; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_wait(dragon_barrier_t* barrier, int64_t timeout_ms,
                                               uint32_t* index);

/* Breaks the barrier for those that wait and those that come. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_abort(dragon_barrier_t* barrier);

/* Makes it new; who waits gets BARRIER_BROKEN. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_barrier_reset(dragon_barrier_t* barrier);

/* 1 if it is broken. */
DRAGON_API int dragon_barrier_broken(dragon_barrier_t* barrier);

/* How many wait now. */
DRAGON_API uint32_t dragon_barrier_waiting(const dragon_barrier_t* barrier);

#ifdef __cplusplus
}
#endif

#endif
