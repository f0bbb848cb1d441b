#include "process/sweep.h"

#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <vector>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "process/pidfd.h"
#include "process/proc_table.h"
#include "process/unique_fd.h"

namespace dragon::process {
namespace {

constexpr int kLookAgainMs = 2;

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void sleep_ms(int ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1'000'000L};
  nanosleep(&time, nullptr);
}

void send_direct(pid_t pid, int signal) {
  ::kill(pid, signal);
  if (signal != SIGKILL) ::kill(pid, SIGCONT);
}

// Signals `pid` if `still_meant` holds while a pidfd keeps it from being somebody else. Out of
// descriptors there is no pidfd; the check just before the signal then has to do.
template <typename Check>
bool send_checked(pid_t pid, int signal, Check still_meant) {
  const UniqueFd held = open_pidfd(pid);
  if (!held.valid() && errno != EMFILE && errno != ENFILE) return false;
  if (!still_meant()) return false;
  if (!held.valid()) {
    send_direct(pid, signal);
    return true;
  }
  if (!signal_pidfd(held.get(), signal)) return false;
  if (signal != SIGKILL) signal_pidfd(held.get(), SIGCONT);
  return true;
}

int signal_below(pid_t parent, int signal) {
  int count = 0;
  for (pid_t child : children_of(parent)) {
    const auto is_child = [&] {
      const auto stat = read_stat(child);
      return stat && stat->parent == parent && stat->state != 'Z';
    };
    // Descendants first: once a parent is dead its children have another one, and the check
    // of parentage would refuse them until the next pass.
    count += signal_below(child, signal);
    count += send_checked(child, signal, is_child) ? 1 : 0;
  }
  return count;
}

template <typename Pass>
bool repeat_until(int timeout_ms, Pass pass) {
  const int64_t deadline_ms = now_ms() + timeout_ms;
  for (;;) {
    if (pass()) return true;
    if (now_ms() >= deadline_ms) return false;
    sleep_ms(kLookAgainMs);
  }
}

}  // namespace

bool reap_child(pid_t pid, ExitStatus& status) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) return false;
  if (info.si_pid != pid) return false;
  const bool exited = info.si_code == CLD_EXITED;
  status.code = exited ? info.si_status : 0;
  status.signal = exited ? 0 : info.si_status;
  return true;
}

void reap_children(const std::function<void(pid_t, ExitStatus)>& ended) {
  for (pid_t pid : children_of(getpid())) {
    ExitStatus status;
    if (reap_child(pid, status)) ended(pid, status);
  }
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int signal_tree(int signal) {
  return signal_below(getpid(), signal);
}

bool sweep_children(int timeout_ms) {
  return repeat_until(timeout_ms, [] {
    if (!has_children()) return true;
    signal_tree(SIGKILL);
    reap_children([](pid_t, ExitStatus) {});
    return !has_children();
  });
}

int signal_marked(const std::string& run_id, int signal) {
  int count = 0;
  for (const ProcessStat& found : marked_processes(run_id)) {
    const auto is_marked = [&] {
      const auto stat = read_stat(found.pid);
      return stat && stat->start_time == found.start_time &&
             started_with(found.pid, "DRAGON_RUN_ID") == run_id;
    };
    count += send_checked(found.pid, signal, is_marked) ? 1 : 0;
  }
  return count;
}

bool sweep_marked(const std::string& run_id, int timeout_ms) {
  // A killed process loses its environment, and with it the marker, a moment before it ends.
  std::map<pid_t, uint64_t> ending;  // to the start time
  return repeat_until(timeout_ms, [&] {
    const std::vector<ProcessStat> marked = marked_processes(run_id);
    for (const ProcessStat& stat : marked) ending[stat.pid] = stat.start_time;
    signal_marked(run_id, SIGKILL);
    std::erase_if(ending, [](const auto& one) {
      const auto stat = read_stat(one.first);
      return !stat || stat->start_time != one.second || stat->state == 'Z' || stat->state == 'X';
    });
    return marked.empty() && ending.empty();
  });
}

}  // namespace dragon::process
