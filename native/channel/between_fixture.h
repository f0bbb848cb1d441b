// For tests: what others do in the middle of a call.
//
// The call is made in a process of its own, which stops on the way; there the others act, and then
// the call goes on to its end. So a window of one instruction is met each time, and not once in a
// million rounds of threads. A call that changes shared memory is stopped before each change; one
// that only looks, which has no such points, is taken there by single steps (ptrace).
#pragma once

#include <signal.h>
#include <sys/ptrace.h>

#include <cstdlib>
#include <string>

#include "channel/channel_fixture.h"
#include "sync/kill_points.h"

namespace dragon::test {

class StoppedCall {
 public:
  // `prepare` runs in the new process and returns the call; neither may wait for anybody. The call
  // stops before change number `change`, counted from 1.
  template <typename Prepare>
  StoppedCall(uint64_t change, Prepare prepare) {
    pid_ = fork_child([&] {
      auto call = prepare();
      stop_points_arm(change);
      call();
    });
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
    has_ended_ = !WIFSTOPPED(status);
    if (has_ended_) REQUIRE(status == 0);
  }
  StoppedCall(const StoppedCall&) = delete;
  StoppedCall& operator=(const StoppedCall&) = delete;

  // Whether the call has not ended before that.
  bool stopped() const { return !has_ended_; }

  // To the end of the call and of its process; the pid, for the reclamation.
  pid_t finish() {
    if (has_ended_) return pid_;
    ::kill(pid_, SIGCONT);
    REQUIRE(wait_for(pid_) == 0);
    return pid_;
  }

 private:
  pid_t pid_ = 0;
  bool has_ended_ = false;
};

class SteppedCall {
 public:
  // As above.
  template <typename Prepare>
  explicit SteppedCall(Prepare prepare) {
    pid_ = fork_child([&] {
      auto call = prepare();
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise(SIGSTOP);
      call();
      ::raise(SIGSTOP);
    });
    REQUIRE(stopped_by() == SIGSTOP);
  }
  SteppedCall(const SteppedCall&) = delete;
  SteppedCall& operator=(const SteppedCall&) = delete;

  // On by as many instructions; false if the call has ended.
  bool step(uint64_t instructions) {
    for (; instructions > 0 && !ended_; --instructions) {
      ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr);
      ended_ = stopped_by() == SIGSTOP;
    }
    return !ended_;
  }

  // To the end of the call and of its process; the pid, for the reclamation.
  pid_t finish() {
    if (!ended_) {
      ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);
      REQUIRE(stopped_by() == SIGSTOP);
    }
    ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
    REQUIRE(wait_for(pid_) == 0);
    return pid_;
  }

 private:
  int stopped_by() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    if (!WIFSTOPPED(status)) FAIL("the process ended with ", status);
    return WSTOPSIG(status);
  }

  pid_t pid_ = 0;
  bool ended_ = false;
};

// Calls `round` with 1, 2, 3 and so on until it returns what `stopped` does: false.
template <typename Round>
void at_every_change(Round round) {
  bool more = true;
  for (uint64_t at = 1; more; ++at) {
    CAPTURE(at);
    more = round(at);
  }
}

// The same with numbers of instructions from 0 on and what `step` returns. With
// DRAGON_TEST_SIZE=full it is each of them, else every `stride`th.
template <typename Round>
void at_every_instruction(uint64_t stride, Round round) {
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  const bool is_full = size != nullptr && std::string(size) == "full";
  const uint64_t by = is_full ? 1 : stride;
  bool more = true;
  for (uint64_t at = now_ns() % by; more; at += by) {
    CAPTURE(at);
    more = round(at);
  }
}

}  // namespace dragon::test
