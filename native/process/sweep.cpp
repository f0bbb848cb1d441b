#include "process/sweep.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "process/pidfd.h"
#include "process/proc_table.h"
#include "process/unique_fd.h"

namespace dragon::process {
namespace {

constexpr int kLookAgainMs = 2;

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void SleepMs(int ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1'000'000L};
  nanosleep(&time, nullptr);
}

void SendDirect(pid_t pid, int signal) {
  kill(pid, signal);
  if (signal != SIGKILL) kill(pid, SIGCONT);
}

// Signals `pid` if `still_meant` holds while a pidfd keeps it from being somebody else. Out of
// descriptors there is no pidfd; the check just before the signal then has to do.
template <typename Check>
bool SendChecked(pid_t pid, int signal, Check still_meant) {
  const UniqueFd held = OpenPidfd(pid);
  if (!held.valid() && errno != EMFILE && errno != ENFILE) return false;
  if (!still_meant()) return false;
  if (!held.valid()) {
    SendDirect(pid, signal);
    return true;
  }
  if (!SignalPidfd(held.get(), signal)) return false;
  if (signal != SIGKILL) SignalPidfd(held.get(), SIGCONT);
  return true;
}

int SignalBelow(pid_t parent, int signal) {
  int count = 0;
  for (pid_t child : ChildrenOf(parent)) {
    const auto is_child = [&] {
      const auto stat = ReadStat(child);
      return stat && stat->parent == parent && stat->state != 'Z';
    };
    // Descendants first: once a parent is dead its children have another one, and the check
    // of parentage would refuse them until the next pass.
    count += SignalBelow(child, signal);
    count += SendChecked(child, signal, is_child) ? 1 : 0;
  }
  return count;
}

template <typename Pass>
bool RepeatUntil(int timeout_ms, Pass pass) {
  const int64_t deadline_ms = NowMs() + timeout_ms;
  for (;;) {
    if (pass()) return true;
    if (NowMs() >= deadline_ms) return false;
    SleepMs(kLookAgainMs);
  }
}

}  // namespace

bool ReapChild(pid_t pid, ExitStatus& status) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) return false;
  if (info.si_pid != pid) return false;
  const bool exited = info.si_code == CLD_EXITED;
  status.code = exited ? info.si_status : 0;
  status.signal = exited ? 0 : info.si_status;
  return true;
}

void ReapChildren(const std::function<void(pid_t, ExitStatus)>& ended) {
  for (pid_t pid : ChildrenOf(getpid())) {
    ExitStatus status;
    if (ReapChild(pid, status)) ended(pid, status);
  }
}

bool HasChildren() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int SignalTree(int signal) {
  return SignalBelow(getpid(), signal);
}

bool SweepChildren(int timeout_ms) {
  return RepeatUntil(timeout_ms, [] {
    if (!HasChildren()) return true;
    SignalTree(SIGKILL);
    ReapChildren([](pid_t, ExitStatus) {});
    return !HasChildren();
  });
}

int SignalMarked(const std::string& run_id, int signal) {
  int count = 0;
  for (const ProcessStat& found : MarkedProcesses(run_id)) {
    const auto is_marked = [&] {
      const auto stat = ReadStat(found.pid);
      return stat && stat->start_time == found.start_time &&
             StartedWith(found.pid, "DRAGON_RUN_ID") == run_id;
    };
    count += SendChecked(found.pid, signal, is_marked) ? 1 : 0;
  }
  return count;
}

bool SweepMarked(const std::string& run_id, int timeout_ms) {
  return RepeatUntil(timeout_ms, [&] {
    SignalMarked(run_id, SIGKILL);
    return MarkedProcesses(run_id).empty();
  });
}

}  // namespace dragon::process
