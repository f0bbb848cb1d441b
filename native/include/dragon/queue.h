/* Queues: channels whose items may be counted until they are done. */
#ifndef DRAGON_QUEUE_H
#define DRAGON_QUEUE_H

#include "dragon/channel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_queue dragon_queue_t;

typedef struct dragon_queue_options {
  size_t size;          /* of this struct */
  uint32_t capacity;    /* items: 1 .. 2^20 */
  uint32_t block_bytes; /* of an item that lies in the queue itself: 0 .. 16384 */
  uint32_t consumers;   /* actors that may have items in hand at a time, at most 4096; 0: items are
                           not counted */
} dragon_queue_options_t;

#define DRAGON_QUEUE_OPTIONS \
  { sizeof(dragon_queue_options_t), 100, 192, 0 }

/* A queue's handle: that of its channel and that of its count. */
typedef struct dragon_queue_handle {
  uint8_t bytes[128];
} dragon_queue_handle_t;

/* Makes a queue in the pool; `options` may be NULL. INVALID_ARGUMENT; OUT_OF_MEMORY;
 * TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_queue_create(dragon_pool_t* pool,
                                               const dragon_queue_options_t* options,
                                               dragon_queue_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_queue_attach(dragon_node_t* node,
                                               const dragon_queue_handle_t* handle,
                                               dragon_queue_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_queue_handle(const dragon_queue_t* queue,
                                               dragon_queue_handle_t* out);

/* Ends the queue for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_queue_destroy(dragon_queue_t* queue);

/* Ends this attachment. */
DRAGON_API void dragon_queue_close(dragon_queue_t* queue);

/* As dragon_channel_send. */
DRAGON_API dragon_status_t dragon_queue_put(dragon_queue_t* queue, const void* data, uint64_t bytes,
                                            uint64_t hints, int64_t timeout_ms);

/* As dragon_channel_receive; `buffer` has the block_bytes of the options at least. STATE if as
 * many actors have items in hand as may. */
DRAGON_API dragon_status_t dragon_queue_get(dragon_queue_t* queue, void* buffer, uint64_t capacity,
                                            int64_t timeout_ms, dragon_message_t* out);

/* Gives the memory of an item back, where it has any; `allocation` becomes 0. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_queue_free(dragon_queue_t* queue, dragon_message_t* item);

/* Declares an item done that was got. STATE if nobody has one in hand; NOT_SUPPORTED if items are
 * not counted; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_queue_task_done(dragon_queue_t* queue);

/* Waits until every item that was put is done. OWNER_DIED if it is so but for those that an actor
 * had in hand when it died; WOULD_BLOCK with DRAGON_ONCE; TIMEOUT; NOT_SUPPORTED;
 * OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_queue_join(dragon_queue_t* queue, int64_t timeout_ms);

/* Items that died with their consumer are somebody's affair now: joins no longer tell of them. */
DRAGON_API void dragon_queue_forget_lost(dragon_queue_t* queue);

#ifdef __cplusplus
}
#endif

#endif
