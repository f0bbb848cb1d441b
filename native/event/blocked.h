// Who waits on what, and who could end that wait.
//
// Read out of the records of the node and the objects in its pools, without stopping anybody: the
// waits of actors that go on meanwhile may be seen in part. What decides whether actors hold each
// other up for ever is the graph of these answers (src/tools/view/wait-graph.ts).
//
// Goals: an actor is named as a possible waker unless it can't be one. Non-goals: processes that
// may yet attach to an object, time-outs of waits.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "memory/node.h"
#include "memory/object.h"

namespace dragon {

struct BlockedWait {
  WaitInfo wait;
  ObjectName name;
  const char* object = "unknown";  // its kind; unknown if it has gone
  const char* operation = "wait";
  // Who could end the wait, each once, the waiter itself if it could. For a lock its holder; for
  // an empty channel its senders, or who has it open if there are none; for a full one its
  // receivers; for a reader-writer lock its writer, its readers, or the writers that a reader lets
  // go first; for memory the owners of allocations and the receivers of messages with memory; for
  // the other objects everybody who has them open.
  std::vector<ActorId> wakers;
  // Somebody else could end it as well: a barrier waits for more parties than have it open, or
  // what was waited for is there already.
  bool others = false;
};

// The waits of all actors but the calling one's.
std::vector<BlockedWait> blocked_waits(const std::shared_ptr<Node>& node);

}  // namespace dragon
