// Ending trees and marked processes, and reading who they are.
// variants: plain asan
#include "process/sweep.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "process/proc_table.h"
#include "process/unique_fd.h"

using namespace dragon::process;

namespace {

// Starts a shell script; `mark` becomes its DRAGON_RUN_ID. Returns once it has printed a line.
pid_t Start(const std::string& script, const std::string& mark = "") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const std::string variable = "DRAGON_RUN_ID=" + mark;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    const std::string line = script;
    const char* argv[] = {"sh", "-c", line.c_str(), nullptr};
    const char* env[] = {"PATH=/usr/bin:/bin", variable.c_str(), nullptr};
    execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(env));
    _exit(127);
  }
  close(ends[1]);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  return pid;
}

std::string UniqueMark() {
  static int count = 0;
  return "r" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

bool Alive(pid_t pid) {
  const auto stat = ReadStat(pid);
  return stat && stat->state != 'Z';
}

}  // namespace

TEST_CASE("identity is read from a process whose name has parentheses and spaces [PRC-019]") {
  prctl(PR_SET_NAME, "a ) (b");
  const auto self = ReadStat(getpid());
  REQUIRE(self);
  CHECK(self->pid == getpid());
  CHECK(self->parent == getppid());
  CHECK(self->group == getpgrp());
  CHECK(self->state == 'R');
  CHECK(self->command == "a ) (b");
  CHECK(self->start_time > 0);
  const pid_t later = Start("echo; sleep 30");
  const auto child = ReadStat(later);
  REQUIRE(child);
  CHECK(child->start_time >= self->start_time);
  CHECK(SweepChildren(2000));
  CHECK_FALSE(ReadStat(later));
}

TEST_CASE("a sweep ends children, grandchildren, orphans, sessions and stopped ones [PRC-014]") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Start("sleep 30 & (sleep 30 & sleep 30 &) & echo; sleep 30");
  Start("setsid sleep 30 & (setsid sh -c 'sleep 30 & sleep 30' &); echo; exit 0");
  const pid_t stopped = Start("echo; kill -STOP $$; sleep 30");
  const pid_t deaf = Start("trap '' TERM INT HUP; echo; sleep 30; sleep 30");
  CHECK(HasChildren());
  CHECK(SweepChildren(2000));
  CHECK_FALSE(HasChildren());
  CHECK(ChildrenOf(getpid()).empty());
  CHECK_FALSE(Alive(stopped));
  CHECK_FALSE(Alive(deaf));
}

TEST_CASE("a program that forks and leaves without end is caught [PRC-014]") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Each generation starts the next one and exits, so every process id lives a millisecond.
  Start("f() { (f &) ; exit; }; echo; f");
  usleep(20'000);
  CHECK(SweepChildren(5000));
  CHECK_FALSE(HasChildren());
}

TEST_CASE("a signal other than SIGKILL reaches the tree, stopped processes too [PRC-013]") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Start("sh -c 'trap \"exit 3\" TERM; echo; kill -STOP $$; sleep 30 & wait'; sleep 30");
  CHECK(SignalTree(SIGTERM) >= 2);
  for (int i = 0; i < 2000 && HasChildren(); ++i) {
    usleep(1000);
    ReapChildren([](pid_t, ExitStatus) {});
    SignalTree(SIGTERM);
  }
  CHECK_FALSE(HasChildren());
}

TEST_CASE("children are reaped one by one with how they ended [PRC-007]") {
  const pid_t coded = Start("echo; exit 9");
  const pid_t killed = Start("echo; kill -SEGV $$; sleep 30");
  int seen = 0;
  for (int i = 0; i < 2000 && seen < 2; ++i) {
    usleep(1000);
    ReapChildren([&](pid_t pid, ExitStatus status) {
      ++seen;
      if (pid == coded) CHECK(status.code == 9);
      if (pid == killed) CHECK(status.signal == SIGSEGV);
    });
  }
  CHECK(seen == 2);
}

TEST_CASE("processes of a run are found by the marker that they inherited [PRC-018]") {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::string mark = UniqueMark();
  const std::string other = UniqueMark();
  const pid_t direct = Start("echo; sleep 30 & wait", mark);
  Start("setsid sleep 30 & echo; exit 0", mark);  // leaves an orphan
  const pid_t stranger = Start("echo; sleep 30", other);
  const pid_t prefix = Start("echo; sleep 30", mark + "0");
  for (int i = 0; i < 2000 && MarkedProcesses(mark).size() != 3; ++i) usleep(1000);
  CHECK(MarkedProcesses(mark).size() == 3);
  CHECK(StartedWith(direct, "DRAGON_RUN_ID") == mark);
  CHECK_FALSE(StartedWith(direct, "RUN_ID"));
  CHECK(SweepMarked(mark, 2000));
  CHECK_FALSE(Alive(direct));
  CHECK(Alive(stranger));
  CHECK(Alive(prefix));
  CHECK(SweepChildren(2000));
}

TEST_CASE("a search by marker leaves out the searcher and its ancestors [PRC-018]") {
  const std::string mark = UniqueMark();
  // The shell carries the mark, and so does the test that it runs below itself.
  const pid_t child = fork();
  if (child == 0) {
    const std::string variable = "DRAGON_RUN_ID=" + mark;
    const std::string self = "/proc/" + std::to_string(getppid()) + "/exe";
    const std::string script = self + " --test-case='helper:*' --no-skip --minimal >/dev/null";
    const char* argv[] = {"sh", "-c", script.c_str(), nullptr};
    const char* env[] = {"PATH=/usr/bin:/bin", variable.c_str(), "DRAGON_HELPER=1", nullptr};
    execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(env));
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("helper: a process that carries the marker sweeps it and lives [PRC-018]") {
  const char* mark = getenv("DRAGON_RUN_ID");
  if (getenv("DRAGON_HELPER") == nullptr || mark == nullptr) return;
  CHECK(MarkedProcesses(mark).empty());
  CHECK(SweepMarked(mark, 100));
}
