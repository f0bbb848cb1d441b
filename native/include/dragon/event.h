/* Events: a flag that processes set, clear and wait for. */
#ifndef DRAGON_EVENT_H
#define DRAGON_EVENT_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_event dragon_event_t;

/* Makes an event that is set if `set` is not 0. OUT_OF_MEMORY; TOO_MANY_RECORDS; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_event_create(dragon_pool_t* pool, int set, dragon_event_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_event_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                               dragon_event_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_event_handle(const dragon_event_t* event, dragon_handle_t* out);

/* Ends the event for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_event_destroy(dragon_event_t* event);

/* Ends this attachment. */
DRAGON_API void dragon_event_close(dragon_event_t* event);

/* Sets the flag and releases everybody who waits. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_event_set(dragon_event_t* event);

/* OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_event_clear(dragon_event_t* event);

/* Waits until the flag is set, or has been since the call began. WOULD_BLOCK with DRAGON_ONCE;
 * TIMEOUT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_event_wait(dragon_event_t* event, int64_t timeout_ms);

/* 1 if the flag is set. */
DRAGON_API int dragon_event_is_set(const dragon_event_t* event);

#ifdef __cplusplus
}
#endif

#endif
