// Conditions: actors that hold a lock wait until others say that something has changed.
//
// Each waiter has a word of its own, which says whether it waits, has been notified, or neither:
// a notify is one compare-and-swap of the word of the waiter that came first, so none is lost, and
// none goes to somebody who came later. A notify of a waiter that died, or that gives up at that
// moment, is passed on to the next.
//
// A wait may end without a notify after somebody died while passing one on; who waits for
// something looks whether it is so, as with any condition.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "channel/lock_object.h"
#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kConditionWaiters = 256;  // unless the creator says otherwise
constexpr uint32_t kConditionWaitersMax = 1u << 16;

struct ConditionHeader {
  ObjectHeader object;
  Word32 capacity;
  Word32 spare;
  Word64 spare64[3];
};
static_assert(sizeof(ConditionHeader) == 64 && offsetof(ConditionHeader, capacity) == 32);
// Behind the header `capacity` words: bits 0..30 actor, 31..60 ticket, 61..62 WaiterState.

class Condition : public ManagedObject {
 public:
  // One wait.
  struct Ticket {
    uint64_t number = 0;  // in the parking lot; arm with it
    uint32_t index = 0;
  };

  ~Condition() override { close(); }
  static constexpr uint32_t kLaneNotify = 0;

  // INVALID_ARGUMENT unless 1 <= waiters <= kConditionWaitersMax.
  static Status create(const std::shared_ptr<Pool>& pool, uint32_t waiters,
                       std::unique_ptr<Condition>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Condition>& out);

  // Releases the lock, waits for a notify, and acquires the lock again, in which the deadline has
  // no part: the lock is held whatever the answer, but for a lock that was destroyed or closed.
  // TIMEOUT, or WOULD_BLOCK if it tries once; NOT_OWNER if nobody holds the lock; FULL if as many
  // wait as there is room for.
  Status wait(LockObject& lock, Deadline deadline);

  // The steps of a wait, for event loops: enter while holding the lock, release it, look until that
  // is not WOULD_BLOCK, acquire the lock. `leave` gives up: SUCCESS if a notify had come first,
  // which then is used unless `pass` hands it to the next, else WOULD_BLOCK.
  Status enter(Ticket& out);
  Status look(const Ticket& ticket);
  Status leave(const Ticket& ticket, bool pass);

  // Notifies up to `count` waiters, in the order in which they came; how many it were.
  Status notify(uint32_t count, uint32_t& notified);
  // Waiters that have not been notified.
  uint32_t waiting() const;
  // Ends this attachment; its waits are given up.
  void close();

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneNotify); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneNotify + 1); }

 private:
  Condition() = default;
  ConditionHeader& shared() const { return header_as<ConditionHeader>(); }
  uint32_t capacity() const { return shared().capacity.load(); }
  Word64& word(uint32_t index) const;
  uint32_t mark(uint32_t count);
  uint32_t notify_some(uint32_t count);
  bool tidy(uint32_t index);
  void tidy_all();

  std::vector<Ticket> pending_;  // of this attachment
};

}  // namespace dragon
