#include "channel/lock_object.h"

#include <algorithm>

#include "channel/hand_over.h"

namespace dragon {

namespace {

ActorId holder_of(uint64_t state) {
  return static_cast<ActorId>(state & kLockHolderMask);
}

uint32_t number_of(uint64_t state) {
  return static_cast<uint32_t>(state >> 32);
}

}  // namespace

Status LockObject::create(const std::shared_ptr<Pool>& pool, bool robust,
                          std::unique_ptr<LockObject>& out) {
  std::unique_ptr<LockObject> lock(new LockObject());
  Status status = lock->begin_create(pool, HandleKind::kLock, sizeof(LockHeader));
  if (status != DRAGON_SUCCESS) return status;
  lock->shared().flags.store(robust ? kLockRobust : 0);
  lock->shared().state.store(kLockNew);
  status = lock->end_create();
  if (status != DRAGON_SUCCESS) return status;
  lock->remember();
  out = std::move(lock);
  return DRAGON_SUCCESS;
}

Status LockObject::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                          bool adopt, RecordId& adopted, std::unique_ptr<LockObject>& out) {
  std::unique_ptr<LockObject> lock(new LockObject());
  const Status status = lock->attach_to(node, HandleKind::kLock, handle, length, adopt, adopted);
  if (status != DRAGON_SUCCESS) return status;
  lock->remember();
  out = std::move(lock);
  return DRAGON_SUCCESS;
}

void LockObject::remember() {
  node_ = &node();
  pool_destroyed_ = &pool().header()->destroyed;
  me_ = node().me().id;
}

Status LockObject::acquire_once(bool probe_holder, bool behind_others) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  LockHeader& header = shared();
  const bool robust = (header.flags.load() & kLockRobust) != 0;
  uint64_t found = header.state.load();
  for (;;) {
    const ActorId holder = holder_of(found);
    uint64_t died = found & kLockDiedBit;
    uint64_t number = found & kLockSequenceMask;
    if (holder == 0) {
      const ActorId mine = behind_others ? 0 : me_;
      if (kept_for_another(header.kept.load(), mine, number_of(found))) return DRAGON_WOULD_BLOCK;
    } else {
      const bool lives =
          probe_holder ? node().actors().probe(holder) : node().actors().alive(holder);
      if (lives || !robust) return DRAGON_WOULD_BLOCK;
      died = kLockDiedBit;
      number += kLockSequenceOne;
    }
    const uint64_t mine = number | died | me_;
    if (!header.state.cas(found, mine)) continue;
    if (header.kept.load() != 0) header.kept.store(0);
    return died != 0 ? DRAGON_OWNER_DIED : DRAGON_SUCCESS;
  }
}

Status LockObject::acquire_until(Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  // A holder is looked at in the kernel once it has not changed for a while.
  uint64_t seen = 0;
  uint64_t since_ns = 0;
  const auto attempt = [&](SleepSteps& steps) {
    const uint64_t state = closed() ? 0 : shared().state.load();
    const bool held = holder_of(state) != 0;
    const uint64_t now = held ? now_ns() : 0;
    if (state != seen) since_ns = now;
    seen = state;
    // Free and yet not to be had: nobody rings when the time that it is kept for another is over.
    steps.next_ns = std::min(steps.next_ns, held ? kHeldSleepNsMax : kHandOverNs);
    return try_acquire(now - since_ns >= kLivenessLookNs && now != 0);
  };
  return wait_until(node().lot(), place(), deadline, true, attempt);
}

Status LockObject::release_once(const uint32_t* sequence) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  LockHeader& header = shared();
  uint64_t found = header.state.load();
  do {
    if (holder_of(found) == 0) return DRAGON_NOT_OWNER;
    if (sequence != nullptr && number_of(found) != *sequence) return DRAGON_NOT_OWNER;
    // Before the lock is free, so that nobody slips in.
    keep_for_first(node().lot(), place(), header.kept, number_of(found) + 1);
  } while (!header.state.cas_seq(found, released(found)));
  if (!nobody_waits()) wake_first();
  return DRAGON_SUCCESS;
}

Status LockObject::wake() {
  const Status status = usable();
  if (status == DRAGON_SUCCESS && !nobody_waits()) wake_first();
  return status;
}

void LockObject::wake_first() {
  node().lot().wake_one(place());
}

ActorId LockObject::holder() const {
  return closed() ? 0 : holder_of(shared().state.load());
}

bool LockObject::locked() const {
  const ActorId held_by = holder();
  if (held_by == 0) return false;
  return (shared().flags.load() & kLockRobust) == 0 || node().actors().alive(held_by);
}

bool LockObject::owner_died() const {
  const uint64_t state = closed() ? 0 : shared().state.load();
  return holder_of(state) != 0 && (state & kLockDiedBit) != 0;
}

uint32_t LockObject::sequence() const {
  if (closed()) return 0;
  const uint64_t state = shared().state.load();
  return holder_of(state) == 0 ? number_of(state) - 1 : number_of(state);
}

bool LockObject::give_back(const AllocationInfo& object, ActorId dead) {
  auto& header = *reinterpret_cast<LockHeader*>(object.allocation.data);
  if ((header.flags.load() & kLockRobust) == 0) return false;
  uint64_t found = header.state.load();
  if (holder_of(found) != dead) return false;
  return header.state.cas(found, released(found) | kLockDiedBit);
}

}  // namespace dragon
