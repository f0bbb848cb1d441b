/* Conditions: holders of a lock wait until others say that something has changed. */
#ifndef DRAGON_CONDITION_H
#define DRAGON_CONDITION_H

#include "dragon/lock.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_condition dragon_condition_t;

/* Makes a condition at which up to `waiters` wait, 1 to 65536, else INVALID_ARGUMENT.
 * OUT_OF_MEMORY; TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_condition_create(dragon_pool_t* pool, uint32_t waiters,
                                                   dragon_condition_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_condition_attach(dragon_node_t* node,
                                                   const dragon_handle_t* handle,
                                                   dragon_condition_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_condition_handle(const dragon_condition_t* condition,
                                                   dragon_handle_t* out);

/* Ends the condition for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_condition_destroy(dragon_condition_t* condition);

/* Ends this attachment. */
DRAGON_API void dragon_condition_close(dragon_condition_t* condition);

/* Releases the lock, waits to be notified, and takes the lock again, in which the deadline has no
 * part: it is held whatever comes back, unless the lock was destroyed. A wait may end without a
 * notify after a death, so look whether what is waited for is so. NOT_OWNER if nobody holds the
 * lock; FULL; WOULD_BLOCK with DRAGON_ONCE; TIMEOUT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_condition_wait(dragon_condition_t* condition, dragon_lock_t* lock,
                                                 int64_t timeout_ms);

/* Notifies up to `count` waiters in the order in which they came; `notified`, unless NULL, is how
 * many it were. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_condition_notify(dragon_condition_t* condition, uint32_t count,
                                                   uint32_t* notified);

/* Waiters that have not been notified. */
DRAGON_API uint32_t dragon_condition_waiting(const dragon_condition_t* condition);

#ifdef __cplusplus
}
#endif

#endif
