// What /proc says about processes: identity, parentage and the marker of a run.
//
// A process id alone names nobody: it may have been given to another process since. Identity
// is process id and start time together.
//
// Goals: children of a process without a scan of all processes where the kernel offers it;
// every answer is a snapshot, and callers look again.
// Non-goals: no signals (`sweep.h`).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dragon::process {

struct ProcessStat {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  char state = '?';         // as in /proc/PID/stat: R, S, D, T, Z, ...
  uint64_t start_time = 0;  // clock ticks after boot
  std::string command;      // at most 15 bytes, as the kernel keeps it
};

// Nothing if no such process exists (a zombie still exists).
std::optional<ProcessStat> read_stat(pid_t pid);

// The children of a process, zombies included.
std::vector<pid_t> children_of(pid_t pid);

// Every process id in /proc.
std::vector<pid_t> all_processes();

// The variable of the environment that a process was started with; nothing if it isn't set or
// the process belongs to somebody else. The marker of a run is the variable DRAGON_RUN_ID.
std::optional<std::string> started_with(pid_t pid, const std::string& variable);

// The processes that were started with DRAGON_RUN_ID=run_id, zombies and this process's own
// ancestors (and itself) excluded.
std::vector<ProcessStat> marked_processes(const std::string& run_id);

}  // namespace dragon::process
