/* How messages of a channel are handed over: when a send is back, what stays whose, and where a
 * message lies; ends that travel; and what can be read about a channel. */
#ifndef DRAGON_DELIVERY_H
#define DRAGON_DELIVERY_H

#include "dragon/channel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dragon_return {
  DRAGON_RETURN_IMMEDIATELY = 0,
  DRAGON_RETURN_BUFFERED = 1,
  DRAGON_RETURN_DEPOSITED = 2, /* when the message is in the channel */
  DRAGON_RETURN_RECEIVED = 3,  /* when it was received, popped or drained */
} dragon_return_t;

typedef struct dragon_send_options {
  size_t size;             /* of this struct */
  dragon_return_t returns; /* when the send is back */
  uint32_t read_only;      /* of allocations: not 0 if it stays the sender's, for others to read */
} dragon_send_options_t;

#define DRAGON_SEND_OPTIONS \
  { sizeof(dragon_send_options_t), DRAGON_RETURN_DEPOSITED, 0 }

/* dragon_channel_send_parts with options, which may be NULL. With DRAGON_RETURN_RECEIVED a TIMEOUT,
 * or WOULD_BLOCK with DRAGON_ONCE, says that the message was taken back. */
DRAGON_API dragon_status_t dragon_channel_send_with(dragon_channel_t* channel,
                                                    const dragon_part_t* parts, size_t count,
                                                    uint64_t hints, int64_t timeout_ms,
                                                    const dragon_send_options_t* options);

/* dragon_channel_send_allocation with options. What was sent read-only is freed by its owner, and
 * is OBJECT_DESTROYED for a receive that comes later. */
DRAGON_API dragon_status_t
dragon_channel_send_allocation_with(dragon_channel_t* channel, uint64_t allocation, uint64_t hints,
                                    int64_t timeout_ms, const dragon_send_options_t* options);

/* Takes the next message into an allocation of the caller's, or with 0 into a new one of the pool,
 * which copies nothing if the message lies there. out->allocation is the caller's, to be freed by
 * dragon_free. BUFFER_TOO_SHORT, with the length in out->bytes; NOT_OWNER; OUT_OF_MEMORY with
 * DRAGON_ONCE; TOO_LARGE: the message stays. As for a receive. */
DRAGON_API dragon_status_t dragon_channel_receive_into(dragon_channel_t* channel,
                                                       dragon_pool_t* pool, uint64_t allocation,
                                                       int64_t timeout_ms, dragon_message_t* out);

/* 1 if the message's bytes are its sender's, to be read only. Ask before dragon_message_free. */
DRAGON_API int dragon_message_read_only(const dragon_channel_t* channel,
                                        const dragon_message_t* message);

/* The handle of a message's allocation, which may lie in another pool than the channel.
 * NOT_FOUND if it has none. */
DRAGON_API dragon_status_t dragon_message_handle(const dragon_channel_t* channel,
                                                 const dragon_message_t* message,
                                                 dragon_handle_t* out);

/* Takes the next message away and frees it. EMPTY; EOF; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_pop(dragon_channel_t* channel);

/* Frees all messages that wait. OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_reset(dragon_channel_t* channel);

typedef struct dragon_channel_info {
  size_t size; /* of this struct: set it before the call */
  uint32_t capacity;
  uint32_t block_bytes;
  uint32_t end_of_stream;
  uint32_t senders;
  uint32_t receivers;
  uint32_t holders; /* attachments */
  uint64_t messages;
  uint64_t free;            /* messages that still fit */
  uint32_t blocked_senders; /* that wait for room, or for a receipt */
  uint32_t blocked_receivers;
} dragon_channel_info_t;

/* OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_info(dragon_channel_t* channel,
                                               dragon_channel_info_t* out);

/* Makes a handle that counts in a role from now on, until the one process that adopts it closes
 * what it got, or this process dies before that. TOO_MANY_RECORDS; OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_lend(dragon_channel_t* channel, dragon_role_t role,
                                               dragon_handle_t* out);

/* Takes a lent handle back. NOT_FOUND if somebody has adopted it, or it was taken back before. */
DRAGON_API dragon_status_t dragon_channel_cancel_lent(dragon_channel_t* channel,
                                                      const dragon_handle_t* lent);

/* Attaches by a lent handle; `end` is the open end, for dragon_channel_close_end. OBJECT_DESTROYED
 * if it was adopted, taken back, or lost with its lender; as for dragon_channel_attach. */
DRAGON_API dragon_status_t dragon_channel_adopt(dragon_node_t* node, const dragon_handle_t* lent,
                                                uint64_t* end, dragon_channel_t** out);

#ifdef __cplusplus
}
#endif

#endif
