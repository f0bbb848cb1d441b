// Semaphores: a number of permits that any process takes and gives.
//
// The value is one word. Permits belong to nobody: anyone may release, also in place of an actor
// that died after it took one. A release wakes as many waiters as it gives permits; newcomers may
// overtake the first until that has waited 1 ms, then a permit is kept for it. Who wants several
// permits at once waits in a lane of its own, in which every release makes all look.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

// The largest value, so that every one is a number in JavaScript.
constexpr uint64_t kSemaphoreMax = (1ull << 53) - 1;

struct SemaphoreHeader {
  ObjectHeader object;
  Word64 value;
  Word64 bound;  // most permits; kSemaphoreMax if it is not bounded
  Word64 kept;   // see channel/hand_over.h
  Word64 spare;
};
static_assert(sizeof(SemaphoreHeader) == 64 && offsetof(SemaphoreHeader, value) == 32);

class Semaphore : public ManagedObject {
 public:
  ~Semaphore() override { close(); }
  static constexpr uint32_t kLaneAcquire = 0;
  static constexpr uint32_t kLaneZero = 1;
  static constexpr uint32_t kLaneMany = 2;

  // With `bound` 0 there is none. INVALID_ARGUMENT if `initial` or `bound` is too large.
  static Status create(const std::shared_ptr<Pool>& pool, uint64_t initial, uint64_t bound,
                       std::unique_ptr<Semaphore>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Semaphore>& out);

  // Takes permits, all in one step; `before` is the value before that. WOULD_BLOCK if there are not
  // as many; INVALID_ARGUMENT for none, or for more than the bound.
  Status try_acquire(uint64_t& before, uint64_t permits = 1);
  Status acquire(Deadline deadline, uint64_t& before, uint64_t permits = 1);
  // Gives permits; INVALID_ARGUMENT for none. STATE if there would be more than the bound: then
  // nothing has changed.
  Status release(uint64_t permits);
  // SUCCESS while the value is zero, else WOULD_BLOCK.
  Status try_zero() const;
  Status wait_zero(Deadline deadline);

  uint64_t value() const { return closed() ? 0 : shared().value.load(); }
  // 0 if it is not bounded.
  uint64_t bound() const;

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneAcquire); }
  WaitPlace many_place() const { return ManagedObject::place(kLaneMany); }
  WaitPlace zero_place() const { return ManagedObject::place(kLaneZero); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneMany + 1); }

 private:
  Semaphore() = default;
  SemaphoreHeader& shared() const { return header_as<SemaphoreHeader>(); }
};

}  // namespace dragon
