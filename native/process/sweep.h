// Ends processes: trees below this process, and processes that carry the marker of a run.
//
// Goals: nobody else's process is ever signalled. A child of this process keeps its id until
// it is reaped here, so a plain kill is safe; any other process is held by a pidfd while its
// parentage or marker is looked at again, and signalled through that.
// Non-goals: deciding that something must end.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace dragon::process {

struct ExitStatus {
  int code = 0;    // when signal is 0
  int signal = 0;  // the signal that ended the process, 0 if it exited
};

// Reaps every child that has ended, one by one by its id (never waitpid(-1), which takes
// whatever comes), and calls `ended` for each.
void reap_children(const std::function<void(pid_t, ExitStatus)>& ended);

// Reaps one child if it has ended.
bool reap_child(pid_t pid, ExitStatus& status);

// True while this process has children, zombies included.
bool has_children();

// Sends `signal` to every process below this one, and SIGCONT after a signal other than
// SIGKILL, which a stopped process would not see. Returns how many were signalled.
int signal_tree(int signal);

// SIGKILLs and reaps until no child is left or the time is over; true when none is left.
// Orphans come to this process only if it is their reaper (PR_SET_CHILD_SUBREAPER).
bool sweep_children(int timeout_ms);

// Sends `signal` to each process that carries the marker; returns how many were signalled.
int signal_marked(const std::string& run_id, int signal);

// SIGKILLs processes that carry the marker until none is left or the time is over.
bool sweep_marked(const std::string& run_id, int timeout_ms);

}  // namespace dragon::process
