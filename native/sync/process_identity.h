// Who a process is, as the kernel says: pids are reused, pairs of pid and start time are not.
#pragma once

#include <cstdint>

namespace dragon {

// What /proc/PID/stat says. A zombie does not exist any more: only its exit status is left.
struct ProcessLook {
  bool known = false;       // the kernel answered
  bool exists = false;      // and there is such a process, not a zombie
  bool stopped = false;     // by SIGSTOP or a debugger
  uint64_t start_time = 0;  // field 22: clock ticks after boot
};

ProcessLook look_at_process(int32_t pid);

}  // namespace dragon
