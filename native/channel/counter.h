// Counters: a 64-bit number that any process adds to, reads and waits on.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

struct CounterHeader {
  ObjectHeader object;
  Word64 value;
  Word64 spare[3];
};
static_assert(sizeof(CounterHeader) == 64);

class Counter : public ManagedObject {
 public:
  ~Counter() override { close(); }
  static constexpr uint32_t kLaneChange = 0;

  static Status create(const std::shared_ptr<Pool>& pool, uint64_t initial,
                       std::unique_ptr<Counter>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Counter>& out);

  // Adds (modulo 2^64), wakes every waiter, and answers the new value.
  Status add(uint64_t delta, uint64_t& out);
  Status load(uint64_t& out) const;
  // Waits until the value, as an unsigned number, is at least `value`.
  Status wait_at_least(uint64_t value, Deadline deadline);

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneChange); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneChange + 1); }

 private:
  Counter() = default;
  CounterHeader& shared() const { return header_as<CounterHeader>(); }
};

}  // namespace dragon
