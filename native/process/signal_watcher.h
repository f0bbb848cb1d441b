// Tells the launcher which signals came, and from whom.
//
// Node's own signal events do not say whether the terminal or a process sent a signal. The
// difference matters: the terminal sends to the whole foreground group, so the head has had
// its SIGINT already, while a `kill -INT` of the launcher reached nobody else.
//
// Goals: nothing is lost or merged beyond what the kernel merges; each report carries the time
// at which the signal arrived, not the time at which it was read; a process that has stopped
// reading can still be ended by an ordinary signal.
// Non-goals: more than one watcher in a process (dispositions are the process's).
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <vector>

#include "process/unique_fd.h"

namespace dragon::process {

struct SignalReport {
  int32_t signal;
  int32_t from_kernel;  // 1: the terminal (or the kernel itself), 0: a process
  int32_t sender;       // process id, 0 from the kernel
  int32_t unused;
  int64_t time_ms;  // CLOCK_MONOTONIC
};
static_assert(sizeof(SignalReport) == 24);

class SignalWatcher {
 public:
  SignalWatcher() = default;
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher() { stop(); }

  // Returns 0, EBUSY if this process has a watcher, or another errno. When a report has not
  // been read for `patience_ms`, the next signal has its default effect.
  int start(const std::vector<int>& signals, int patience_ms = 3000);
  // Restores the dispositions that were there before.
  void stop();

  int fd() const { return read_end_.get(); }
  std::vector<SignalReport> read();

 private:
  struct Saved {
    int signal;
    struct sigaction action;
  };

  UniqueFd read_end_;
  UniqueFd write_end_;
  std::vector<Saved> saved_;
};

}  // namespace dragon::process
