#include "proof/worker.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "sync/kill_points.h"

namespace dragon::proof {

namespace {

constexpr size_t kKeptMax = 4;
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
  for (size_t i = 0; i < scene_.channels.size(); ++i) {
    expect(Channel::attach(node_, scene_.handles.channels[i], kHandleBytes, false, record,
                           channels_.emplace_back()),
           "attach to a channel");
  }
  for (const HandleBytes& handle : scene_.handles.locks) {
    expect(LockObject::attach(node_, handle, kHandleBytes, false, record, locks_.emplace_back()),
           "attach to a lock");
  }
  expect(Counter::attach(node_, scene_.handles.counter, kHandleBytes, false, record, counter_),
         "attach to the counter");
  expect(meetings_.attach(node_, scene_.handles), "attach to what is for meeting");
}

void Worker::end() {
  while (!kept_.empty()) free_one({});
  if (!plan_.leaves_open) {
    channels_.clear();
    locks_.clear();
    counter_.reset();
    meetings_.close();
    pool_.reset();
  }
  leave(node_);
}

void Worker::step(uint32_t at, Patience patience) {
  const Op& op = plan_.ops[at];
  switch (op.kind) {
    case OpKind::kAllocate:
      return allocate(op, patience);
    case OpKind::kFree:
      return free_one(op);
    case OpKind::kSend:
      return send(op, patience);
    case OpKind::kSendAllocation:
      return send_allocation(op, patience);
    case OpKind::kReceive:
      return receive(op, patience);
    case OpKind::kPeek:
      return peek(op);
    case OpKind::kPoll:
      return poll(op, patience);
    case OpKind::kLock:
      return lock(op, patience);
    case OpKind::kCount:
      return count(op);
    case OpKind::kHandle:
      return open_and_close(op);
    case OpKind::kLend:
      return lend(op);
    case OpKind::kAdopt:
      return adopt(op);
    case OpKind::kOwn:
      return own(op);
    case OpKind::kArm:
      return arm(op);
    case OpKind::kPermit:
      return permit(op, patience);
    case OpKind::kMeet:
      return meet(op);
    case OpKind::kEvent:
      return event(op);
    case OpKind::kBroadcast:
      return broadcast(op);
    case OpKind::kCondition:
      return condition(op);
  }
}

void Worker::allocate(const Op& op, Patience patience) {
  if (kept_.size() == kKeptMax) return free_one(op);
  // Nobody could help one that waits for ever: what is kept is given back by its owner only.
  const Patience brief = patience == Patience::kLong ? Patience::kShort : patience;
  Kept kept;
  const Status status = pool_->allocate(op.number + 1, AllocationType::kData,
                                        deadline_of(brief, op.number), kept.allocation);
  expect(status, "allocate");
  if (status != DRAGON_SUCCESS) return;
  kept.stamp = message_id(process_ + kProcesses, static_cast<uint32_t>(++stamps_));
  fill_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp);
  kept_.push_back(kept);
}

void Worker::free_one(const Op& op) {
  if (kept_.empty()) return;
  const size_t which = op.number % kept_.size();
  const Kept kept = kept_[which];
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(which));
  if (!has_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp)) {
    fail("somebody wrote into an allocation of this process");
  }
  if (pool_->free(kept.allocation.id) != DRAGON_SUCCESS) {
    fail("somebody freed an allocation of this process");
  }
}

uint64_t Worker::next_message() {
  return message_id(process_, journal().next_message.fetch_add(1) + 1);
}

void Worker::send(const Op& op, Patience patience) {
  const uint64_t id = next_message();
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  // In two parts, so that the gathering is used too.
  const iovec parts[] = {{bytes.data(), bytes.size() / 3},
                         {bytes.data() + bytes.size() / 3, bytes.size() - bytes.size() / 3}};
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  expect(noted.end(channel(op).send(parts, 2, id, deadline_of(patience, op.number))), "send");
}

void Worker::send_allocation(const Op& op, Patience patience) {
  Allocation payload;
  const Status made = pool_->try_allocate(op.number + 1, AllocationType::kData, payload);
  expect(made, "allocate a payload");
  if (made != DRAGON_SUCCESS) return;
  const uint64_t id = next_message();
  fill_pattern(payload.data, payload.bytes, id);
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  const Status sent =
      noted.end(channel(op).send_allocation(payload.id, id, deadline_of(patience, op.number)));
  expect(sent, "send an allocation");
  if (sent != DRAGON_SUCCESS && pool_->free(payload.id) != DRAGON_SUCCESS) {
    fail("a payload that was not sent is not its sender's");
  }
}

void Worker::check(const ReceivedMessage& message) {
  if (!has_pattern(message.data, message.bytes, message.hints)) {
    fail("a message does not have the bytes that were sent");
  }
}

void Worker::receive(const Op& op, Patience patience) {
  ReceivedMessage message;
  Noted noted(journal(), EntryKind::kReceive, op.kind, step_, op.object, patience, 0);
  const Status status =
      patience == Patience::kTry
          ? channel(op).try_receive(buffer_.data(), message)
          : channel(op).receive(buffer_.data(), deadline_of(patience, op.number), message);
  if (status == DRAGON_SUCCESS) noted.message(message.hints);
  expect(noted.end(status), "receive");
  if (status != DRAGON_SUCCESS) return;
  check(message);
  if (message.allocation != 0 && pool_->free(message.allocation) != DRAGON_SUCCESS) {
    fail("a payload that was received is not its receiver's");
  }
}

void Worker::peek(const Op& op) {
  ReceivedMessage message;
  const Status status = channel(op).try_peek(buffer_.data(), buffer_.size(), message);
  // The next message may be taken, and its payload freed, while it is looked at.
  if (status == DRAGON_BUFFER_TOO_SHORT || status == DRAGON_OBJECT_DESTROYED) return;
  expect(status, "peek");
  if (status == DRAGON_SUCCESS) check(message);
}

void Worker::poll(const Op& op, Patience patience) {
  const auto event = static_cast<PollEvent>(op.number % 5);
  const Patience brief = patience == Patience::kLong ? Patience::kShort : patience;
  expect(channel(op).poll(event, deadline_of(brief, op.number)), "poll");
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
  const bool next_is_simple =
      step_ + 1 < plan_.ops.size() && plan_.ops[step_ + 1].kind != OpKind::kLock;
  if (next_is_simple) {
    ++step_;
    step(step_, Patience::kTry);
  }
  if (op.number % 4 == 0) ::usleep(op.number % 200);
  uint32_t mine = process_;
  if (!guard.compare_exchange_strong(mine, 0)) fail("somebody else was in the critical section");
  if (lock.release() != DRAGON_SUCCESS) fail("a lock was not its holder's to release");
}

void Worker::count(const Op& op) {
  uint64_t value = 0;
  expect(counter_->add(op.number, value), "count");
}

void Worker::open_and_close(const Op& op) {
  RecordId record = 0;
  const Role role = op.number % 2 == 0 ? Role::kSender : Role::kReceiver;
  expect(channel(op).open_handle(role, record), "open a handle");
  channel(op).close_handle(record);
}

void Worker::lend(const Op& op) {
  HandleBytes lent;
  const Role role = op.number % 2 == 0 ? Role::kSender : Role::kReceiver;
  expect(channel(op).lend(role, lent), "lend");
  Mailbox& box = records_.mailboxes[op.number % kMailboxes];
  uint32_t empty = 0;
  if (box.state.compare_exchange_strong(empty, 1)) {
    ::memcpy(box.handle, lent, sizeof(lent));
    box.state.store(2);
  } else if (!channel(op).cancel_lent(lent, kHandleBytes)) {
    fail("a lent handle that nobody saw was adopted");
  }
}

void Worker::adopt(const Op& op) {
  Mailbox& box = records_.mailboxes[op.number % kMailboxes];
  uint32_t full = 2;
  if (!box.state.compare_exchange_strong(full, 1)) return;
  HandleBytes lent;
  ::memcpy(lent, box.handle, sizeof(lent));
  box.state.store(0);
  std::unique_ptr<Channel> adopted;
  RecordId record = 0;
  const Status status = Channel::attach(node_, lent, kHandleBytes, true, record, adopted);
  // Its lender may have died, or left.
  if (status != DRAGON_OBJECT_DESTROYED) expect(status, "adopt");
}

void Worker::own(const Op& op) {
  std::unique_ptr<Channel> mine;
  ChannelOptions shape;
  shape.capacity = 1 + op.number % 12;
  Status status = Channel::create(pool_, shape, mine);
  expect(status, "create a channel");
  if (status != DRAGON_SUCCESS) return;
  const uint64_t id = message_id(process_, 0);
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  const iovec part{bytes.data(), bytes.size()};
  for (uint32_t i = 0; i <= op.number % 16; ++i) {
    expect(mine->try_send(&part, 1, id), "send to an own channel");
  }
  HandleBytes lent;
  status = mine->lend(Role::kReceiver, lent);
  expect(status, "lend an own channel");
  ReceivedMessage message;
  status = mine->try_receive(buffer_.data(), message);
  expect(status, "receive from an own channel");
  if (status == DRAGON_SUCCESS) check(message);
  std::unique_ptr<LockObject> lock;
  if (LockObject::create(pool_, true, lock) == DRAGON_SUCCESS) lock->try_acquire();
  if (op.number % 3 == 0) mine->destroy();
  // Else the channel would stay with all its messages until this process leaves.
  mine->cancel_lent(lent, kHandleBytes);
}

void Worker::arm(const Op& op) {
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
