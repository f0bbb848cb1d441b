// Pools: managed memory that grows, with owners.
//
// A pool is one segment. Its size has a limit and a committed part that grows by extents outside
// the lock; an extent's pages are taken from the system before any byte of it is handed out.
// Every allocation has an owner, so that nothing is lost with a process: an actor, the object that
// it is, or the message that it travels in.
//
// Goals: an allocation id names one allocation for ever; a stale one gives OBJECT_DESTROYED.
// "Never fits" (TOO_LARGE), "not now" (OUT_OF_MEMORY) and TIMEOUT are told apart.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "memory/handle.h"
#include "memory/heap.h"
#include "memory/node.h"
#include "memory/object.h"
#include "memory/segment.h"
#include "sync/robust_mutex.h"

namespace dragon {

constexpr uint64_t kExtentBytesMin = 8ull << 20;
constexpr uint64_t kExtentBytesMax = 256ull << 20;
constexpr uint64_t kPoolLimitBytesMin = 64ull << 10;
constexpr uint64_t kPoolLimitBytesMax = 1ull << 40;

// Who owns an allocation: an actor id, or one of
constexpr uint64_t kOwnerObject = 1ull << 62;   // the object that it is: alive while open
constexpr uint64_t kOwnerMessage = 1ull << 63;  // a message: channel's index and position
constexpr uint32_t kOwnerPositionBits = 30;
constexpr uint64_t owner_message(uint64_t channel, uint64_t position) {
  return kOwnerMessage | (channel & 0xffffffffull) << kOwnerPositionBits |
         (position & ((1ull << kOwnerPositionBits) - 1));
}

struct PoolOptions {
  uint64_t limit_bytes = 0;    // 0: default_pool_limit_bytes()
  uint64_t initial_bytes = 0;  // committed at once; 0: 8 MiB or the limit, the smaller
};

struct PoolStats {
  uint64_t limit_bytes = 0;
  uint64_t committed_bytes = 0;
  uint64_t used_bytes = 0;  // of allocations, rounded up to 64
  uint64_t free_bytes = 0;  // limit - used
  uint64_t allocations = 0;
};

struct Allocation {
  uint64_t id = 0;  // generation << 32 | index
  uint8_t* data = nullptr;
  uint64_t bytes = 0;
};

struct AllocationInfo {
  Allocation allocation;
  AllocationType type = AllocationType::kData;
  uint64_t owner = 0;
  uint64_t tag = 0;
};

struct PoolHeader {
  SegmentHeader segment;
  ObjectHeader object;
  RobustMutex mutex;
  Word32 stale;  // not 0: blocks were freed without the mutex, rebuild the heap's indexes
  Word32 spare[6];
  HeapHeader heap;
};
static_assert(sizeof(PoolHeader) <= kPageBytes && offsetof(PoolHeader, mutex) == 96);
constexpr uint64_t kDescriptorsOffset = kPageBytes;

class Pool : public OpenGate, public std::enable_shared_from_this<Pool> {
 public:
  static constexpr uint32_t kLaneMemory = 0;

  // INVALID_ARGUMENT for a limit out of range or initial_bytes above it; OUT_OF_MEMORY if the
  // system has no memory for the initial commit.
  static Status create(const std::shared_ptr<Node>& node, const PoolOptions& options,
                       std::shared_ptr<Pool>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       std::shared_ptr<Pool>& out);
  // Closes this attachment; the last one of the node ends the pool.
  ~Pool() override;
  // Ends the pool for everybody: every further call and every waiter gets OBJECT_DESTROYED.
  Status destroy();
  void serialize(HandleBytes& out) const;

  // Blocks up to the deadline while the pool is full; with `Deadline::once()` that is
  // OUT_OF_MEMORY. INVALID_ARGUMENT for 0 bytes.
  Status allocate(uint64_t bytes, AllocationType type, Deadline deadline, Allocation& out);
  Status try_allocate(uint64_t bytes, AllocationType type, Allocation& out, uint64_t tag = 0);
  // Anyone may free; a second free is OBJECT_DESTROYED.
  Status free(uint64_t id);
  // Where a live allocation is.
  Status find(uint64_t id, AllocationInfo& out) const;
  // One compare-and-swap of the owner; STATE if `from` does not own it (any more).
  Status change_owner(uint64_t id, uint64_t from, uint64_t to);
  void serialize(uint64_t id, HandleBytes& out) const;

  PoolStats stats() const;
  // Visits live allocations in index order, without the lock: call with index 1 and go on with
  // what comes back until it is 0.
  uint32_t next_allocation(uint32_t index, AllocationInfo& out) const;
  // Gives whole empty extents at the end back to the system; returns the bytes given back.
  uint64_t trim();
  // Repairs what `dead` may have left half done, or leaves that to the mutex's next holder.
  void recover_from(ActorId dead);
  // Checks every invariant under the lock; empty if all is well.
  std::string audit();

  WaitPlace place(uint32_t lane = kLaneMemory) const;
  ObjectName name() const { return {segment_id_, 0}; }
  uint32_t segment_id() const { return segment_id_; }
  bool destroyed() const;
  Node& node() const { return *node_; }
  const std::shared_ptr<Node>& node_pointer() const { return node_; }
  ActorId mutex_holder() const { return shared().mutex.holder(); }

  ObjectHeader* header() override;
  void on_last_close() override;

 private:
  friend class Node;
  Pool() = default;
  static Status open(const std::shared_ptr<Node>& node, Segment&& segment,
                     std::shared_ptr<Pool>& out);
  PoolHeader& shared() const;
  MutexGuard guard(Deadline deadline);
  Status take(uint64_t bytes, AllocationType type, uint64_t tag, Deadline deadline,
              Allocation& out);
  Status usable() const;
  Status grow(uint64_t bytes, uint64_t committed, uint64_t free_at_end);
  Status extend(uint64_t committed, uint64_t extent);
  Status add_descriptors(uint32_t ready);
  Status free_unlocked(uint64_t id);
  void free_own();
  void wake_waiters();

  std::shared_ptr<Node> node_;
  Segment segment_;
  Heap heap_;
  uint32_t segment_id_ = 0;
  RecordId record_ = 0;
};

}  // namespace dragon
