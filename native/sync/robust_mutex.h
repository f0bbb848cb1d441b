// The internal lock of shared structures: robust, 32 bits, no system call when uncontended.
//
// The word holds the actor id of the holder and, in bit 31, whether somebody may sleep on it.
// Waiters spin a little, then sleep in a futex and look every 10 ms whether the holder lives. A
// dead holder's lock is taken over by one compare-and-swap; the new holder gets OWNER_DIED and
// must rebuild what the lock protects from its truth before it goes on. If it dies doing so, the
// next one gets OWNER_DIED again. Model: spec/models/robust_mutex.pml; the labels of its locker are
// named in the comments of lock and unlock.
//
// Goals: critical sections of well under a microsecond, without system calls or copies in them.
// Non-goals: fairness, recursion; locks of users (channel/lock_object.h).
#pragma once

#include "sync/actor.h"
#include "sync/deadline.h"
#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

constexpr uint32_t kLockWaitersBit = 1u << 31;
constexpr uint64_t kLivenessLookNs = 10'000'000;
constexpr uint64_t kHolderPatienceNs = 1'000'000'000;

class RobustMutex {
 public:
  // SUCCESS, OWNER_DIED (held, recover first), or TIMEOUT (not held, the holder is alive). Holders
  // are brief, so a deadline of `once` waits for them: it gives up only if the holder is stopped,
  // or after kHolderPatienceNs.
  Status lock(const Actor& me, Deadline deadline = Deadline::never());
  void unlock();

  // 0 when free.
  ActorId holder() const { return word_.load() & ~kLockWaitersBit; }

 private:
  Status lock_contended(const Actor& me, Deadline deadline);
  bool give_up(const Actor& me, ActorId holder, Deadline deadline, Deadline patience) const;
  Word32 word_;
};
static_assert(sizeof(RobustMutex) == 4);

// Holds a mutex for a scope. `recover` is called first if the previous holder died, or if the word
// `stale` says that somebody changed the truth without the mutex, since its holder was stopped.
class MutexGuard {
 public:
  template <typename Recover>
  MutexGuard(RobustMutex& mutex, const Actor& me, Deadline deadline, Word32& stale,
             Recover&& recover)
      : mutex_(mutex), status_(mutex.lock(me, deadline)) {
    if (status_ == DRAGON_TIMEOUT) return;
    if (status_ == DRAGON_SUCCESS && stale.load() == 0) return;
    stale.exchange(0);  // model: the flag goes before the truth is read
    recover();
    status_ = DRAGON_SUCCESS;
  }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;
  ~MutexGuard() { unlock(); }

  // False when the deadline passed first.
  bool held() const { return status_ == DRAGON_SUCCESS; }
  void unlock() {
    if (held()) mutex_.unlock();
    status_ = DRAGON_STATE;
  }

 private:
  RobustMutex& mutex_;
  Status status_;
};

}  // namespace dragon
