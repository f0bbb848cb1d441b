#include "process/warden.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "process/run_directory.h"
#include "process/spawner.h"

namespace dragon::process {
namespace {

// Keys of the event queue; every other key is the tag of a child.
constexpr uint64_t kSocketKey = 0;
constexpr uint64_t kSignalsKey = UINT64_MAX;

constexpr int kEventsPerTurn = 64;
// Orphans that have ended hold nothing but their id, so reaping them may wait a little.
constexpr int kOrphansEveryMs = 50;
constexpr int kSweepEveryMs = 2;
constexpr int kSlowSweepEveryMs = 100;  // what is left then is stuck in the kernel
constexpr int kFlushPatienceMs = 200;

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// What a terminal or an impatient user sends to the whole group must not end the warden.
void ignore_signals() {
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP,
                     SIGTTIN, SIGTTOU}) {
    ::signal(signal, SIG_IGN);
  }
  ::signal(SIGCHLD, SIG_DFL);
}

bool Watch(int epoll, int operation, int fd, uint32_t events, uint64_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

Warden::Warden(UniqueFd socket, WardenOptions options)
    : socket_(std::move(socket)), options_(std::move(options)) {}

bool Warden::prepare() {
  ignore_signals();
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return false;
  signals_.reset(signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  return signals_.valid() && epoll_.valid() &&
         Watch(epoll_.get(), EPOLL_CTL_ADD, socket_.fd(), EPOLLIN, kSocketKey) &&
         Watch(epoll_.get(), EPOLL_CTL_ADD, signals_.get(), EPOLLIN, kSignalsKey);
}

int Warden::run() {
  if (!prepare()) {
    std::perror("dragon-warden: can't start");
    return 1;
  }
  for (;;) {
    turn(wait_ms());
    if (orphans_may_have_ended_ && now_ms() >= next_orphans_ms_) reap_all();
    if (phase_ != Phase::kServing && sweep()) break;
  }
  remove_run_directory(options_.base, options_.name);
  if (!options_.keep_base) remove_empty_base(options_.base);
  tell_halted();
  return 0;
}

int Warden::wait_ms() const {
  if (phase_ != Phase::kServing) return told_halted_ ? kSlowSweepEveryMs : kSweepEveryMs;
  if (!orphans_may_have_ended_) return -1;
  return static_cast<int>(std::max<int64_t>(0, next_orphans_ms_ - now_ms()));
}

void Warden::turn(int wait_ms) {
  epoll_event events[kEventsPerTurn];
  const int count = epoll_wait(epoll_.get(), events, kEventsPerTurn, wait_ms);
  for (int i = 0; i < count; ++i) {
    const uint64_t key = events[i].data.u64;
    if (key == kSocketKey) {
      on_socket();
    } else if (key == kSignalsKey) {
      signalfd_siginfo info;
      while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      }
      orphans_may_have_ended_ = true;
    } else if (const auto found = children_.find(key); found != children_.end()) {
      ExitStatus status;
      if (reap_child(found->second.pid, status)) report_exit(key, status);
    }
  }
  flush();
}

void Warden::on_socket() {
  if (launcher_gone_) return;
  std::vector<Frame> frames;
  auto result = socket_.read(frames);
  for (Frame& frame : frames) {
    if (!handle(frame)) result = FrameSocket::ReadResult::kMalformed;
  }
  if (result == FrameSocket::ReadResult::kOpen) return;
  if (result == FrameSocket::ReadResult::kMalformed) {
    std::fputs("dragon-warden: the launcher sent a malformed frame; the run is ended\n", stderr);
  }
  launcher_gone_ = true;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket_.fd(), nullptr);
  kill();
}

bool Warden::handle(Frame& frame) {
  switch (frame.type) {
    case FrameType::kSpawn:
      return handle_spawn(frame);
    case FrameType::kSignal:
      return handle_signal(frame);
    case FrameType::kHalt:
      return handle_halt(frame);
    case FrameType::kSpawned:
    case FrameType::kExited:
    case FrameType::kHalted:
      break;
  }
  return false;
}

bool Warden::handle_spawn(Frame& frame) {
  SpawnRequest request;
  if (!decode(frame.payload, request)) return false;
  if (request.tag == kSocketKey || request.tag == kSignalsKey || children_.contains(request.tag)) {
    return false;
  }
  if (!frame.descriptors_lost && request.descriptor_count() != frame.descriptors.size()) {
    return false;
  }
  SpawnResult result;
  if (phase_ != Phase::kServing) {
    result.error = ESHUTDOWN;
    result.stage = SpawnStage::kCreate;
  } else if (frame.descriptors_lost) {
    result.error = EMFILE;
    result.stage = SpawnStage::kCreate;
  } else {
    result = spawn(request, frame.descriptors);
  }
  socket_.queue(FrameType::kSpawned,
                encode(SpawnedEvent{request.tag, result.pid, result.error, result.stage}));
  if (result.pid == 0) return true;
  Watch(epoll_.get(), EPOLL_CTL_ADD, result.pidfd.get(), EPOLLIN, request.tag);
  tags_.emplace(result.pid, request.tag);
  children_.emplace(request.tag, Child{result.pid, std::move(result.pidfd)});
  return true;
}

bool Warden::handle_signal(const Frame& frame) {
  SignalRequest request;
  if (!decode(frame.payload, request)) return false;
  // A child that has ended is no error: its exit is on its way to the launcher.
  const auto found = children_.find(request.tag);
  if (found != children_.end()) ::kill(found->second.pid, request.signal);
  return true;
}

bool Warden::handle_halt(const Frame& frame) {
  HaltRequest request;
  if (!decode(frame.payload, request)) return false;
  end_run(static_cast<int>(std::min<uint32_t>(request.grace_ms, 60'000)));
  return true;
}

void Warden::report_exit(uint64_t tag, ExitStatus status) {
  const auto found = children_.find(tag);
  socket_.queue(FrameType::kExited,
                encode(ExitedEvent{tag, found->second.pid, status.code, status.signal}));
  tags_.erase(found->second.pid);
  children_.erase(found);
}

void Warden::reap_all() {
  orphans_may_have_ended_ = false;
  next_orphans_ms_ = now_ms() + kOrphansEveryMs;
  reap_children([this](pid_t pid, ExitStatus status) {
    const auto found = tags_.find(pid);
    if (found != tags_.end()) report_exit(found->second, status);
  });
  flush();
}

// Repeated halts only ever shorten the grace.
void Warden::end_run(int grace_ms) {
  if (phase_ == Phase::kKilling) return;
  if (grace_ms == 0) return kill();
  const int64_t deadline_ms = now_ms() + grace_ms;
  if (phase_ == Phase::kServing) {
    phase_ = Phase::kTerminating;
    phase_deadline_ms_ = deadline_ms;
    signal_tree(SIGTERM);
  }
  phase_deadline_ms_ = std::min(phase_deadline_ms_, deadline_ms);
}

void Warden::kill() {
  if (phase_ == Phase::kKilling) return;
  phase_ = Phase::kKilling;
  phase_deadline_ms_ = now_ms() + options_.patience_ms;
}

bool Warden::sweep() {
  if (phase_ == Phase::kTerminating && now_ms() >= phase_deadline_ms_) kill();
  if (phase_ == Phase::kKilling) signal_tree(SIGKILL);
  reap_all();
  if (!has_children()) return true;
  if (phase_ == Phase::kKilling && now_ms() >= phase_deadline_ms_) tell_halted();
  return false;
}

void Warden::flush() {
  if (launcher_gone_) return;
  // A launcher that is gone is seen as the end of the socket in the next turn.
  socket_.flush();
  if (polling_output_ == socket_.has_output()) return;
  polling_output_ = socket_.has_output();
  const uint32_t events = EPOLLIN | (polling_output_ ? EPOLLOUT : 0U);
  Watch(epoll_.get(), EPOLL_CTL_MOD, socket_.fd(), events, kSocketKey);
}

void Warden::tell_halted() {
  if (told_halted_ || launcher_gone_) return;
  told_halted_ = true;
  HaltedEvent event;
  reap_all();
  event.left = has_children() ? 1 : 0;
  socket_.queue(FrameType::kHalted, encode(event));
  const int64_t deadline_ms = now_ms() + kFlushPatienceMs;
  do {
    flush();
    if (socket_.has_output()) turn(kSweepEveryMs);
  } while (socket_.has_output() && !launcher_gone_ && now_ms() < deadline_ms);
}

}  // namespace dragon::process
