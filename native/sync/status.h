// The result type of every call of the native core.
//
// The codes come from spec/errors.yaml. Calls that fail with SYSTEM, OUT_OF_MEMORY or
// RUNTIME_GONE because of a system call leave its `errno` for the caller.
#pragma once

#include "dragon/errors.h"

namespace dragon {

using Status = dragon_status_t;

// True for the conditions that may end by waiting, false for results and errors.
inline bool is_not_yet(Status status) {
  return status == DRAGON_WOULD_BLOCK || status == DRAGON_FULL || status == DRAGON_EMPTY ||
         status == DRAGON_OUT_OF_MEMORY;
}

}  // namespace dragon
