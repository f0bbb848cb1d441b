// Compares the ends of a channel's stream with the handles that its processes had open.
//
// Goals: who is told that nobody is left at the other end had it told at a moment at which that may
// have been: no process had a handle of that role open from before the call to after it. A handle
// is surely open from the end of its opening to the beginning of its closing, or to the last that
// is known of a process that died.
#pragma once

#include <string>

#include "proof/journal.h"

namespace dragon::proof {

// Empty if all is well.
std::string compare_ends(const Records& records, uint32_t channel);

}  // namespace dragon::proof
