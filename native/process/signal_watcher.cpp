#include "process/signal_watcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

namespace dragon::process {
namespace {

std::atomic<int> report_to{-1};
std::atomic<int> patience{0};
// When the oldest report came that was not read, 0 if all were.
std::atomic<int64_t> unread_since_ms{0};
static_assert(std::atomic<int64_t>::is_always_lock_free);

// Runs at any point of any thread: only calls that are safe there.
void on_signal(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  SignalReport report{};
  report.signal = signal;
  report.from_kernel = info->si_code > 0 ? 1 : 0;
  report.sender = report.from_kernel != 0 ? 0 : info->si_pid;
  report.time_ms = int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  int64_t unread_since = 0;
  if (!unread_since_ms.compare_exchange_strong(unread_since, report.time_ms) &&
      report.time_ms - unread_since > patience.load()) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);  // takes effect when this handler returns
  }
  // A pipe holds thousands of reports; when it is full the reader knows enough.
  [[maybe_unused]] const ssize_t written = ::write(report_to.load(), &report, sizeof report);
  errno = saved_errno;
}

}  // namespace

int SignalWatcher::start(const std::vector<int>& signals, int patience_ms) {
  if (report_to.load() >= 0) return EBUSY;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  patience.store(patience_ms);
  unread_since_ms.store(0);
  report_to.store(ends[1]);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int signal : signals) {
    Saved saved{signal, {}};
    if (::sigaction(signal, &action, &saved.action) != 0) {
      const int error = errno;
      stop();
      return error;
    }
    saved_.push_back(saved);
  }
  return 0;
}

void SignalWatcher::stop() {
  if (!write_end_.valid()) return;
  for (const Saved& saved : saved_) ::sigaction(saved.signal, &saved.action, nullptr);
  saved_.clear();
  report_to.store(-1);
  read_end_.reset();
  write_end_.reset();
}

std::vector<SignalReport> SignalWatcher::read() {
  std::vector<SignalReport> reports;
  SignalReport report{};
  unread_since_ms.store(0);
  while (::read(read_end_.get(), &report, sizeof report) == sizeof report) {
    reports.push_back(report);
  }
  return reports;
}

}  // namespace dragon::process
