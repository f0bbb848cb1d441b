#include "sync/robust_mutex.h"

#include "sync/futex.h"

namespace dragon {

Status RobustMutex::lock(const Actor& me, Deadline deadline) {
  if (word_.replace(0, me.id)) return DRAGON_SUCCESS;
  return lock_contended(me, deadline);
}

Status RobustMutex::lock_contended(const Actor& me, Deadline deadline) {
  for (uint32_t round = spin_rounds(); round > 0; --round) {
    spin_pause();
    if (word_.load(std::memory_order_relaxed) == 0 && word_.replace(0, me.id)) {
      return DRAGON_SUCCESS;
    }
  }
  const Deadline patience = deadline.is_once() ? Deadline::after_ns(kHolderPatienceNs) : deadline;
  for (;;) {
    uint32_t found = word_.load();  // model: contended
    if (found == 0) {
      // With the bit set: this actor can't know whether others sleep.
      if (word_.replace(0, me.id | kLockWaitersBit)) return DRAGON_SUCCESS;
      continue;
    }
    const ActorId holder = found & ~kLockWaitersBit;
    bool holder_lives = me.table->alive(holder);
    if (holder_lives) {
      if ((found & kLockWaitersBit) == 0 && !word_.cas(found, found | kLockWaitersBit)) continue;
      const Deadline look = patience.earlier(Deadline::after_ns(kLivenessLookNs));
      if (futex_wait(word_, holder | kLockWaitersBit, look)) continue;
      holder_lives = me.table->probe(holder);
      found = holder | kLockWaitersBit;
    }
    if (!holder_lives) {
      // Model: take_over.
      if (word_.replace(found, me.id | kLockWaitersBit)) return DRAGON_OWNER_DIED;
      continue;
    }
    if (give_up(me, holder, deadline, patience)) return DRAGON_TIMEOUT;
  }
}

// A holder that was only preempted is worth waiting for, also for those who try once.
bool RobustMutex::give_up(const Actor& me, ActorId holder, Deadline deadline,
                          Deadline patience) const {
  return patience.passed() || (deadline.is_once() && me.table->stopped(holder));
}

void RobustMutex::unlock() {
  if ((word_.exchange(0) & kLockWaitersBit) != 0) futex_wake(word_, 1);
}

}  // namespace dragon
