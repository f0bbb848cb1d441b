// A case of the exhaustive mode, with the recoveries from its states.
#pragma once

#include <atomic>

#include "proof/cases.h"

namespace dragon::proof {

struct StepOptions {
  uint64_t every = 1;  // which states are judged: every Nth
  uint64_t recoveries =
      0;  // from which of those the recovery is stepped through: every Nth; 0: none
  StepBy by = StepBy::kInstructions;
};

// What the copies of this process count, in memory that they share.
struct RecoveryCounts {
  std::atomic<uint64_t> judged;
  std::atomic<uint64_t> recoveries;
  std::atomic<uint64_t> writes;
  std::atomic<uint64_t> states;
};

// `counts` lies in shared memory. Recoveries are stepped from write to write.
Steps step_case(const Case& each, const StepOptions& options, RecoveryCounts& counts);

}  // namespace dragon::proof
