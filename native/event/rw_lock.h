// Reader-writer locks: any number of readers, or one writer, across processes.
//
// The writer is a word like that of a lock (channel/lock_object.h). A reader is a word of its own
// in the object's table, so readers do not contend for one, and one that died is found by its name.
// A reader enters its word and then looks at the writer's; a writer enters the writer's word and
// then looks at the readers': of two that come at once, at least one sees the other and steps back.
//
// Readers that come while a writer waits let it go first; a writer that ends lets readers go first
// that have waited for 1 ms. Who waits, waits in the parking lot: a waiter that is dead or stopped
// holds nobody up.
//
// Goals: one compare-and-swap to enter and one to leave as a reader; no recovery step: whoever
// comes next puts the words of the dead aside.
// Non-goals: turning a read lock into a write lock.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kRwReadersMax = 4096;

struct RwLockHeader {
  ObjectHeader object;
  // Bits 0..30 writer, bit 31 a writer died and none has ended since, 32..63 its number.
  Word64 writer;
  // Turns (channel/hand_over.h), stamped with the number of the last writer, so that the next one
  // ends them.
  Word64 kept_for_readers;
  Word64 kept_for_writer;
  Word32 capacity;
  Word32 spare;
};
static_assert(sizeof(RwLockHeader) == 64 && offsetof(RwLockHeader, writer) == 32);

class RwLock : public ManagedObject {
 public:
  ~RwLock() override { close(); }
  static constexpr uint32_t kLaneRead = 0;
  static constexpr uint32_t kLaneWrite = 1;

  // `readers`: actors that may read at the same time, 1 to kRwReadersMax; further ones wait.
  static Status create(const std::shared_ptr<Pool>& pool, uint32_t readers,
                       std::unique_ptr<RwLock>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<RwLock>& out);

  // SUCCESS; OWNER_DIED: acquired, and a writer died and none has ended since; WOULD_BLOCK. An
  // actor may read several times at once. `probe` asks the kernel whether those in the way live.
  Status try_read(bool probe = false);
  Status read(Deadline deadline);
  // NOT_OWNER if this actor does not read.
  Status end_read();

  // The same for writing.
  Status try_write(bool probe = false);
  Status write(Deadline deadline);
  // Anyone may; NOT_OWNER if nobody writes.
  Status end_write();
  // For who waited in an event loop to write and does not come: readers have let it go first.
  void give_up_write();

  // 0 if nobody writes.
  ActorId writer() const;
  // Actors that read, the dead among them.
  uint32_t readers() const;
  bool owner_died() const;

  // The same of a lock that this process need not have open, for blocked.h.
  static ActorId writer_of(const AllocationInfo& object);
  // `all` is set if no further actor may read.
  static std::vector<ActorId> readers_of(const AllocationInfo& object, bool& all);

  using ManagedObject::place;
  WaitPlace read_place() const { return ManagedObject::place(kLaneRead); }
  WaitPlace write_place() const { return ManagedObject::place(kLaneWrite); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneWrite + 1); }

 private:
  RwLock() = default;
  RwLockHeader& shared() const { return header_as<RwLockHeader>(); }
  Word64& reader(uint32_t index) const;
  bool lives(ActorId actor, bool probe) const;
  bool someone_waits(const WaitPlace& place) const;
  bool writer_goes_first(uint64_t writer) const;
  bool writes(uint64_t& writer, bool probe);
  bool reads(bool probe);
  Status enter_reader(bool probe, uint32_t& index);
  void leave_reader(uint32_t index);
  void wake_after_writer();
  template <typename Try>
  Status wait_for(const WaitPlace& place, Deadline deadline, Try&& attempt);
};

}  // namespace dragon
