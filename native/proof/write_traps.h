// Stops a process before each of its writes to shared memory.
//
// The mappings are made read-only. A write then faults: the handler stops the process, lets it make
// this one write with the trap flag set, and closes the mappings again behind it.
//
// Goals: exact for every instruction that writes, at full speed between them.
// Non-goals: writes by the kernel (the core has none), processors without a trap flag.
#pragma once

#include "sync/mapping.h"

namespace dragon::proof {

// From here on for the life of the calling process. False where this processor cannot.
bool trap_writes(const Mapping* const (&mappings)[2]);

}  // namespace dragon::proof
