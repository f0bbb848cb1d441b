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
#include <vector>

#include "memory/depot.h"
#include "memory/handle.h"
#include "memory/heap.h"
#include "memory/magazines.h"
#include "memory/node.h"
#include "memory/object.h"
#include "memory/segment.h"
#include "sync/robust_mutex.h"

// Magazines in the large: a free puts a block into the actor's own, an allocation takes one out,
// and whoever finds no memory takes all of everybody's back first. A free looks whether somebody
// waits for memory after its block can be found in the magazine; a waiter looks at the magazines
// after it can be found waiting (both in the order that all actors agree on), so no wake is lost.
// Model: spec/models/magazine.pml.

namespace dragon {

constexpr uint64_t kExtentBytesMin = 8ull << 20;
constexpr uint64_t kExtentBytesMax = 256ull << 20;
constexpr uint64_t kExtentShare = 16;  // of what is committed already
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
  uint64_t growth_bytes = 0;   // least that is committed at a time; 0: see Pool::grow
  int numa_node = -1;          // where memory comes from if that node has some; -1: anywhere
  bool huge_pages = false;     // if the system has any left; see Pool::placement
  bool populate = false;       // memory is touched when it is committed, not when it is used first
};

// What became of the wishes in the options.
struct PoolPlacement {
  int numa_node = -1;
  PageKind pages = PageKind::kSmall;
};

struct PoolStats {
  uint64_t limit_bytes = 0;
  uint64_t committed_bytes = 0;
  uint64_t used_bytes = 0;          // of the blocks of live allocations
  uint64_t requested_bytes = 0;     // that those who allocated them asked for
  uint64_t free_bytes = 0;          // limit - used
  uint64_t cached_bytes = 0;        // the part of it that stands in magazines
  uint64_t largest_free_bytes = 0;  // the largest block to be had without them
  uint64_t high_water_bytes = 0;    // most that was used or cached at once
  uint64_t allocations = 0;
  uint64_t waiters = 0;  // for memory
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
  // bit 0: some magazine may hold blocks; 1..31: round, one up with each search of the magazines;
  // 32..63: how often an actor has said that it began to fill its own
  Word64 caching;
  Word64 growth_bytes;  // an option, 0 if not given
  Word32 numa_node;     // and one, 0 is none
  Word32 pages;         // a PageKind
  Word32 populate;
  Word32 spare;
  RobustMutex mutex;  // from here on changed with every use of the heap
  Word32 stale;       // not 0: blocks were freed without the mutex, rebuild the heap's indexes
  Word32 kept_for;    // the waiter that freed memory is kept for, until then
  Word32 spare32;
  Word64 kept_bytes;
  Word64 kept_since_ns;  // when its wait began
  Word64 kept_until_ns;
  Word64 spare_line[3];
  HeapHeader heap;
  Depot depots[kDepots];
};
static_assert(offsetof(PoolHeader, depots) == 2560);
static_assert(sizeof(PoolHeader) <= kPageBytes && offsetof(PoolHeader, caching) == 96);
static_assert(offsetof(PoolHeader, mutex) == 128 && offsetof(PoolHeader, heap) == 192);
constexpr uint64_t kDescriptorsOffset = kPageBytes;

// One descriptor for each granule and the unused first, so that descriptors never run out before
// the data does; beyond 4 GiB as many as there can be.
constexpr uint32_t descriptors_for(uint64_t limit_bytes) {
  const uint64_t wanted = limit_bytes / kGranuleBytes + 2;
  return static_cast<uint32_t>(wanted < kBlocksMax ? wanted : kBlocksMax);
}
constexpr uint64_t metadata_bytes_for(uint64_t limit_bytes) {
  const uint64_t descriptors = descriptors_for(limit_bytes) * sizeof(BlockDescriptor);
  return kDescriptorsOffset + round_up(descriptors, kPageBytes);
}

constexpr uint32_t block_index(uint64_t id) {
  return static_cast<uint32_t>(id);
}
constexpr uint32_t block_generation(uint64_t id) {
  return static_cast<uint32_t>(id >> 32);
}

class Pool : public OpenGate, public std::enable_shared_from_this<Pool> {
 public:
  static constexpr uint32_t kLaneMemory = 0;

  // INVALID_ARGUMENT for a limit out of range or initial_bytes above it; OUT_OF_MEMORY if the
  // system has no memory for the initial commit.
  static Status create(const std::shared_ptr<Node>& node, const PoolOptions& options,
                       std::shared_ptr<Pool>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       std::shared_ptr<Pool>& out);
  // An attachment of its own that finds allocations and lets nobody write them; whatever would
  // change the pool is NOT_SUPPORTED.
  static Status attach_read_only(const std::shared_ptr<Node>& node, const uint8_t* handle,
                                 size_t length, std::shared_ptr<Pool>& out);
  // Closes this attachment; the last one of the node ends the pool.
  ~Pool() override;
  // Ends the pool for everybody: every further call and every waiter gets OBJECT_DESTROYED.
  Status destroy();
  void serialize(HandleBytes& out) const;

  // Blocks up to the deadline while the pool is full; with `Deadline::once()` that is
  // OUT_OF_MEMORY. INVALID_ARGUMENT for 0 bytes.
  Status allocate(uint64_t bytes, AllocationType type, Deadline deadline, Allocation& out,
                  uint64_t tag = 0);
  Status try_allocate(uint64_t bytes, AllocationType type, Allocation& out, uint64_t tag = 0);
  // Anyone may free; a second free is OBJECT_DESTROYED. STATE if another owns it, lives, and shows
  // its bytes.
  Status free(uint64_t id);
  // The owner says that a program sees the bytes as memory of its own, and when that has ended.
  Status show(uint64_t id);
  void hide(uint64_t id);
  // Changes the size of an allocation that this actor owns, where it lies: a smaller one gives
  // memory back, a larger one needs free memory just behind it, else OUT_OF_MEMORY. NOT_OWNER;
  // TOO_LARGE beyond the limit; INVALID_ARGUMENT for 0 bytes, and for a share.
  Status resize(uint64_t id, uint64_t bytes);
  // Where a live allocation is.
  Status find(uint64_t id, AllocationInfo& out) const;
  // The same; of a share, where the shared bytes are and how many. The id stays the share's.
  Status find_bytes(uint64_t id, AllocationInfo& out) const;
  // Makes an allocation of this actor's one that up to `holders` may hold, this actor first:
  // `share` is what it owns instead. A share is sent, received, freed and given back after a death
  // as any allocation is; the bytes are freed with the last one, and nobody writes them meanwhile.
  // NOT_OWNER; OUT_OF_MEMORY; INVALID_ARGUMENT for no holders, too many, or a share.
  Status share(uint64_t id, uint32_t holders, uint64_t& share);
  // A further share beside one that this actor owns. STATE if there are as many as may be.
  Status share_again(uint64_t share, uint64_t& further);
  // One compare-and-swap of the owner; STATE if `from` does not own it (any more).
  Status change_owner(uint64_t id, uint64_t from, uint64_t to);
  void serialize(uint64_t id, HandleBytes& out) const;

  // Whether the id names a live allocation.
  bool exists(uint64_t id) const { return heap_.live(block_index(id), block_generation(id)); }
  PoolPlacement placement() const;
  bool read_only() const { return read_only_; }

  // One look at every block; the sums are exact while nobody allocates or frees.
  PoolStats stats();
  // Visits live allocations in index order, without the lock: call with index 1 and go on with
  // what comes back until it is 0.
  uint32_t next_allocation(uint32_t index, AllocationInfo& out) const;
  // The same for those of one type.
  uint32_t next_allocation(uint32_t index, AllocationType type, AllocationInfo& out) const;
  // Gives whole empty extents at the end back to the system; returns the bytes given back.
  uint64_t trim();
  // Repairs what `dead` may have left half done, or leaves that to the mutex's next holder.
  void recover_from(ActorId dead);
  // For reclamation: frees shared bytes if no share of them is left.
  void end_sharing(uint64_t hub);
  // Empties the magazines of an actor that is dead, or the caller.
  void give_back_cached(ActorId actor);
  // Checks every invariant under the lock; empty if all is well.
  std::string audit();

  WaitPlace place(uint32_t lane = kLaneMemory) const;
  ObjectName name() const { return {segment_id_, 0}; }
  uint32_t segment_id() const { return segment_id_; }
  uint64_t limit_bytes() const { return segment_.limit_bytes(); }
  bool destroyed() const;
  Node& node() const { return *node_; }
  const std::shared_ptr<Node>& node_pointer() const { return node_; }
  ActorId mutex_holder() const { return shared().mutex.holder(); }

  ObjectHeader* header() override;
  void on_last_close() override;

 private:
  friend class Node;
  Pool() = default;
  static Status open(const std::shared_ptr<Node>& node, Segment&& segment, bool read_only,
                     std::shared_ptr<Pool>& out);
  PoolHeader& shared() const { return *reinterpret_cast<PoolHeader*>(segment_.mapping().base()); }
  MutexGuard guard(Deadline deadline);
  Status take(uint64_t bytes, AllocationType type, uint64_t tag, Deadline deadline,
              Allocation& out);
  Status usable() const;
  Status changeable() const;
  Status grow(uint64_t bytes, uint64_t committed, uint64_t free_at_end);
  Status extend(uint64_t committed, uint64_t extent);
  Status add_descriptors(uint32_t ready);
  void describe(const HeapBlock& block, uint64_t bytes, Allocation& out) const;
  bool vacant(uint64_t depot) const;
  void ask_for(uint32_t size_class, uint64_t block_bytes);
  void ask_instead(Depot& depot, uint64_t asked);
  void leave_in_depot(uint32_t size_class, uint64_t block_bytes);
  bool fetch_from_depot(uint32_t size_class, uint64_t block_bytes);
  bool take_cached(uint64_t bytes, uint64_t tag, Allocation& out);
  void refill(uint64_t bytes, std::vector<CachedBlock>& out);
  void after_miss(uint64_t bytes);
  void spill(uint32_t size_class);
  bool caches();
  bool free_to_magazine(uint32_t index, uint32_t generation);
  Status free_listed(uint32_t index, uint32_t generation);
  uint64_t hub_of(uint32_t index, uint32_t generation) const;
  void give_surplus();
  void flush();
  void announce();
  bool take_back_cached();
  template <typename Wanted>
  void take_back(Wanted&& wanted);
  void give(const HeldWord* blocks, size_t count);
  uint32_t slot() const { return actor_slot(node_->me().id); }
  bool waited_for() const;
  bool shown_by_another(uint32_t index) const;
  bool kept_for_another(uint64_t bytes) const;
  void keep_for_first(uint64_t bytes);
  bool end_keeping();
  void free_own();
  void wake_waiters();

  std::shared_ptr<Node> node_;
  Segment segment_;
  Heap heap_;
  Magazines magazines_;
  uint64_t round_ = UINT64_MAX;  // of `caching` in which this actor said that it holds blocks
  uint64_t alone_ = 0;           // `caching` since only this actor holds any, else 0
  uint32_t scarce_ = 0;          // so many frees are not cached, since memory was searched for
  uint32_t in_vain_ = 0;         // depots that were asked for, but none was vacant
  std::vector<CachedBlock> fetched_;
  std::vector<CachedBlock> surplus_;
  uint32_t segment_id_ = 0;
  RecordId record_ = 0;
  bool read_only_ = false;
};

}  // namespace dragon
