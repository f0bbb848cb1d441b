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
pid_t start(const std::string& script, const std::string& mark = "") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const std::string variable = "DRAGON_RUN_ID=" + mark;
  const pid_t pid = fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    const std::string line = script;
    const char* argv[] = {"sh", "-c", line.c_str(), nullptr};
    const char* env[] = {"PATH=/usr/bin:/bin", variable.c_str(), nullptr};
    ::execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(env));
    ::_exit(127);
  }
  ::close(ends[1]);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == 1);
  ::close(ends[0]);
  return pid;
}

std::string unique_mark() {
  static int count = 0;
  return "r" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

bool alive(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat && stat->state != 'Z';
}

}  // namespace

TEST_CASE("identity is read from a process whose name has parentheses and spaces [PRC-019]") {
  ::prctl(PR_SET_NAME, "a ) (b");
  const auto self = read_stat(getpid());
  REQUIRE(self);
  CHECK(self->pid == getpid());
  CHECK(self->parent == getppid());
  CHECK(self->group == getpgrp());
  CHECK(self->state == 'R');
  CHECK(self->command == "a ) (b");
  CHECK(self->start_time > 0);
  const pid_t later = start("echo; sleep 30");
  const auto child = read_stat(later);
  REQUIRE(child);
  CHECK(child->start_time >= self->start_time);
  CHECK(sweep_children(2000));
  CHECK_FALSE(read_stat(later));
}

TEST_CASE("a sweep ends children, grandchildren, orphans, sessions and stopped ones [PRC-014]") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  start("sleep 30 & (sleep 30 & sleep 30 &) & echo; sleep 30");
  start("setsid sleep 30 & (setsid sh -c 'sleep 30 & sleep 30' &); echo; exit 0");
  const pid_t stopped = start("echo; kill -STOP $$; sleep 30");
  const pid_t deaf = start("trap '' TERM INT HUP; echo; sleep 30; sleep 30");
  CHECK(has_children());
  CHECK(sweep_children(2000));
  CHECK_FALSE(has_children());
  CHECK(children_of(getpid()).empty());
  CHECK_FALSE(alive(stopped));
  CHECK_FALSE(alive(deaf));
}

TEST_CASE("a program that forks and leaves without end is caught [PRC-014]") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Each generation starts the next one and exits, so every process id lives a millisecond.
  start("f() { (f &) ; exit; }; echo; f");
  usleep(20'000);
  CHECK(sweep_children(5000));
  CHECK_FALSE(has_children());
}

TEST_CASE("a signal other than SIGKILL reaches the tree, stopped processes too [PRC-013]") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  start("sh -c 'trap \"exit 3\" TERM; echo; kill -STOP $$; sleep 30 & wait'; sleep 30");
  CHECK(signal_tree(SIGTERM) >= 2);
  for (int i = 0; i < 2000 && has_children(); ++i) {
    usleep(1000);
    reap_children([](pid_t, ExitStatus) {});
    signal_tree(SIGTERM);
  }
  CHECK_FALSE(has_children());
}

TEST_CASE("children are reaped one by one with how they ended [PRC-007]") {
  const pid_t coded = start("echo; exit 9");
  const pid_t killed = start("echo; kill -SEGV $$; sleep 30");
  int seen = 0;
  for (int i = 0; i < 2000 && seen < 2; ++i) {
    usleep(1000);
    reap_children([&](pid_t pid, ExitStatus status) {
      ++seen;
      if (pid == coded) CHECK(status.code == 9);
      if (pid == killed) CHECK(status.signal == SIGSEGV);
    });
  }
  CHECK(seen == 2);
}

TEST_CASE("processes of a run are found by the marker that they inherited [PRC-018]") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::string mark = unique_mark();
  const std::string other = unique_mark();
  const pid_t direct = start("echo; sleep 30 & wait", mark);
  start("setsid sleep 30 & echo; exit 0", mark);  // leaves an orphan
  const pid_t stranger = start("echo; sleep 30", other);
  const pid_t prefix = start("echo; sleep 30", mark + "0");
  for (int i = 0; i < 2000 && marked_processes(mark).size() != 3; ++i) usleep(1000);
  CHECK(marked_processes(mark).size() == 3);
  CHECK(started_with(direct, "DRAGON_RUN_ID") == mark);
  CHECK_FALSE(started_with(direct, "RUN_ID"));
  CHECK(sweep_marked(mark, 2000));
  CHECK_FALSE(alive(direct));
  CHECK(alive(stranger));
  CHECK(alive(prefix));
  CHECK(sweep_children(2000));
}

TEST_CASE("a search by marker leaves out the searcher and its ancestors [PRC-018]") {
  const std::string mark = unique_mark();
  // The shell carries the mark, and so does the test that it runs below itself.
  const pid_t child = fork();
  if (child == 0) {
    const std::string variable = "DRAGON_RUN_ID=" + mark;
    const std::string self = "/proc/" + std::to_string(getppid()) + "/exe";
    const std::string script = self + " --test-case='helper:*' --no-skip --minimal >/dev/null";
    const char* argv[] = {"sh", "-c", script.c_str(), nullptr};
    const char* env[] = {"PATH=/usr/bin:/bin", variable.c_str(), "DRAGON_HELPER=1", nullptr};
    ::execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(env));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("helper: a process that carries the marker sweeps it and lives [PRC-018]") {
  const char* mark = getenv("DRAGON_RUN_ID");
  if (getenv("DRAGON_HELPER") == nullptr || mark == nullptr) return;
  CHECK(marked_processes(mark).empty());
  CHECK(sweep_marked(mark, 100));
}
