/* Locks, whose holder may die. */
#ifndef DRAGON_LOCK_H
#define DRAGON_LOCK_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_lock dragon_lock_t;

/* Makes a lock in the pool. With `robust` 0 a lock stays held when its holder dies; else the next
 * one gets it, with OWNER_DIED. OUT_OF_MEMORY; TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_lock_create(dragon_pool_t* pool, int robust, dragon_lock_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_lock_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                              dragon_lock_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_lock_handle(const dragon_lock_t* lock, dragon_handle_t* out);

/* Ends the lock for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_lock_destroy(dragon_lock_t* lock);

/* Ends this attachment. */
DRAGON_API void dragon_lock_close(dragon_lock_t* lock);

/* OWNER_DIED: acquired, and the holder before has died. WOULD_BLOCK with DRAGON_ONCE; TIMEOUT;
 * OBJECT_DESTROYED; CLOSED. Not recursive. */
DRAGON_API dragon_status_t dragon_lock_acquire(dragon_lock_t* lock, int64_t timeout_ms);

/* Anyone may release. NOT_OWNER if the lock is free; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_lock_release(dragon_lock_t* lock);

/* The actor that holds the lock, alive or dead; 0 if it is free. */
DRAGON_API uint32_t dragon_lock_holder(const dragon_lock_t* lock);

#ifdef __cplusplus
}
#endif

#endif
