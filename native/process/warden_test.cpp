// The warden as a process of its own, spoken to over its socket.
// variants: plain asan
#include "process/warden.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>

#include "process/proc_table.h"

using namespace dragon::process;

namespace {

// A warden in a forked process, and the launcher's end of its socket.
class Bench {
 public:
  Bench() {
    char pattern[] = "/tmp/dragon-test-XXXXXX";
    base = mkdtemp(pattern);
    CHECK(::mkdir((base + "/r1-a").c_str(), 0700) == 0);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    warden = fork();
    if (warden == 0) {
      ::close(ends[0]);
      WardenOptions options;
      options.base = base;
      options.name = "r1-a";
      options.keep_base = false;
      std::exit(Warden(UniqueFd(ends[1]), options).run());
    }
    ::close(ends[1]);
    socket = std::make_unique<FrameSocket>(UniqueFd(ends[0]));
  }
  ~Bench() {
    if (warden > 0) gone();
  }

  void send(FrameType type, std::string payload) {
    socket->queue(type, std::move(payload));
    REQUIRE(socket->flush());
  }

  void shell(uint64_t tag, const std::string& script, const std::string& directory = "/") {
    SpawnRequest request;
    request.tag = tag;
    request.new_group = true;
    request.stdio[0] = request.stdio[1] = StdioMode::kNull;
    request.program = "sh";
    request.directory = directory;
    request.argv = {"sh", "-c", script};
    request.env = {"PATH=/usr/bin:/bin"};
    send(FrameType::kSpawn, encode(request));
  }

  // The next frame of this type; the order of frames of different types is not promised.
  template <typename Event>
  Event next(FrameType type) {
    const auto is_wanted = [type](const Frame& frame) { return frame.type == type; };
    auto found = std::find_if(frames.begin(), frames.end(), is_wanted);
    while (found == frames.end()) {
      pollfd poller{socket->fd(), POLLIN, 0};
      REQUIRE(::poll(&poller, 1, 5000) == 1);
      const auto result = socket->read(frames);
      found = std::find_if(frames.begin(), frames.end(), is_wanted);
      REQUIRE((result == FrameSocket::ReadResult::kOpen || found != frames.end()));
    }
    Event event;
    CHECK(decode(found->payload, event));
    frames.erase(found);
    return event;
  }
  SpawnedEvent spawned() { return next<SpawnedEvent>(FrameType::kSpawned); }
  ExitedEvent exited() { return next<ExitedEvent>(FrameType::kExited); }

  // Leaves the warden, as a launcher that dies does, and waits for its end.
  bool gone() {
    socket.reset();
    int status = 0;
    for (int i = 0; i < 5000; ++i) {
      if (::waitpid(warden, &status, WNOHANG) == warden) {
        warden = 0;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
      }
      usleep(1000);
    }
    ::kill(warden, SIGKILL);
    ::waitpid(warden, &status, 0);
    warden = 0;
    return false;
  }

  std::string base;
  pid_t warden = 0;
  std::unique_ptr<FrameSocket> socket;
  std::vector<Frame> frames;
};

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 3000 && !holds(); ++i) usleep(1000);
  return holds();
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

TEST_CASE("starts and ends are reported with tag, code and signal [PRC-001] [PRC-007]") {
  Bench bench;
  bench.shell(11, "exit 7");
  const SpawnedEvent spawned = bench.spawned();
  CHECK(spawned.tag == 11);
  CHECK(spawned.pid > 0);
  const ExitedEvent exited = bench.exited();
  CHECK(exited.tag == 11);
  CHECK(exited.pid == spawned.pid);
  CHECK(exited.code == 7);
  bench.shell(12, "kill -SEGV $$; sleep 30");
  CHECK(bench.spawned().tag == 12);
  CHECK(bench.exited().signal == SIGSEGV);
  bench.shell(13, "sleep 30");
  const auto stat = read_stat(bench.spawned().pid);
  REQUIRE(stat);
  CHECK(stat->parent == bench.warden);
}

TEST_CASE("a start that fails is reported and the warden serves on [PRC-006]") {
  Bench bench;
  bench.shell(1, "true", "/no/such/directory");
  const SpawnedEvent failed = bench.spawned();
  CHECK(failed.pid == 0);
  CHECK(failed.error == ENOENT);
  CHECK(failed.stage == SpawnStage::kDirectory);
  bench.shell(2, "exit 0");
  CHECK(bench.spawned().pid > 0);
  CHECK(bench.exited().code == 0);
}

TEST_CASE("a signal reaches the process of its tag; for one that ended it is nothing [PRC-009]") {
  Bench bench;
  bench.shell(1, "sleep 30");
  bench.shell(2, "sleep 30");
  bench.spawned();
  bench.spawned();
  bench.send(FrameType::kSignal, encode(SignalRequest{2, SIGUSR1}));
  const ExitedEvent exited = bench.exited();
  CHECK(exited.tag == 2);
  CHECK(exited.signal == SIGUSR1);
  bench.send(FrameType::kSignal, encode(SignalRequest{2, SIGKILL}));
  bench.send(FrameType::kSignal, encode(SignalRequest{99, SIGKILL}));
  bench.shell(3, "exit 4");
  CHECK(bench.spawned().tag == 3);
  CHECK(bench.exited().code == 4);
}

TEST_CASE("orphans come to the warden, are reaped and not reported [PRC-001] [PRC-008]") {
  Bench bench;
  bench.shell(1, "(sleep 0.1; exit 3) & exit 0");
  bench.spawned();
  CHECK(bench.exited().tag == 1);
  CHECK(children_of(bench.warden).size() == 1);
  CHECK(eventually([&] { return children_of(bench.warden).empty(); }));
  bench.shell(2, "exit 0");
  CHECK(bench.spawned().tag == 2);
  CHECK(bench.exited().tag == 2);
}

TEST_CASE("when the launcher is gone nothing of the run is left [PRC-014] [PRC-015]") {
  Bench bench;
  const std::string run = bench.base + "/r1-a";
  std::ofstream(run + "/owner.json") << "{}";
  bench.shell(1, "trap '' TERM; sleep 30 & setsid sleep 30 & echo; sleep 30");
  bench.shell(2, "setsid sh -c 'sleep 30 & sleep 30' & kill -STOP $$");
  const pid_t first = bench.spawned().pid;
  const pid_t second = bench.spawned().pid;
  REQUIRE(eventually([&] { return children_of(first).size() == 3; }));
  CHECK(bench.gone());
  CHECK_FALSE(read_stat(first));
  CHECK_FALSE(read_stat(second));
  CHECK_FALSE(exists(run));
  CHECK_FALSE(exists(bench.base));
}

TEST_CASE("a halt with a grace lets processes end themselves, then kills [PRC-013]") {
  Bench bench;
  bench.shell(1, "trap 'exit 5' TERM; while :; do sleep 30 & wait; done");
  bench.shell(2, "trap '' TERM; while :; do sleep 30; done");
  const pid_t polite = bench.spawned().pid;
  const pid_t deaf = bench.spawned().pid;
  REQUIRE(eventually([&] { return !children_of(polite).empty() && !children_of(deaf).empty(); }));
  bench.send(FrameType::kHalt, encode(HaltRequest{200}));
  bench.shell(3, "exit 0");
  const SpawnedEvent late = bench.spawned();
  CHECK(late.error == ESHUTDOWN);
  CHECK(bench.exited().code == 5);
  CHECK(bench.exited().signal == SIGKILL);
  CHECK(bench.next<HaltedEvent>(FrameType::kHalted).left == 0);
  CHECK(bench.gone());
}

TEST_CASE("a second halt shortens the grace of the first [PRC-013]") {
  Bench bench;
  bench.shell(1, "trap '' TERM; while :; do sleep 30; done");
  const pid_t deaf = bench.spawned().pid;
  REQUIRE(eventually([&] { return !children_of(deaf).empty(); }));
  bench.send(FrameType::kHalt, encode(HaltRequest{30'000}));
  bench.send(FrameType::kHalt, encode(HaltRequest{0}));
  CHECK(bench.exited().signal == SIGKILL);
  CHECK(bench.next<HaltedEvent>(FrameType::kHalted).left == 0);
}

TEST_CASE("what a terminal sends does not end the warden [PRC-016]") {
  Bench bench;
  bench.shell(1, "exit 0");
  bench.spawned();
  bench.exited();
  for (int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP, SIGTTOU, SIGUSR1}) {
    ::kill(bench.warden, signal);
  }
  bench.shell(2, "exit 3");
  CHECK(bench.spawned().tag == 2);
  CHECK(bench.exited().code == 3);
}

TEST_CASE("a malformed frame ends the run [PRC-010]") {
  Bench bench;
  bench.shell(1, "sleep 30");
  const pid_t pid = bench.spawned().pid;
  bench.send(FrameType::kSignal, "short");
  CHECK(eventually([&] { return !read_stat(pid); }));
  CHECK(bench.gone());
}

TEST_CASE("a launcher that does not read holds nobody up [PRC-011]") {
  Bench bench;
  const int count = 300;
  for (uint64_t tag = 1; tag <= count; ++tag) bench.shell(tag, "exit 0", "/no/such/directory");
  bench.shell(1000, "touch " + bench.base + "/r1-a/done");
  REQUIRE(eventually([&] { return bench.socket->flush() && !bench.socket->has_output(); }));
  REQUIRE(eventually([&] { return exists(bench.base + "/r1-a/done"); }));
  for (int i = 0; i < count; ++i) CHECK(bench.spawned().error == ENOENT);
}
