// Who sent a signal, and that dispositions come back.
// variants: plain asan
#include "process/signal_watcher.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

using namespace dragon::process;

namespace {

std::vector<SignalReport> await(SignalWatcher& watcher) {
  pollfd poller{watcher.fd(), POLLIN, 0};
  while (::poll(&poller, 1, 5000) < 0 && errno == EINTR) {
  }
  return watcher.read();
}

}  // namespace

TEST_CASE("a signal from a process is reported with its number and sender [PRC-020]") {
  SignalWatcher watcher;
  REQUIRE(watcher.start({SIGINT, SIGTERM}) == 0);
  const pid_t sender = fork();
  if (sender == 0) {
    ::kill(getppid(), SIGTERM);
    ::_exit(0);
  }
  const auto reports = await(watcher);
  ::waitpid(sender, nullptr, 0);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].signal == SIGTERM);
  CHECK(reports[0].from_kernel == 0);
  CHECK(reports[0].sender == sender);
  CHECK(reports[0].time_ms > 0);
}

TEST_CASE("a Ctrl-C of the terminal is told from a kill [PRC-020]") {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(master >= 0);
  REQUIRE(grantpt(master) == 0);
  REQUIRE(unlockpt(master) == 0);
  const std::string name = ptsname(master);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int terminal = ::open(name.c_str(), O_RDWR);  // becomes the controlling terminal
    SignalWatcher watcher;
    if (terminal < 0 || watcher.start({SIGINT}) != 0) ::_exit(2);
    [[maybe_unused]] const ssize_t told = ::write(terminal, "!", 1);
    const auto reports = await(watcher);
    ::_exit(reports.size() == 1 && reports[0].from_kernel == 1 && reports[0].sender == 0 ? 0 : 4);
  }
  char ready = 0;
  CHECK(::read(master, &ready, 1) == 1);
  CHECK(::write(master, "\x03", 1) == 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(master);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("one watcher at a time, and the dispositions from before come back [PRC-020]") {
  ::signal(SIGUSR2, SIG_IGN);
  {
    SignalWatcher watcher;
    REQUIRE(watcher.start({SIGUSR2}) == 0);
    SignalWatcher second;
    CHECK(second.start({SIGUSR2}) == EBUSY);
    ::raise(SIGUSR2);
    ::raise(SIGUSR2);
    CHECK(await(watcher).size() == 2);
  }
  struct sigaction now {};
  ::sigaction(SIGUSR2, nullptr, &now);
  CHECK((now.sa_handler == SIG_IGN));
  ::signal(SIGUSR2, SIG_DFL);
  SignalWatcher refused;
  CHECK(refused.start({SIGKILL}) == EINVAL);
}

TEST_CASE("a process that reads no reports is ended by the next signal [PRC-021]") {
  const pid_t child = fork();
  if (child == 0) {
    SignalWatcher watcher;
    if (watcher.start({SIGTERM}, 50) != 0) ::_exit(2);
    ::raise(SIGTERM);
    if (watcher.read().size() != 1) ::_exit(3);
    usleep(100'000);
    ::raise(SIGTERM);  // the first one that is not read
    ::raise(SIGTERM);  // soon after
    usleep(100'000);
    ::raise(SIGTERM);
    ::_exit(4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}
