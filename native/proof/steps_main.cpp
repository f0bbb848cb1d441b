// The exhaustive mode of the kill-point driver.
//
//     steps [--every N] [--recoveries N] [--by writes] [--case NAME]
//
// Steps through each call and judges every Nth state of shared memory that a death in it would
// leave (default 1: all of them). With --recoveries it also steps, from write to write, through the
// recovery from every Nth of those states and judges what the reclaimer's own death would leave.
// With `--by writes` it does so with the calls, too. The last line is `steps: N passed, M failed`.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "proof/recovery.h"

using namespace dragon;
using namespace dragon::proof;

namespace {

bool parse(int argc, char** argv, StepOptions& out, const char*& only) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (::strcmp(argv[i], "--every") == 0) {
      out.every = ::strtoull(argv[i + 1], nullptr, 10);
    } else if (::strcmp(argv[i], "--recoveries") == 0) {
      out.recoveries = ::strtoull(argv[i + 1], nullptr, 10);
    } else if (::strcmp(argv[i], "--by") == 0 && ::strcmp(argv[i + 1], "writes") == 0) {
      out.by = StepBy::kWrites;
    } else if (::strcmp(argv[i], "--case") == 0) {
      only = argv[i + 1];
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && out.every > 0;
}

bool run_case(const Case& each, const StepOptions& options, RecoveryCounts& counts) {
  const Steps steps = step_case(each, options, counts);
  ::printf("  %-16s %8llu %s, %5llu states", each.name,
           static_cast<unsigned long long>(steps.instructions),
           options.by == StepBy::kWrites ? "writes" : "instructions",
           static_cast<unsigned long long>(steps.states));
  if (options.recoveries != 0) {
    ::printf("; %llu recoveries of %llu writes, %llu states",
             static_cast<unsigned long long>(counts.recoveries.exchange(0)),
             static_cast<unsigned long long>(counts.writes.exchange(0)),
             static_cast<unsigned long long>(counts.states.exchange(0)));
  }
  ::printf("%s%s\n", steps.fault.empty() ? "" : "  FAULT: ", steps.fault.c_str());
  ::fflush(stdout);
  return steps.fault.empty();
}

}  // namespace

int main(int argc, char** argv) {
  StepOptions options;
  const char* only = nullptr;
  if (!parse(argc, argv, options, only)) {
    ::fprintf(stderr, "usage: steps [--every N] [--recoveries N] [--case NAME]\n");
    return 2;
  }
  void* memory = ::mmap(nullptr, sizeof(RecoveryCounts), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 2;
  auto& counts = *static_cast<RecoveryCounts*>(memory);
  unsigned passed = 0;
  unsigned failed = 0;
  for (const Case& each : cases()) {
    if (only != nullptr && ::strcmp(only, each.name) != 0) continue;
    ++(run_case(each, options, counts) ? passed : failed);
  }
  ::printf("steps: %u passed, %u failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
