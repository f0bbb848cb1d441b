// A worker's use of semaphores, barriers, events, broadcasts and conditions.
#include <unistd.h>

#include "proof/worker.h"

namespace dragon::proof {

void Worker::permit(const Op& op, Patience patience) {
  uint64_t before = 0;
  Status status;
  {
    Noted noted(journal(), EntryKind::kTake, op.kind, step_, 0, patience, 0);
    status = noted.end(meetings_.semaphore->acquire(deadline_of(patience, op.number), before));
  }
  expect(status, "take a permit");
  if (status != DRAGON_SUCCESS) return;
  if (op.number % 4 == 0) ::usleep(op.number % 100);
  Noted noted(journal(), EntryKind::kGive, op.kind, step_, 0, patience, 0);
  if (noted.end(meetings_.semaphore->release(1)) != DRAGON_SUCCESS) fail("give a permit back");
}

void Worker::meet(const Op& op) {
  uint32_t index = 0;
  const Status status = meetings_.barrier->wait(deadline_of(Patience::kShort, op.number), index);
  if (status == DRAGON_SUCCESS && index >= kParties) fail("more parties than the barrier has");
  if (status != DRAGON_BARRIER_BROKEN) expect(status, "meet");
  if (status != DRAGON_SUCCESS) expect(meetings_.barrier->reset(), "reset a barrier");
}

void Worker::event(const Op& op) {
  Event& event = *meetings_.event;
  if (op.number % 3 == 0) {
    expect(event.set(), "set an event");
  } else if (op.number % 3 == 1) {
    expect(event.clear(), "clear an event");
  } else {
    expect(event.wait(deadline_of(Patience::kShort, op.number)), "wait for an event");
  }
}

// A round holds bytes of one pattern; how long it is says which.
void Worker::broadcast(const Op& op) {
  Broadcast& broadcast = *meetings_.broadcast;
  uint8_t bytes[kRoundBytes];
  if (op.number % 2 == 0) {
    const uint64_t length = op.number % kRoundBytes;
    fill_pattern(bytes, length, length);
    uint64_t round = 0;
    uint32_t woken = 0;
    expect(broadcast.publish(bytes, length, deadline_of(Patience::kShort, op.number), round, woken),
           "publish");
    return;
  }
  BroadcastRound round;
  const Status status = op.number % 3 == 0
                            ? broadcast.wait(deadline_of(Patience::kShort, op.number), bytes, round)
                            : broadcast.try_read(broadcast.round(), bytes, round);
  expect(status, "read a round");
  if (status == DRAGON_SUCCESS && !has_pattern(bytes, round.bytes, round.bytes)) {
    fail("a round does not have the bytes that were published");
  }
}

void Worker::condition(const Op& op) {
  Condition& condition = *meetings_.condition;
  uint32_t notified = 0;
  if (op.number % 2 == 0) return expect(condition.notify(1, notified), "notify");
  LockObject& lock = *locks_[kLocks];
  const Status held = lock.acquire(deadline_of(Patience::kShort, op.number));
  if (held != DRAGON_OWNER_DIED) expect(held, "acquire for a condition");
  if (held != DRAGON_SUCCESS && held != DRAGON_OWNER_DIED) return;
  expect(condition.wait(lock, deadline_of(Patience::kShort, op.number)), "wait at a condition");
  if (lock.release() != DRAGON_SUCCESS) fail("a condition gave the lock away");
}

}  // namespace dragon::proof
