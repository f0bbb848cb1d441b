/* Reader-writer locks: many readers or one writer, any of whom may die. */
#ifndef DRAGON_RW_LOCK_H
#define DRAGON_RW_LOCK_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_rw_lock dragon_rw_lock_t;

/* Makes a lock for up to `readers` at the same time, 1 to 4096, else INVALID_ARGUMENT; further ones
 * wait. OUT_OF_MEMORY; TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_create(dragon_pool_t* pool, uint32_t readers,
                                                 dragon_rw_lock_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_rw_lock_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                                 dragon_rw_lock_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_handle(const dragon_rw_lock_t* rw_lock,
                                                 dragon_handle_t* out);

/* Ends the lock for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_destroy(dragon_rw_lock_t* rw_lock);

/* Ends this attachment. */
DRAGON_API void dragon_rw_lock_close(dragon_rw_lock_t* rw_lock);

/* Enters as a reader, which one may do several times at once. OWNER_DIED: entered, and a writer
 * has died since when no other has ended. WOULD_BLOCK with DRAGON_ONCE; TIMEOUT; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_read(dragon_rw_lock_t* lock, int64_t timeout_ms);

/* NOT_OWNER if this actor does not read; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_end_read(dragon_rw_lock_t* lock);

/* Enters as the writer: alone. Errors as for a reader. */
DRAGON_API dragon_status_t dragon_rw_lock_write(dragon_rw_lock_t* lock, int64_t timeout_ms);

/* Anyone may. NOT_OWNER if nobody writes; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_rw_lock_end_write(dragon_rw_lock_t* lock);

/* The actor that writes, alive or dead; 0 if none does. */
DRAGON_API uint32_t dragon_rw_lock_writer(const dragon_rw_lock_t* lock);

/* Actors that read, the dead among them. */
DRAGON_API uint32_t dragon_rw_lock_readers(const dragon_rw_lock_t* lock);

#ifdef __cplusplus
}
#endif

#endif
