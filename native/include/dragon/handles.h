/* Ends of a channel with habits of their own: when a send is back, how long a call waits that names
 * no time, and how it waits. */
#ifndef DRAGON_HANDLES_H
#define DRAGON_HANDLES_H

#include "dragon/delivery.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_send_handle dragon_send_handle_t;
typedef struct dragon_receive_handle dragon_receive_handle_t;

/* The results are the same. */
typedef enum dragon_wait {
  DRAGON_WAIT_ADAPTIVE = 0, /* looks for some microseconds, then sleeps */
  DRAGON_WAIT_SPIN = 1,     /* never sleeps */
  DRAGON_WAIT_IDLE = 2      /* sleeps at once */
} dragon_wait_t;

typedef struct dragon_send_handle_options {
  size_t size;             /* of this struct */
  int64_t timeout_ms;      /* of calls that name none */
  dragon_return_t returns; /* when a send is back */
  dragon_wait_t waits;
} dragon_send_handle_options_t;

#define DRAGON_SEND_HANDLE_OPTIONS                                                \
  {                                                                               \
    sizeof(dragon_send_handle_options_t), DRAGON_FOREVER, DRAGON_RETURN_BUFFERED, \
        DRAGON_WAIT_ADAPTIVE                                                      \
  }

typedef struct dragon_receive_handle_options {
  size_t size;        /* of this struct */
  int64_t timeout_ms; /* of calls that name none */
  dragon_wait_t waits;
} dragon_receive_handle_options_t;

#define DRAGON_RECEIVE_HANDLE_OPTIONS \
  { sizeof(dragon_receive_handle_options_t), DRAGON_FOREVER, DRAGON_WAIT_ADAPTIVE }

/* Makes a handle, closed at first; `options` may be NULL. Free it before the channel's close. */
DRAGON_API dragon_status_t dragon_send_handle_create(dragon_channel_t* channel,
                                                     const dragon_send_handle_options_t* options,
                                                     dragon_send_handle_t** out);
DRAGON_API dragon_status_t dragon_receive_handle_create(
    dragon_channel_t* channel, const dragon_receive_handle_options_t* options,
    dragon_receive_handle_t** out);

/* Closes the handle, too. */
DRAGON_API void dragon_send_handle_free(dragon_send_handle_t* handle);
DRAGON_API void dragon_receive_handle_free(dragon_receive_handle_t* handle);

/* Open, it counts as a sender or a receiver. STATE if it is open; as dragon_channel_open_end. */
DRAGON_API dragon_status_t dragon_send_handle_open(dragon_send_handle_t* handle);
DRAGON_API dragon_status_t dragon_receive_handle_open(dragon_receive_handle_t* handle);

/* CLOSED if it is not open. */
DRAGON_API dragon_status_t dragon_send_handle_close(dragon_send_handle_t* handle);
DRAGON_API dragon_status_t dragon_receive_handle_close(dragon_receive_handle_t* handle);

/* Sends with the handle's time-out, or with another. CLOSED unless it is open; else as
 * dragon_channel_send_with. */
DRAGON_API dragon_status_t dragon_send_handle_send(dragon_send_handle_t* handle,
                                                   const dragon_part_t* parts, size_t count,
                                                   uint64_t hints);
DRAGON_API dragon_status_t dragon_send_handle_send_within(dragon_send_handle_t* handle,
                                                          const dragon_part_t* parts, size_t count,
                                                          uint64_t hints, int64_t timeout_ms);

/* `read_only`: not 0 if the allocation stays the sender's. As
 * dragon_channel_send_allocation_with. */
DRAGON_API dragon_status_t dragon_send_handle_send_allocation(dragon_send_handle_t* handle,
                                                              uint64_t allocation, uint64_t hints,
                                                              uint32_t read_only,
                                                              int64_t timeout_ms);

/* Receives with the handle's time-out, or with another. CLOSED unless it is open; else as
 * dragon_channel_receive. Messages are freed through the channel. */
DRAGON_API dragon_status_t dragon_receive_handle_receive(dragon_receive_handle_t* handle,
                                                         void* buffer, uint64_t capacity,
                                                         dragon_message_t* out);
DRAGON_API dragon_status_t dragon_receive_handle_receive_within(dragon_receive_handle_t* handle,
                                                                void* buffer, uint64_t capacity,
                                                                int64_t timeout_ms,
                                                                dragon_message_t* out);

/* From here on this attachment answers as one on another node would: peek, pop, reset and destroy
 * are NOT_SUPPORTED; with 0 no longer. CLOSED. */
DRAGON_API dragon_status_t dragon_channel_masquerade_as_remote(dragon_channel_t* channel,
                                                               uint32_t remote);

#ifdef __cplusplus
}
#endif

#endif
