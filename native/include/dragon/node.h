/* A process's attachment to the node that it runs on. */
#ifndef DRAGON_NODE_H
#define DRAGON_NODE_H

#include "dragon/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dragon_node dragon_node_t;

/* Indexes of the node's well-known handles. */
#define DRAGON_WELL_KNOWN_GLOBAL_SERVICES 0
#define DRAGON_WELL_KNOWN_LOCAL_SERVICES 1
#define DRAGON_WELL_KNOWN_DEFAULT_POOL 2
#define DRAGON_WELL_KNOWN_INFRASTRUCTURE_POOL 3

/* Attaches to the node whose runtime directory this is: the value of DRAGON_RUNTIME_DIR in every
 * process that was started under `dragon`. `name` is shown by `dragon ps`, its first 31 bytes; NULL
 * is none. RUNTIME_GONE if nobody answers for 5 s; LAYOUT if the runtime is of another version;
 * TOO_MANY_ACTORS; SYSTEM. */
DRAGON_API dragon_status_t dragon_node_attach(const char* directory, const char* name,
                                              dragon_node_t** out);

/* Gives back all that this attachment owns and ends it: allocations are freed, locks released.
 * What was opened through it answers CLOSED and still has to be closed. */
DRAGON_API void dragon_node_leave(dragon_node_t* node);

/* The attachment's actor id, never 0. */
DRAGON_API uint32_t dragon_node_actor(const dragon_node_t* node);

/* One of the handles that the runtime has published. A head may be faster than the services and
 * waits up to 5 s for those of the list above. NOT_FOUND; CLOSED. */
DRAGON_API dragon_status_t dragon_node_well_known(dragon_node_t* node, uint32_t index,
                                                  dragon_handle_t* out);

#ifdef __cplusplus
}
#endif

#endif
