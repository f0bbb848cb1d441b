// Descriptors of processes, by the system calls themselves: older C libraries have no
// functions for them, and some declare them without C linkage.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "process/unique_fd.h"

namespace dragon::process {

// Invalid, with errno, if there is no such process or no descriptor left.
inline UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

inline bool signal_pidfd(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

}  // namespace dragon::process
