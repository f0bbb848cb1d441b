/* Broadcasts: rounds in which one payload goes to everybody who waits. */
#ifndef DRAGON_BROADCAST_H
#define DRAGON_BROADCAST_H

#include "dragon/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_broadcast dragon_broadcast_t;

typedef struct dragon_broadcast_options {
  size_t size;            /* of this struct */
  uint32_t payload_bytes; /* most of one round: 0 .. 4096 */
  uint32_t rounds;        /* that stay readable: 1 .. 64 */
} dragon_broadcast_options_t;

#define DRAGON_BROADCAST_OPTIONS \
  { sizeof(dragon_broadcast_options_t), 256, 4 }

typedef struct dragon_round {
  uint64_t round;  /* its number, from 1 */
  uint64_t missed; /* rounds between the one that was asked for and this one */
  uint64_t bytes;
} dragon_round_t;

/* Makes a broadcast; `options` may be NULL. INVALID_ARGUMENT; OUT_OF_MEMORY; TOO_MANY_RECORDS;
 * OBJECT_DESTROYED; CLOSED. */
DRAGON_API dragon_status_t dragon_broadcast_create(dragon_pool_t* pool,
                                                   const dragon_broadcast_options_t* options,
                                                   dragon_broadcast_t** out);

/* BAD_HANDLE; WRONG_NODE; OBJECT_DESTROYED; TOO_MANY_RECORDS; CLOSED; RUNTIME_GONE; SYSTEM. */
DRAGON_API dragon_status_t dragon_broadcast_attach(dragon_node_t* node,
                                                   const dragon_handle_t* handle,
                                                   dragon_broadcast_t** out);

/* CLOSED. */
DRAGON_API dragon_status_t dragon_broadcast_handle(const dragon_broadcast_t* broadcast,
                                                   dragon_handle_t* out);

/* Ends the broadcast for everybody, who get OBJECT_DESTROYED. Close it besides. OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_broadcast_destroy(dragon_broadcast_t* broadcast);

/* Ends this attachment. */
DRAGON_API void dragon_broadcast_close(dragon_broadcast_t* broadcast);

/* Publishes the next round, whose number is `round` unless that is NULL. TOO_LARGE; WOULD_BLOCK
 * with DRAGON_ONCE while every buffer is in the hands of other writers; TIMEOUT; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_broadcast_publish(dragon_broadcast_t* broadcast, const void* data,
                                                    uint64_t bytes, int64_t timeout_ms,
                                                    uint64_t* round);

/* Copies the first round that can be read from number `from` on; waits for none. `buffer` has
 * dragon_broadcast_payload_bytes at least, else BUFFER_TOO_SHORT. WOULD_BLOCK; OBJECT_DESTROYED;
 * CLOSED. */
DRAGON_API dragon_status_t dragon_broadcast_read(dragon_broadcast_t* broadcast, uint64_t from,
                                                 void* buffer, uint64_t capacity,
                                                 dragon_round_t* out);

/* Waits for the round after the last one. Errors as for a read; TIMEOUT. */
DRAGON_API dragon_status_t dragon_broadcast_wait(dragon_broadcast_t* broadcast, void* buffer,
                                                 uint64_t capacity, int64_t timeout_ms,
                                                 dragon_round_t* out);

/* The number of the last round, 0 before the first. */
DRAGON_API uint64_t dragon_broadcast_round(const dragon_broadcast_t* broadcast);
DRAGON_API uint32_t dragon_broadcast_payload_bytes(const dragon_broadcast_t* broadcast);

#ifdef __cplusplus
}
#endif

#endif
