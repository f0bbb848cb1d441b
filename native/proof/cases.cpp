#include "proof/cases.h"

#include "proof/audit.h"
#include "proof/received.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kLengths[] = {20, 400, 64};
static_assert(std::size(kLengths) == kWaiting);

// What a death has left in the channel.
struct Left {
  std::string fault;
  uint32_t watchers = 0;  // messages
  uint32_t victims = 0;
};

// The last messages of the watcher, and perhaps some of the victim's behind them. `lent`: the
// victim's went with it.
Left read_channel(Scene& scene, bool lent) {
  Left left;
  uint32_t next = 0;
  for (;;) {
    uint8_t buffer[kBlockBytesOfCases];
    ReceivedMessage message;
    const Status status = scene.channels[0]->try_receive(buffer, message);
    if (status == DRAGON_EMPTY) break;
    const bool gone = lent && status == DRAGON_OBJECT_DESTROYED;
    if (gone) {
      ++left.victims;
      continue;
    }
    if (status != DRAGON_SUCCESS) {
      left.fault = fault_of("a receive of what was sent", status);
      return left;
    }
    const uint64_t id = id_of(message);
    const bool victims = id == message_id(1, left.victims + 1);
    const bool in_order = left.watchers == 0 || id == message_id(0, next);
    const bool watchers = left.victims == 0 && in_order && sender_of(id) == 0;
    if (!victims && !watchers) left.fault = "another message than was sent";
    if (!is_intact(message)) left.fault = "other bytes than were sent";
    if (!left.fault.empty()) return left;
    ++(victims ? left.victims : left.watchers);
    if (watchers) next = static_cast<uint32_t>(id) + 1;
    Channel::release(message);
  }
  if (left.watchers > 0 && next != kWaiting + 1)
    left.fault = "a message that was sent is not there";
  return left;
}

// The lock knows that its holder died, unless it was not held then.
Verdict judge_lock(Status status, bool locks) {
  if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) {
    return {fault_of("an acquire after the death", status)};
  }
  return {"", (status == DRAGON_OWNER_DIED) == locks};
}

}  // namespace

RunPlan plan_of_cases() {
  RunPlan plan;
  plan.limit_bytes = 64ull << 10;
  plan.channels.push_back({20, kBlockBytesOfCases, 0});
  return plan;
}

std::string fill(Scene& scene) {
  uint8_t content[1'000];
  for (uint32_t i = 0; i < kWaiting; ++i) {
    const uint64_t id = message_id(0, i + 1);
    fill_pattern(content, kLengths[i], id);
    const iovec part{content, kLengths[i]};
    const Status status = scene.channels[0]->try_send(&part, 1, id);
    if (status != DRAGON_SUCCESS) return fault_of("a send", status);
  }
  return "";
}

Verdict judge_left(Scene& scene, Effect effect) {
  Verdict verdict;
  verdict.fault = audit(scene);
  if (!verdict.fault.empty()) return verdict;
  const Left left = read_channel(scene, effect == Effect::kSendsLent);
  verdict.fault = left.fault;
  if (!verdict.fault.empty()) return verdict;
  verdict.happened = true;
  const bool sends = effect == Effect::kSends || effect == Effect::kSendsLent;
  if (sends) verdict.happened = left.victims > 0;
  if (effect == Effect::kReceives) verdict.happened = left.watchers < kWaiting;
  if (effect == Effect::kLocks || effect == Effect::kUnlocks) {
    LockObject& lock = *scene.locks[0];
    const Status status = lock.try_acquire();
    verdict = judge_lock(status, effect == Effect::kLocks);
    if (verdict.fault.empty()) lock.release();
  }
  if (effect == Effect::kWrites || effect == Effect::kEndsWrite) {
    RwLock& lock = *scene.meetings.rw_lock;
    const Status status = lock.try_write();
    verdict = judge_lock(status, effect == Effect::kWrites);
    if (verdict.fault.empty()) lock.end_write();
  }
  if (verdict.fault.empty()) verdict.fault = audit_use(scene);
  return verdict;
}

SteppedCall call_of(const Case& of, const Scene& scene, Victim& victim) {
  return {[&] { of.prepare(scene, victim); }, [&] { of.body(scene, victim); }};
}

}  // namespace dragon::proof
