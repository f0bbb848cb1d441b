#include "proof/stepper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proof/write_traps.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kInstructionsMax = 5'000'000;
constexpr int kHappened = 10;
constexpr int kDidNotHappen = 11;

// What a judge says about its fault, in memory that outlives it.
struct Words {
  char text[300];
};

// Replaces a mapping of this process by a copy that nobody else has.
bool copy_mapping(const Mapping& mapping) {
  const int copy = ::memfd_create("dragon-proof", MFD_CLOEXEC);
  if (copy < 0 || ::ftruncate(copy, static_cast<off_t>(mapping.bytes())) != 0) return false;
  const int fd = mapping.fd();
  for (off_t from = 0; (from = ::lseek(fd, from, SEEK_DATA)) >= 0;) {
    const off_t to = ::lseek(fd, from, SEEK_HOLE);
    const auto bytes = static_cast<size_t>(to - from);
    if (::pwrite(copy, mapping.base() + from, bytes, from) != static_cast<ssize_t>(bytes)) {
      return false;
    }
    from = to;
  }
  void* base = ::mmap(mapping.base(), mapping.bytes(), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED | MAP_NORESERVE, copy, 0);
  if (base != mapping.base() || ::dup2(copy, fd) != fd) return false;
  ::close(copy);
  return true;
}

}  // namespace

void declare_dead(Node& node, pid_t pid) {
  ActorInfo info;
  for (uint32_t slot = 0; node.actors().info(slot, info); ++slot) {
    if (info.pid == pid && info.state == ActorState::kLive) node.actors().mark_dead(info.id);
  }
}

Stepper::Stepper(Scene& scene, StepBy by) : scene_(scene), by_(by) {
  scene.node->get_segment(scene.pool->segment_id(), pool_segment_);
  mappings_[0] = &scene.node->segment().mapping();
  mappings_[1] = &pool_segment_.mapping();
}

Steps Stepper::run(const SteppedCall& call, uint64_t every, const Judge& judge) {
  Steps steps;
  const pid_t pid = ::fork();
  if (pid == 0) run_child(call);
  int status = 0;
  ::waitpid(pid, &status, WUNTRACED);
  if (!WIFSTOPPED(status)) {
    steps.fault = "the preparation ended with status " + std::to_string(status);
    return steps;
  }
  seen_.clear();
  uint64_t changes = 0;
  bool more = true;
  bool judged = false;
  while (more && steps.fault.empty()) {
    if (memory_changed()) {
      judged = changes++ % every == 0;
      if (judged) judge_copy(pid, judge, steps);
    }
    more = by_ == StepBy::kWrites ? step_to_write(pid, steps) : step(pid, steps);
  }
  const bool last_is_new = memory_changed() || !judged;
  if (steps.fault.empty() && last_is_new) judge_copy(pid, judge, steps);
  if (steps.fault.empty() && !happened_) steps.fault = "the call ended and had not taken place";
  if (!steps.fault.empty()) {
    steps.fault = "after instruction " + std::to_string(steps.instructions) + ": " + steps.fault;
  }
  if (!ended_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  return steps;
}

void Stepper::run_child(const SteppedCall& call) const {
  call.prepare();
  if (by_ == StepBy::kInstructions) ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  if (by_ == StepBy::kWrites && !trap_writes(mappings_)) ::_exit(4);
  call.body();
  if (by_ == StepBy::kInstructions) ::raise(SIGSTOP);
  ::_exit(0);
}

// On to the next write; false at the end of the call, which is the process's.
bool Stepper::step_to_write(pid_t pid, Steps& steps) {
  ++steps.instructions;
  int status = 0;
  ::kill(pid, SIGCONT);
  ::waitpid(pid, &status, WUNTRACED);
  if (WIFSTOPPED(status)) return true;
  ended_ = true;
  if (status != 0) steps.fault = "the process ended with status " + std::to_string(status);
  return false;
}

// One instruction; false at the end of the call. While a system call of the process waits for the
// broker, that is served.
bool Stepper::step(pid_t pid, Steps& steps) {
  if (++steps.instructions > kInstructionsMax) {
    steps.fault = "the call does not end";
    return false;
  }
  ::ptrace(PTRACE_SINGLESTEP, pid, nullptr, nullptr);
  int status = 0;
  pid_t stopped = 0;
  for (uint64_t looks = 0; stopped == 0; ++looks) {
    stopped = ::waitpid(pid, &status, WNOHANG);
    if (looks > 100) scene_.serve();
  }
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) return true;
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) return false;
  steps.fault = "the process ended with status " + std::to_string(status);
  return false;
}

// The parts of the segments that anything was written to so far.
std::vector<Stepper::Range> Stepper::committed_ranges() const {
  std::vector<Range> ranges;
  for (const Mapping* mapping : mappings_) {
    for (off_t from = 0; (from = ::lseek(mapping->fd(), from, SEEK_DATA)) >= 0;) {
      const off_t to = ::lseek(mapping->fd(), from, SEEK_HOLE);
      ranges.push_back({mapping->base() + from, static_cast<uint64_t>(to - from)});
      from = to;
    }
  }
  return ranges;
}

bool Stepper::memory_changed() {
  const std::vector<Range> ranges = committed_ranges();
  uint64_t total = 0;
  for (const Range& range : ranges) total += range.bytes;
  bool changed = total != seen_.size();
  uint64_t at = 0;
  for (const Range& range : ranges) {
    changed = changed || ::memcmp(seen_.data() + at, range.from, range.bytes) != 0;
    at += range.bytes;
  }
  if (!changed) return false;
  seen_.clear();
  for (const Range& range : ranges) seen_.insert(seen_.end(), range.from, range.from + range.bytes);
  return true;
}

bool Stepper::copy_memory() {
  return copy_mapping(*mappings_[0]) && copy_mapping(*mappings_[1]);
}

// A call takes place at one instruction: what was seen once is seen ever after.
void Stepper::judge_copy(pid_t pid, const Judge& judge, Steps& steps) {
  ++steps.states;
  void* memory =
      ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* words = static_cast<Words*>(memory);
  const pid_t judging = ::fork();
  if (judging == 0) {
    if (!copy_memory()) ::_exit(2);
    declare_dead(*scene_.node, pid);
    const Verdict verdict = judge(pid);
    ::strncpy(words->text, verdict.fault.c_str(), sizeof(words->text) - 1);
    ::_exit(!verdict.fault.empty() ? 3 : verdict.happened ? kHappened : kDidNotHappen);
  }
  int status = 0;
  ::waitpid(judging, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == kDidNotHappen && happened_) {
    steps.fault = "what had taken place has not taken place any more";
  } else if (code != kHappened && code != kDidNotHappen) {
    steps.fault = words->text[0] != '\0' ? words->text
                                         : "the judge ended with status " + std::to_string(status);
  }
  happened_ = code == kHappened;
  ::munmap(memory, sizeof(Words));
}

}  // namespace dragon::proof
