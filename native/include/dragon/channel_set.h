/* Channel sets: which of many channels is ready, and for what. */
#ifndef DRAGON_CHANNEL_SET_H
#define DRAGON_CHANNEL_SET_H

#include "dragon/channel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_channel_set dragon_channel_set_t;

/* A mask of conditions. DRAGON_SET_ENDED is always watched: the channel was destroyed, or closed
 * here. */
#define DRAGON_SET_IN 1u
#define DRAGON_SET_OUT 2u
#define DRAGON_SET_EMPTY 4u
#define DRAGON_SET_FULL 8u
#define DRAGON_SET_ENDED 16u

typedef struct dragon_ready {
  uint32_t member; /* the channel's number in the set */
  uint32_t events; /* those of its mask that are true now, and DRAGON_SET_ENDED */
} dragon_ready_t;

/* A set belongs to the node attachment that made it. */
DRAGON_API dragon_status_t dragon_channel_set_create(dragon_node_t* node,
                                                     dragon_channel_set_t** out);
DRAGON_API void dragon_channel_set_close(dragon_channel_set_t* set);

/* Watches a channel, which may be closed before the set is. INVALID_ARGUMENT for a mask without
 * conditions, or a channel of another attachment. */
DRAGON_API dragon_status_t dragon_channel_set_add(dragon_channel_set_t* set,
                                                  dragon_channel_t* channel, uint32_t mask,
                                                  uint32_t* member);

/* NOT_FOUND. */
DRAGON_API dragon_status_t dragon_channel_set_change(dragon_channel_set_t* set, uint32_t member,
                                                     uint32_t mask);
DRAGON_API dragon_status_t dragon_channel_set_remove(dragon_channel_set_t* set, uint32_t member);

/* Waits until a channel is ready. Those that stay ready are told in turn. WOULD_BLOCK with
 * DRAGON_ONCE; TIMEOUT; CLOSED. */
DRAGON_API dragon_status_t dragon_channel_set_poll(dragon_channel_set_t* set, int64_t timeout_ms,
                                                   dragon_ready_t* out);

#ifdef __cplusplus
}
#endif

#endif
