/* Channels: bounded first-in first-out queues of messages. */
#ifndef DRAGON_CHANNEL_H
#define DRAGON_CHANNEL_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_channel dragon_channel_t;

typedef struct dragon_channel_options {
  size_t size;            /* of this struct */
  uint32_t capacity;      /* messages: 1 .. 2^20 */
  uint32_t block_bytes;   /* payload that lies in the channel itself: 0 .. 16384 */
  uint32_t end_of_stream; /* not 0: EOF without senders, BROKEN_PIPE without receivers */
  uint32_t reserved;      /* 0 */
  dragon_pool_t*
      payload_pool; /* for payloads by copy that the block can't hold; NULL: the channel's */
} dragon_channel_options_t;

#define DRAGON_CHANNEL_OPTIONS \
  { sizeof(dragon_channel_options_t), 100, 192, 0, 0, NULL }

typedef enum dragon_role { DRAGON_SENDER = 0, DRAGON_RECEIVER = 1 } dragon_role_t;

typedef enum dragon_poll {
  DRAGON_POLL_IN = 0,       /* a receive would not wait */
  DRAGON_POLL_OUT = 1,      /* a send would not wait */
  DRAGON_POLL_EMPTY = 2,    /* no message */
  DRAGON_POLL_FULL = 3,     /* no room */
  DRAGON_POLL_IN_OUT = 4,   /* the first or the second */
  DRAGON_POLL_DESTROYED = 5 /* the channel was destroyed: no error of this poll */
} dragon_poll_t;

/* Bytes of a message to be sent. */
typedef struct dragon_part {
  const void* data;
  uint64_t bytes;
} dragon_part_t;

/* A message that was received. A small one was copied to the caller's buffer; a larger one is an
 * allocation that now is the caller's: give it back with dragon_message_free, through the channel
 * from which it came. */
typedef struct dragon_message {
  const void* data;
  uint64_t bytes;
  uint64_t hints;      /* as the sender gave them */
  uint64_t allocation; /* 0 for a small message; else in the channel's pool, or its payload pool */
} dragon_message_t;

/* Makes a channel in the pool; `options` may be NULL. OUT_OF_MEMORY; TOO_MANY_RECORDS;
 * OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_create(dragon_pool_t* pool,
                                                 const dragon_channel_options_t* options,
                                                 dragon_channel_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_channel_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                                 dragon_channel_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_channel_handle(const dragon_channel_t* channel,
                                                 dragon_handle_t* out);

/* Ends the channel for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_channel_destroy(dragon_channel_t* channel);

/* Ends this attachment with its ends. */
DRAGON_API void dragon_channel_close(dragon_channel_t* channel);

/* Counts as a sender or a receiver of a stream until the end is closed, or the channel is. Sends
 * and receives need no end open. TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_open_end(dragon_channel_t* channel, dragon_role_t role,
                                                   uint64_t* end);
DRAGON_API void dragon_channel_close_end(dragon_channel_t* channel, uint64_t end);

/* Sends the bytes as one message. FULL with DRAGON_ONCE; OUT_OF_MEMORY with DRAGON_ONCE; TIMEOUT;
 * TOO_LARGE for the pool; BROKEN_PIPE; OBJECT_DESTROYED; CLOSED. Then nothing was sent. */
DRAGON_API dragon_status_t dragon_channel_send(dragon_channel_t* channel, const void* data,
                                               uint64_t bytes, uint64_t hints, int64_t timeout_ms);

/* The same, of up to 1024 parts put together. */
DRAGON_API dragon_status_t dragon_channel_send_parts(dragon_channel_t* channel,
                                                     const dragon_part_t* parts, size_t count,
                                                     uint64_t hints, int64_t timeout_ms);

/* Sends each part as a message of its own, in order. Waits for room for the first only; `sent` is
 * how many went, at least one on success. Errors as for a send, about the first message. */
DRAGON_API dragon_status_t dragon_channel_send_many(dragon_channel_t* channel,
                                                    const dragon_part_t* messages, size_t count,
                                                    int64_t timeout_ms, size_t* sent);

/* Sends an allocation of the channel's pool without a copy; on success it is no longer the
 * caller's. NOT_OWNER if it never was, and as for a send. */
DRAGON_API dragon_status_t dragon_channel_send_allocation(dragon_channel_t* channel,
                                                          uint64_t allocation, uint64_t hints,
                                                          int64_t timeout_ms);

/* Takes the next message. `buffer` has dragon_channel_block_bytes at least, else BUFFER_TOO_SHORT.
 * EMPTY with DRAGON_ONCE; TIMEOUT; EOF; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_receive(dragon_channel_t* channel, void* buffer,
                                                  uint64_t capacity, int64_t timeout_ms,
                                                  dragon_message_t* out);

/* Takes up to `count` messages. Waits for the first only; `received` is how many came, at least one
 * on success. `buffer` has `count` times dragon_channel_block_bytes. Errors as for a receive. */
DRAGON_API dragon_status_t dragon_channel_receive_many(dragon_channel_t* channel, void* buffer,
                                                       uint64_t capacity, dragon_message_t* out,
                                                       size_t count, int64_t timeout_ms,
                                                       size_t* received);

/* Gives the memory of a received message back, where it has any of its own; `allocation` becomes 0.
 * OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_message_free(dragon_channel_t* channel,
                                               dragon_message_t* message);

/* Copies the next message, which stays. BUFFER_TOO_SHORT, with its length in out->bytes; EMPTY;
 * EOF; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_peek(dragon_channel_t* channel, void* buffer,
                                               uint64_t capacity, dragon_message_t* out);

/* Waits for a condition, which may have passed when this returns. WOULD_BLOCK with DRAGON_ONCE;
 * TIMEOUT; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_poll(dragon_channel_t* channel, dragon_poll_t condition,
                                               int64_t timeout_ms);

/* Frees all messages that wait; returns how many. */
DRAGON_API uint64_t dragon_channel_drain(dragon_channel_t* channel);

/* Messages that wait now; 0 after the close. */
DRAGON_API uint64_t dragon_channel_message_count(dragon_channel_t* channel);
DRAGON_API uint32_t dragon_channel_capacity(const dragon_channel_t* channel);
DRAGON_API uint32_t dragon_channel_block_bytes(const dragon_channel_t* channel);

#ifdef __cplusplus
}
#endif

#endif
