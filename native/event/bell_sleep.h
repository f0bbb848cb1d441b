// A thread that sleeps on its actor's doorbell, for as long as it stands in queues whose wakes ring
// that.
#pragma once

#include "memory/node.h"

namespace dragon {

// The doorbell is the event loop's too: what was taken from it is rung again at the end, so that
// promises which were woken meanwhile are looked at. It exists before its owner enters a queue.
class BellSleep {
 public:
  explicit BellSleep(Node& node) : node_(node) {}
  BellSleep(const BellSleep&) = delete;
  BellSleep& operator=(const BellSleep&) = delete;
  ~BellSleep();

  // Before the first queue is entered: rings are sent from now on.
  void begin();
  // Until the bell rings, the deadline, or a step of its own has passed, since who owed a ring may
  // have died.
  void sleep(Deadline deadline);

 private:
  void drain();

  Node& node_;
  uint64_t step_ns_ = SleepSteps().next_ns;
  bool drained_ = false;
};

}  // namespace dragon
