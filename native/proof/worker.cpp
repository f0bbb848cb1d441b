#include "proof/worker.h"

#include <string.h>
#include <unistd.h>

#include "sync/kill_points.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kShortNsMax = 4'000'000;

}  // namespace

Deadline deadline_of(Patience patience, uint32_t number) {
  switch (patience) {
    case Patience::kTry:
      return Deadline::once();
    case Patience::kShort:
      return Deadline::after_ns(uint64_t{number} * 10'007 % kShortNsMax);
    case Patience::kLong:
      break;
  }
  return Deadline::after_ns(kHangNs);
}

Worker::Worker(const Scene& scene, const RunPlan& plan, Records& records, uint32_t process)
    : scene_(scene),
      shapes_(plan.channels),
      plan_(plan.workers[process - 1]),
      records_(records),
      process_(process),
      buffer_(kChannelBlockBytesMax) {}

void Worker::run() {
  if (plan_.fate == Fate::kKilled) kill_points_arm(plan_.point);
  if (plan_.fate == Fate::kStopped || plan_.fate == Fate::kStoppedKilled) {
    stop_points_arm(plan_.point);
  }
  attach();
  for (step_ = 0; step_ < plan_.ops.size(); ++step_) {
    if (const uint64_t point = records_.arm[process_].exchange(0)) kill_points_arm(point);
    step(step_, plan_.ops[step_].patience);
  }
  end();
  records_.points.fetch_add(kill_points_passed());
  ::_exit(0);
}

void Worker::attach() {
  NodeOptions options;
  options.name = "worker";
  options.bell = plan_.has_bell;
  expect(Node::attach(scene_.dir, options, node_), "attach to the node");
  expect(Pool::attach(node_, scene_.handles.pool, kHandleBytes, pool_), "attach to the pool");
  RecordId record = 0;
  if (scene_.payloads != nullptr) {
    expect(Pool::attach(node_, scene_.handles.payloads, kHandleBytes, payloads_),
           "attach to the pool of payloads");
  }
  for (size_t i = 0; i < scene_.channels.size(); ++i) {
    std::unique_ptr<Channel> mine;
    expect(Channel::attach(node_, scene_.handles.channels[i], kHandleBytes, false, record, mine),
           "attach to a channel");
    channels_.push_back(std::move(mine));
  }
  streams_.resize(channels_.size());
  for (const HandleBytes& handle : scene_.handles.locks) {
    expect(LockObject::attach(node_, handle, kHandleBytes, false, record, locks_.emplace_back()),
           "attach to a lock");
  }
  expect(Counter::attach(node_, scene_.handles.counter, kHandleBytes, false, record, counter_),
         "attach to the counter");
  expect(meetings_.attach(node_, scene_.handles), "attach to what is for meeting");
}

void Worker::end() {
  while (!kept_.empty()) free_one({}, Patience::kTry);
  while (!lent_.empty()) end_loan();
  while (!shares_.empty()) end_share();
  if (!plan_.leaves_open) {
    channels_.clear();
    locks_.clear();
    counter_.reset();
    meetings_.close();
    payloads_.reset();
    pool_.reset();
  }
  leave(node_);
}

// In the order of OpKind.
void Worker::step(uint32_t at, Patience patience) {
  using Step = void (Worker::*)(const Op&, Patience);
  static constexpr Step kSteps[kOpKinds] = {&Worker::allocate,      &Worker::free_one,
                                            &Worker::send,          &Worker::send_allocation,
                                            &Worker::receive,       &Worker::peek,
                                            &Worker::poll,          &Worker::lock,
                                            &Worker::count,         &Worker::open_and_close,
                                            &Worker::lend,          &Worker::adopt,
                                            &Worker::own,           &Worker::arm,
                                            &Worker::permit,        &Worker::meet,
                                            &Worker::event,         &Worker::broadcast,
                                            &Worker::condition,     &Worker::send_many,
                                            &Worker::receive_many,  &Worker::send_lent,
                                            &Worker::await_receipt, &Worker::receive_into,
                                            &Worker::pop,           &Worker::watch,
                                            &Worker::stream,        &Worker::read,
                                            &Worker::write,         &Worker::resize,
                                            &Worker::view,          &Worker::queue,
                                            &Worker::send_shares};
  const Op& op = plan_.ops[at];
  (this->*kSteps[static_cast<size_t>(op.kind)])(op, patience);
}

// Does the next operation as a try, unless it takes a lock itself.
void Worker::inside(const Op& op) {
  const auto takes_lock = [](OpKind kind) {
    return kind == OpKind::kLock || kind == OpKind::kRead || kind == OpKind::kWrite;
  };
  if (step_ + 1 < plan_.ops.size() && !takes_lock(plan_.ops[step_ + 1].kind)) {
    ++step_;
    step(step_, Patience::kTry);
  }
  if (op.number % 4 == 0) ::usleep(op.number % 200);
}

void Worker::lock(const Op& op, Patience patience) {
  LockObject& lock = *locks_[op.object % kLocks];
  std::atomic<uint32_t>& guard = records_.guards[op.object % kLocks];
  Status status;
  {
    Noted noted(journal(), EntryKind::kOther, op.kind, step_, op.object, patience, 0);
    status = noted.end(lock.acquire(deadline_of(patience, op.number)));
  }
  if (status != DRAGON_OWNER_DIED) expect(status, "acquire");
  if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) return;
  const uint32_t before = guard.exchange(process_);
  if (before != 0 && status == DRAGON_SUCCESS) fail("two processes hold a lock");
  inside(op);
  uint32_t mine = process_;
  if (!guard.compare_exchange_strong(mine, 0)) fail("somebody else was in the critical section");
  if (lock.release() != DRAGON_SUCCESS) fail("a lock was not its holder's to release");
}

void Worker::count(const Op& op, Patience) {
  uint64_t value = 0;
  expect(counter_->add(op.number, value), "count");
}

void Worker::arm(const Op& op, Patience) {
  RecordId wait = 0;
  Channel& on = channel(op);
  const WaitPlace place = on.place(op.number % 2 == 0 ? PollEvent::kIn : PollEvent::kOut);
  expect(node_->lot().arm(place, WaitKind::kEventLoop, 0, wait), "arm");
  if (op.number % 3 == 0) node_->lot().rearm(place, wait);
  if (node_->lot().cancel(wait)) node_->lot().wake_one(place);
}

void Worker::expect(Status status, const char* what) {
  if (status == DRAGON_SUCCESS || is_not_yet(status)) return;
  const bool may_time_out = status == DRAGON_TIMEOUT;
  if (!may_time_out) fail(fault_of(what, status));
}

void Worker::fail(const std::string& text) {
  const std::string full = "step " + std::to_string(step_) + ": " + text;
  ::strncpy(journal().fault, full.c_str(), sizeof(journal().fault) - 1);
  ::_exit(1);
}

}  // namespace dragon::proof
