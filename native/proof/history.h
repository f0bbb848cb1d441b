// Compares what the processes of a run saw of a channel with what a queue would have shown them.
//
// Goals: every message that was sent is received once, unless its receiver died with it in hand;
// one whose sender died in the call is received once or never; messages of one sender are received
// in their order, by one receiver and across receivers as far as time tells; who found the channel
// empty did so at a moment at which it may have been. Non-goals: a search for a linearization; the
// rules above need none.
#pragma once

#include <string>

#include "proof/journal.h"

namespace dragon::proof {

// Whether the value of the semaphore is what was given and taken, but for those who died in a call.
std::string compare_permits(const Records& records, uint64_t value);

// Empty if all is well. Everything that was left in the channel has been received by the watcher.
std::string compare_with_queue(const Records& records, uint32_t channel);

}  // namespace dragon::proof
