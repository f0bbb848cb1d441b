// Starting one process: what it gets, and how a failure is told.
// variants: plain asan
#include "process/spawner.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "process/proc_table.h"
#include "process/sweep.h"

using namespace dragon::process;

namespace {

SpawnRequest shell(const std::string& script) {
  SpawnRequest request;
  request.tag = 1;
  request.program = "/bin/sh";
  request.directory = "/";
  request.argv = {"sh", "-c", script};
  request.env = {"PATH=/usr/bin:/bin", "MARK=here"};
  request.stdio[0] = StdioMode::kNull;
  return request;
}

ExitStatus wait_for(pid_t pid) {
  ExitStatus status;
  for (int i = 0; i < 5000 && !reap_child(pid, status); ++i) usleep(1000);
  return status;
}

// Runs a script whose standard output is caught.
std::string output_of(const std::string& script, SpawnRequest request = shell("")) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd read_end(ends[0]);
  std::vector<UniqueFd> passed;
  passed.emplace_back(ends[1]);
  request.argv.back() = script;
  request.stdio[1] = StdioMode::kPassed;
  const SpawnResult result = spawn(request, passed);
  REQUIRE(result.error == 0);
  passed.clear();
  std::string output;
  char buffer[4096];
  for (ssize_t count; (count = ::read(read_end.get(), buffer, sizeof buffer)) > 0;) {
    output.append(buffer, static_cast<size_t>(count));
  }
  wait_for(result.pid);
  return output;
}

}  // namespace

TEST_CASE("a process gets the arguments, environment and directory of its request [PRC-002]") {
  SpawnRequest request = shell("");
  request.directory = "/usr";
  CHECK(output_of("pwd; echo $MARK; env | wc -l", request) == "/usr\nhere\n3\n");
}

TEST_CASE("a process has its three streams and no other descriptor [PRC-002]") {
  const UniqueFd leaky(::open("/dev/null", O_RDWR));  // not close-on-exec
  REQUIRE(leaky.valid());
  CHECK(output_of("exec ls /proc/self/fd") == "0\n1\n2\n3\n");  // 3 is the listing itself
  CHECK(output_of("exec readlink /proc/self/fd/0") == "/dev/null\n");
}

TEST_CASE("a process starts with default signals, whatever its parent ignores [PRC-003]") {
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  const std::string masks = output_of("exec grep -E 'Sig(Blk|Ign)' /proc/self/status");
  sigprocmask(SIG_UNBLOCK, &blocked, nullptr);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  CHECK(masks == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("a process leads its own group when asked, else it is in its parent's [PRC-004]") {
  for (bool own : {true, false}) {
    SpawnRequest request = shell("exec sleep 30");
    request.new_group = own;
    const SpawnResult result = spawn(request, {});
    REQUIRE(result.error == 0);
    const auto stat = read_stat(result.pid);
    REQUIRE(stat);
    CHECK(stat->group == (own ? result.pid : getpgrp()));
    ::kill(result.pid, SIGKILL);
    CHECK(wait_for(result.pid).signal == SIGKILL);
  }
}

TEST_CASE("a process's pidfd becomes readable when it ends [PRC-007]") {
  const SpawnResult result = spawn(shell("exit 7"), {});
  REQUIRE(result.error == 0);
  pollfd poller{result.pidfd.get(), POLLIN, 0};
  CHECK(::poll(&poller, 1, 5000) == 1);
  CHECK(wait_for(result.pid).code == 7);
}

TEST_CASE("a bare name is searched in the PATH of the request [PRC-005]") {
  char pattern[] = "/tmp/dragon-test-XXXXXX";
  const std::string directory = mkdtemp(pattern);
  const std::string plain = directory + "/not-executable";
  UniqueFd(::open(plain.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).reset();
  ::mkdir((directory + "/sh").c_str(), 0700);
  SpawnRequest request = shell("true");
  request.env = {"PATH=/nowhere:" + directory + ":/usr/bin:/bin"};
  request.program = "sh";  // a folder of that name comes first and is passed over
  std::string path;
  CHECK(find_program(request, path) == 0);
  CHECK(path.ends_with("bin/sh"));
  request.program = "no-such-program";
  CHECK(find_program(request, path) == ENOENT);
  request.program = "not-executable";
  CHECK(find_program(request, path) == EACCES);
  ::unlink(plain.c_str());
  ::rmdir((directory + "/sh").c_str());
  ::rmdir(directory.c_str());
}

TEST_CASE("a failed start tells errno and stage and leaves no process [PRC-006]") {
  struct Case {
    const char* program;
    const char* directory;
    int error;
    SpawnStage stage;
  };
  const Case cases[] = {{"no-such-program", "/", ENOENT, SpawnStage::kSearch},
                        {"/no/such/program", "/", ENOENT, SpawnStage::kExec},
                        {"/etc/passwd", "/", EACCES, SpawnStage::kExec},
                        {"/bin", "/", EACCES, SpawnStage::kExec},
                        {"/bin/sh", "/no/such", ENOENT, SpawnStage::kDirectory}};
  for (const Case& entry : cases) {
    SpawnRequest request = shell("true");
    request.program = entry.program;
    request.directory = entry.directory;
    const SpawnResult result = spawn(request, {});
    CHECK(result.pid == 0);
    CHECK(result.error == entry.error);
    CHECK(result.stage == entry.stage);
  }
  SpawnRequest missing = shell("true");
  missing.stdio[1] = StdioMode::kPassed;
  CHECK(spawn(missing, {}).error == EBADF);
  CHECK_FALSE(has_children());
}

TEST_CASE("a process dies with the one that started it [PRC-017]") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd read_end(ends[0]);
  const pid_t parent = fork();
  if (parent == 0) {
    SpawnRequest request = shell("sleep 30");
    request.argv = {"sleep", "30"};
    request.program = "sleep";
    const pid_t pid = spawn(request, {}).pid;
    [[maybe_unused]] const ssize_t told = ::write(ends[1], &pid, sizeof pid);
    ::raise(SIGKILL);
  }
  ::close(ends[1]);
  pid_t child = 0;
  REQUIRE(::read(read_end.get(), &child, sizeof child) == sizeof child);
  CHECK(wait_for(parent).signal == SIGKILL);
  const auto gone = [&] {
    const auto stat = read_stat(child);
    return !stat || stat->state == 'Z';
  };
  for (int i = 0; i < 2000 && !gone(); ++i) usleep(1000);
  CHECK(gone());
}
