// Giving back what an actor owned: after its death, or when it leaves.
//
// Goals: may be killed at any instruction and run again, by anyone; the slot becomes free only
// when nothing is left of the actor.
// Non-goals: noticing deaths (memory/broker.h).
#pragma once

#include <cstdint>
#include <memory>

#include "memory/node.h"
#include "sync/actor.h"

namespace dragon {

struct ReclaimReport {
  uint32_t allocations = 0;  // freed, those of destroyed objects included
  uint32_t slots = 0;        // private slots of channels
  uint32_t records = 0;      // open, lent and wait records
  uint32_t locks = 0;        // user locks and internal mutexes
};

// STATE if the actor is alive; NOT_FOUND if it was reclaimed before.
Status reclaim(const std::shared_ptr<Node>& node, ActorId dead, ReclaimReport& out);

// Gives back what the calling actor owns and ends its attachment.
void leave(const std::shared_ptr<Node>& node);

}  // namespace dragon
