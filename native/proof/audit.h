// What must be true of a node's memory when the dead are reclaimed and the others have left.
#pragma once

#include <string>

#include "proof/scene.h"

namespace dragon::proof {

// Checks every structure of the scene: invariants of heap, channels and queues of waiters; each
// allocation belongs to a living actor, an object that somebody can reach, or a message; each
// record to a living actor; no actor but the scene's own is left, unless `others` may be. Empty if
// all is well, else the first fault.
std::string audit(Scene& scene, bool others = false);

// Uses every object as if nothing had happened: fills, drains, locks, allocates.
std::string audit_use(Scene& scene);

// Nothing is allocated, and what is free is in one piece.
std::string audit_empty(Pool& pool);

}  // namespace dragon::proof
