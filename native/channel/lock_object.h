// User locks: acquired and released by anyone, across processes and promises.
//
// The holder is the actor that acquired last, whoever may release; the state is one word. A
// release frees the lock and wakes the first waiter; newcomers may overtake it until it has waited
// 1 ms, then the lock is kept for its actor for a moment. A lock whose holder died is taken over
// by the next acquirer, who gets OWNER_DIED and holds it (unless the lock is not robust: then it
// stays held until somebody releases it).
//
// The number in the state is that of the acquisition that holds the lock, or of the next one: it
// grows when an acquisition ends. So a free lock is taken by a compare-and-swap of its lower half
// alone, which src/core/lock-words.ts does from JavaScript; there a release raises the number
// first, which ends the acquisition for everybody who names it, and then frees the lower half.
// Between the two the lock is held, by an acquisition that nobody can name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kLockRobust = 1;

struct LockHeader {
  ObjectHeader object;
  // Bits 0..30 holder, bit 31 the holder before it died, 32..63 number.
  Word64 state;
  Word64 kept;  // see hand_over.h; stamped with the number of the next acquisition
  Word32 flags;
  Word32 spare[3];
};
static_assert(sizeof(LockHeader) == 64 && offsetof(LockHeader, state) == 32);
// src/core/lock-layout.ts is made from these numbers.
static_assert(offsetof(LockHeader, kept) == 40 && offsetof(ObjectHeader, destroyed) == 4);
static_assert(offsetof(ObjectHeader, hint) == 8);

constexpr uint64_t kLockHolderMask = (1ull << 31) - 1;
constexpr uint64_t kLockDiedBit = 1ull << 31;
constexpr uint64_t kLockSequenceOne = 1ull << 32;
constexpr uint64_t kLockSequenceMask = ~(kLockSequenceOne - 1);
constexpr uint64_t kLockNew = kLockSequenceOne;  // free, the first acquisition is number 1

class LockObject : public ManagedObject {
 public:
  ~LockObject() override { close(); }
  static constexpr uint32_t kLaneLock = 0;
  static constexpr uint32_t kHintBit = 1u << kLaneLock;

  static Status create(const std::shared_ptr<Pool>& pool, bool robust,
                       std::unique_ptr<LockObject>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<LockObject>& out);

  // SUCCESS; OWNER_DIED: acquired, and the holder before died; WOULD_BLOCK: held;
  // OBJECT_DESTROYED.
  // `probe_holder` asks the kernel whether the holder lives, instead of only its slot: for looks
  // that come some 10 ms after the last one. `behind_others` is for who has not waited yet and can:
  // it does not take what is kept for a waiter, even if that is another of this actor's.
  Status try_acquire(bool probe_holder = false, bool behind_others = false) {
    if (ready()) {
      uint64_t found = shared().state.load(std::memory_order_relaxed);
      const bool free = (found & (kLockHolderMask | kLockDiedBit)) == 0;
      if (free && shared().kept.load(std::memory_order_relaxed) == 0 &&
          shared().state.cas(found, found + me_)) {
        return DRAGON_SUCCESS;
      }
    }
    return acquire_once(probe_holder, behind_others);
  }
  Status acquire(Deadline deadline) {
    const Status status = try_acquire();
    return is_not_yet(status) ? acquire_until(deadline) : status;
  }
  // NOT_OWNER if the lock is free.
  Status release() {
    if (ready()) {
      uint64_t found = shared().state.load(std::memory_order_relaxed);
      const bool held = (found & kLockHolderMask) != 0;
      if (held && nobody_waits() && shared().state.cas_seq(found, released(found))) {
        if (!nobody_waits()) wake_first();
        return DRAGON_SUCCESS;
      }
    }
    return release_once(nullptr);
  }
  // The same for the acquisition with this number only: NOT_OWNER if another one holds the lock,
  // or none. One step: no acquisition that began meanwhile is ever released.
  Status release_if(uint32_t sequence) { return release_once(&sequence); }

  // Who holds the lock, alive or dead; 0 when free.
  ActorId holder() const;
  // Whether an acquire would have to wait for a release.
  bool locked() const;
  // True from the acquisition that got OWNER_DIED until the next release.
  bool owner_died() const;
  // Number of the acquisition that holds the lock (or held it last); grows by one each time,
  // modulo 2^32.
  uint32_t sequence() const;

  // Wakes who a release that was made elsewhere has to wake.
  Status wake();

  // The header, and the word that says whether its pool was destroyed, for those who look and
  // change by themselves; nullptr once it is closed.
  uint8_t* words() const { return closed() ? nullptr : base(); }
  const Word32* pool_destroyed() const { return closed() ? nullptr : pool_destroyed_; }

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneLock); }

  // For reclamation: frees the lock if a dead actor holds it, remembering that; returns whether
  // it did.
  static bool give_back(const AllocationInfo& object, ActorId dead);

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneLock + 1); }

 private:
  LockObject() = default;
  LockHeader& shared() const { return header_as<LockHeader>(); }
  void remember();
  // `usable` without the chains of pointers; false also means: ask `usable`.
  bool ready() const {
    return base() != nullptr && !node_->closed() &&
           shared().object.destroyed.load(std::memory_order_relaxed) == kObjectAlive &&
           pool_destroyed_->load(std::memory_order_relaxed) == kObjectAlive;
  }
  static uint64_t released(uint64_t state) {
    return (state & kLockSequenceMask) + kLockSequenceOne;
  }
  bool nobody_waits() const {
    return (ParkingLot::waiters_seq(shared().object.hint) & kHintBit) == 0;
  }
  Status acquire_once(bool probe_holder, bool behind_others);
  Status acquire_until(Deadline deadline);
  Status release_once(const uint32_t* sequence);
  void wake_first();

  // What the fast paths look at, once attached.
  const Node* node_ = nullptr;
  const Word32* pool_destroyed_ = nullptr;
  ActorId me_ = 0;
};

}  // namespace dragon
