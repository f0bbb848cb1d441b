// Events: a flag that processes set, clear and wait for.
//
// The state is one word: the flag, and how often it has been set. A waiter remembers the number
// that it began with, so an event that is set and cleared at once still releases whoever waited.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

struct EventHeader {
  ObjectHeader object;
  Word64 state;  // bit 0 the flag, bits 1..63 how often it has been set
  Word64 spare[3];
};
static_assert(sizeof(EventHeader) == 64 && offsetof(EventHeader, state) == 32);

class Event : public ManagedObject {
 public:
  ~Event() override { close(); }
  static constexpr uint32_t kLaneSet = 0;

  static Status create(const std::shared_ptr<Pool>& pool, bool set, std::unique_ptr<Event>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Event>& out);

  // Sets the flag and releases every waiter; nothing if it is set.
  Status set();
  Status clear();
  bool is_set() const { return !closed() && (shared().state.load() & 1) != 0; }
  // How often the flag has been set: what a wait begins with.
  uint64_t times_set() const { return closed() ? 0 : shared().state.load() >> 1; }

  // SUCCESS if the flag is set, or has been since it was set `since` times; else WOULD_BLOCK.
  Status try_wait(uint64_t since) const;
  Status wait(Deadline deadline);

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneSet); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneSet + 1); }

 private:
  Event() = default;
  EventHeader& shared() const { return header_as<EventHeader>(); }
};

}  // namespace dragon
