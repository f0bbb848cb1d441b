// The parking lot: the one way to wait.
//
// Waiters stand in queues named by a key (an object's lane). A blocked thread sleeps on its
// record's futex word; a waiter of an event loop has its actor's bell rung. Both stand in the same
// queue, ordered by ticket. Truth is the state word of each record; the queues are indexes, which
// are rebuilt when somebody died while changing them.
//
// A wake is permission to look, never ownership. Spurious wakes are legal. A waiter that got a
// wake and did not use it (it timed out, was aborted, only polled) passes it on by waking the next.
//
// No wake is lost between two that live:
//   waiter: arm (sets the lane's bit in the object's hint word), look at the object, sleep;
//   waker:  change the object, read the hint word by a read-modify-write (or by `load_seq`, if the
//           change was a `cas_seq`), wake if the bit is set.
// Nobody waits for a bucket whose holder is stopped: a wake is then left to the
// waiter's own look, and a record that can't be taken out is abandoned to whoever comes next.
// All changes of the hint word are read-modify-writes, and `arm` ends with a fence, so if the waker
// did not see the bit, the waiter's look sees the waker's change. A wake lost with a process that
// died or was stopped is found by the waiter itself: `block` returns after 10 ms, then at doubling
// distances up to 16 s: no later than as long again as it has waited. That is rare enough to cost
// nothing, and late only for wakes of processes that died without services, or are stopped.
//
// The protocol's model is spec/models/parking.pml, which calls its steps as the functions here.
#pragma once

#include <sched.h>

#include <type_traits>

#include "sync/actor.h"
#include "sync/bell.h"
#include "sync/deadline.h"
#include "sync/node_segment.h"
#include "sync/record.h"
#include "sync/spin.h"
#include "sync/yield_look.h"

namespace dragon {

// Where one can wait: a queue, and the bit of the object's hint word that says somebody may stand
// in it.
struct WaitPlace {
  uint64_t key = 0;
  Word32* hint = nullptr;
  uint32_t bit = 0;
};

// How a blocked thread waits.
enum class WaitMode { kAdaptive, kSpin, kIdle };

// kBlockedOnBell: a thread that waits in several queues at once, and so sleeps on its actor's bell.
enum class WaitKind : uint32_t { kBlocked = 1, kEventLoop = 2, kBlockedOnBell = 3 };

enum class WaitState : uint32_t {
  kIdle = 0,
  kArmed = 1,      // in the queue
  kSleeping = 2,   // in the queue and asleep in the futex
  kWoken = 3,      // out of the queue
  kAbandoned = 4,  // still in the queue, given up by its owner; whoever finds it frees it
};

// WaitMode::kSpin lets others run now and then, for it never sleeps.
constexpr uint32_t kLooksPerYield = 128;

constexpr uint64_t kSleepStepNsMax = 16'000'000'000;
// Who waits for what another process holds sleeps no longer than this: the holder may be dead or
// stopped, or the turn of one who does not come may be over, and then nobody wakes.
constexpr uint64_t kHeldSleepNsMax = 1'000'000'000;

// What `block` remembers from sleep to sleep of one wait.
struct SleepSteps {
  uint64_t next_ns = 10'000'000;
};

struct WaitInfo {
  ActorId actor = 0;
  uint64_t key = 0;
  uint64_t since_ns = 0;  // on the monotonic clock
  WaitKind kind = WaitKind::kBlocked;
};

// One actor's view of the lot. Used by the actor's thread only.
class ParkingLot {
 public:
  ParkingLot(NodeSegment& segment, ActorTable& actors, const Actor& me, Bell& bell);

  // A number for waiters that have their own order; all of one queue have such a ticket, or none.
  uint64_t new_ticket() { return segment_.header().next_ticket.fetch_add(1); }

  // Puts this actor into a queue, at the place that its ticket gives it; 0 is the end, for which
  // the ticket is the time. A waiter that arms again keeps its ticket. If the queue can't be
  // entered now, since its holder is stopped, the record begins as woken: look, then rearm.
  Status arm(const WaitPlace& place, WaitKind kind, uint64_t ticket, RecordId& out);
  // Puts a woken record back into its queue at its old place; nothing if it still stands there.
  void rearm(const WaitPlace& place, RecordId id);
  bool woken(RecordId id) const;
  // Gives the record up. True if a wake had reached it: pass it on unless it was used.
  bool cancel(RecordId id);
  // Sleeps until woken (SUCCESS), the deadline (TIMEOUT), or a step has passed (WOULD_BLOCK: look
  // again by yourself). kBlocked records only.
  Status block(RecordId id, Deadline deadline, SleepSteps& steps);

  // The bits of the lanes in which somebody may wait; called after the change was published.
  static uint32_t waiters(Word32& hint) { return hint.load_ordered(); }
  // The same for a change that was made by `cas_seq`: a mere load.
  static uint32_t waiters_seq(const Word32& hint) { return hint.load_seq(); }
  // Wakes the first in the queue. False if there was nobody; then the hint bit is cleared.
  bool wake_one(const WaitPlace& place);
  uint32_t wake_all(const WaitPlace& place);
  // `wake_one` if the place's bit is set.
  void signal(const WaitPlace& place) {
    if ((waiters(*place.hint) & place.bit) != 0) wake_one(place);
  }
  // Wakes every waiter of the node, ringing bells even if they are rung already.
  uint32_t wake_everyone();
  // Who stands first, 0 if nobody is found, and since when it waits. A look without the bucket's
  // mutex: it may be wrong while others come and go.
  struct Head {
    ActorId owner = 0;
    uint64_t since_ns = 0;
  };
  Head head(const WaitPlace& place) const;
  // Compares the queues with the records; empty if all is well, else the first fault.
  const char* audit();

  // Gives back what a dead actor had in the lot: its mutexes first, then its records.
  uint32_t give_back(ActorId dead);

  // The wait in record `index`; false if it holds none.
  bool info(uint32_t index, WaitInfo& out) const;
  RecordArea& records() { return records_; }
  SpinPolicy& spin() { return spin_; }
  YieldPolicy& yields() { return yields_; }
  const Actor& me() const { return me_; }

 private:
  Bucket& bucket_of(uint64_t key) const { return segment_.bucket(hash_key(key) % kBuckets); }
  bool lock(Bucket& bucket);
  void rebuild(Bucket& bucket);
  void insert(Bucket& bucket, uint32_t index);
  void remove(Bucket& bucket, uint32_t index);
  uint32_t find(Bucket& bucket, uint32_t from, uint64_t key);
  void enqueue(Bucket& bucket, const WaitPlace& place, uint32_t index);
  struct Woken;
  Woken described(uint32_t index) const;
  Woken wake_locked(Bucket& bucket, uint32_t index);
  void notify(const Woken& woken, bool force);

  NodeSegment& segment_;
  ActorTable& actors_;
  Actor me_;
  Bell& bell_;
  RecordArea records_;
  SpinPolicy spin_;
  YieldPolicy yields_;
};

// Blocks the calling thread until `attempt` returns something else than "not yet", or the deadline
// has passed: then TIMEOUT, or the condition itself if the deadline is `once`. `uses_wakes` is
// false for waits that take nothing (polls), which pass every wake on. `waits_for` says which
// results of the attempt a wake at this place can change; any other ends the wait. `ticket` is one
// that was drawn before, or 0. An attempt that takes `SleepSteps&` may shorten the next sleep.
//
// First the attempt is repeated for as long as that pays (spin.h, yield_look.h), which nobody sees;
// then a record tells the others of the wait. With WaitMode::kIdle the record comes at once, with
// kSpin never.
template <typename Attempt>
Status wait_until(ParkingLot& lot, const WaitPlace& place, Deadline deadline, bool uses_wakes,
                  Attempt&& attempt, bool (*waits_for)(Status) = is_not_yet, uint64_t ticket = 0,
                  WaitMode mode = WaitMode::kAdaptive) {
  SleepSteps steps;
  Status status = DRAGON_SUCCESS;
  const auto settled = [&] {
    if constexpr (std::is_invocable_v<Attempt, SleepSteps&>) {
      status = attempt(steps);
    } else {
      status = attempt();
    }
    return !waits_for(status);
  };
  if (settled() || deadline.is_once()) return status;
  if (mode == WaitMode::kAdaptive) {
    if (lot.spin().spin(place.key, settled)) return status;
    if (lot.yields().look(place.key, settled)) return status;
  }
  if (mode == WaitMode::kSpin) {
    for (uint32_t looks = 1; !settled(); ++looks) {
      if (deadline.passed()) return DRAGON_TIMEOUT;
      if (looks % kLooksPerYield == 0) {
        ::sched_yield();
      } else {
        spin_pause();
      }
    }
    return status;
  }
  RecordId record = 0;
  const Status armed = lot.arm(place, WaitKind::kBlocked, ticket, record);
  if (armed != DRAGON_SUCCESS) return armed;
  // A wake counts as used only if it had come before the attempt that took something: one that
  // came later means something else, which the next waiter has to hear of.
  bool seen = lot.woken(record);
  while (!settled()) {
    if (seen && !deadline.passed()) {
      lot.rearm(place, record);
    } else if (lot.block(record, deadline, steps) == DRAGON_TIMEOUT) {
      seen = lot.woken(record);
      if (!settled()) status = DRAGON_TIMEOUT;
      break;
    }
    seen = lot.woken(record);
  }
  const bool used = seen && uses_wakes && status == DRAGON_SUCCESS;
  if (lot.cancel(record) && !used) lot.wake_one(place);
  return status;
}

}  // namespace dragon
