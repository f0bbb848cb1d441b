// The allocator inside a pool: two-level segregated fit over block descriptors.
//
// The descriptors lie in the metadata range, 64 bytes each. Of a held block's descriptor the state
// word, offset, size and owner are the truth; everything else (free blocks, physical neighbours,
// free lists, bitmaps, counts) is an index that `rebuild` makes anew from the held descriptors. A
// block is held while it is live, cached or claimed.
//
//     state word: bits 0..7 BlockState, 8..15 AllocationType, 16..29 actor slot (kCached,
//     kClaimed; of whoever shows it, kLive), 30 being resized, 31 shown (kLive), 32..63 generation
//
// Changes between held states need no lock:
//
//     kLive    -> kCached    by whoever frees: one CAS, generation up, its own slot
//     kCached  -> kClaimed   by that actor alone: one CAS; then it writes owner, size and tag
//     kClaimed -> kLive      by that actor alone: one store
//     kCached  -> kFree      by anyone, under the mutex: one CAS, generation up
//
// so a process that dies at any instruction leaves a block that is live under an owner, or that
// its reclamation finds under its slot.
//
// Goals: constant time but for the last resort, a search of one size class for an exact fit, so
// a request fails only if no free block is large enough.
// Non-goals: growth, waiting, locking: the caller (pool.cpp) holds the pool's mutex.
#pragma once

#include <cstddef>
#include <cstdint>

#include "memory/size_class.h"
#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

constexpr uint32_t kBlocksMax = 1u << 28;

enum class BlockState : uint32_t {
  kUnused = 0,
  kFree = 1,
  kLive = 2,
  kReturned = 3,  // free, but not yet in any list; a rebuild makes it so
  kCached = 4,    // in the magazine of the actor in that slot; anyone may take it back
  kClaimed = 5,   // by the actor in that slot, which is about to make it live
};

enum class AllocationType : uint32_t {
  kData = 0,
  kChannel = 1,
  kLock = 2,
  kCounter = 3,
  kBootstrap = 4,
  kChunk = 5,   // further slots of a channel
  kEvent = 6,   // an object of native/event; its header says which
  kShare = 7,   // one holder's part in shared bytes (pool_shares.cpp)
  kHub = 8,     // what the shares of some bytes have in common
  kRegion = 9,  // bytes that several processes have open (channel/region.h)
};

struct BlockDescriptor {
  Word64 state;
  Word64 owner;   // an Owner (pool.h)
  Word64 offset;  // in the data range
  Word64 size;    // whole granules
  Word64 bytes;   // what was asked for
  Word64 tag;     // kChunk: the channel; kShare: the hub; kHub: the shared allocation
  Word32 before;  // physical neighbours; 0 is none
  Word32 after;
  Word32 next;  // kFree: list of the size class. kUnused: list of spare descriptors
  Word32 previous;
};
static_assert(sizeof(BlockDescriptor) == 64 && offsetof(BlockDescriptor, before) == 48);

// Lists of free blocks: 16 to each power of two of granules; the first 16 are exact.
constexpr uint32_t kClassBits = 4;
constexpr uint32_t kClassesPerLevel = 1u << kClassBits;
constexpr uint32_t kLevels = 34;

struct HeapHeader {
  Word64 committed_bytes;    // of the data range; the truth
  Word32 descriptors_ready;  // descriptors below this are committed; the truth
  Word32 descriptors_used;   // descriptors below this have been used
  Word64 held_bytes;         // of held blocks
  Word64 held_bytes_most;    // ever
  Word64 level_map;          // bit l: some class of level l has blocks
  Word32 held_blocks;
  Word32 spare_descriptor;  // list of unused descriptors
  Word32 last_block;        // the block that ends at the committed size
  Word32 spare32;
  Word32 class_maps[kLevels];  // bit c: class c of the level has blocks
  Word32 lists[kLevels * kClassesPerLevel];
};
static_assert(sizeof(HeapHeader) == 56 + 4 * kLevels + 4 * kLevels * kClassesPerLevel);

struct HeapBlock {
  uint32_t index = 0;
  uint32_t generation = 0;
  uint64_t offset = 0;
};

// A block and the state word under which it was found.
struct HeldWord {
  uint32_t index = 0;
  uint64_t word = 0;
};

class Heap {
 public:
  Heap() = default;
  Heap(HeapHeader* header, BlockDescriptor* blocks) : header_(header), blocks_(blocks) {}

  // WOULD_BLOCK: no free block is large enough. TOO_MANY_RECORDS: no descriptor is ready for the
  // rest of the split block; commit more descriptors and try again.
  Status take(uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag, HeapBlock& out);
  // Takes a block of data of just these bytes for the magazine of the actor in `slot`.
  Status take_cached(uint64_t block_bytes, uint32_t slot, HeapBlock& out);
  // OBJECT_DESTROYED unless the block is live under this generation; STATE if it is shown, unless
  // that does not matter.
  Status give(uint32_t index, uint32_t generation, bool also_shown = true);
  // The same without the pool's mutex; the indexes need a rebuild afterwards.
  Status give_unlisted(uint32_t index, uint32_t generation, bool also_shown = true);
  // Says in a live block's state that the actor in `slot` shows its bytes to a program.
  Status show(uint32_t index, uint32_t generation, uint32_t slot);
  // No longer, if nobody else has said so since.
  void hide(uint32_t index, uint32_t generation, uint32_t slot);
  // Takes a block back whose state word is `cached`; false if it has changed.
  bool give_cached(uint32_t index, uint64_t cached);
  // The same without the pool's mutex; the indexes need a rebuild afterwards.
  bool give_cached_unlisted(uint32_t index, uint64_t cached);
  // Changes the size of a live block where it lies. WOULD_BLOCK: what lies behind it is not free;
  // TOO_MANY_RECORDS as for `take`.
  Status resize(uint32_t index, uint32_t generation, uint64_t bytes);
  // Adds a committed range at the end of the data.
  Status extend(uint64_t bytes);
  // Free bytes at the end of the committed data.
  uint64_t free_at_end() const;
  // Bytes of the largest free block.
  uint64_t largest_free() const;
  // Takes the whole free block at the end; WOULD_BLOCK if the last block is live.
  Status take_end(uint64_t owner, HeapBlock& out);
  // Takes free bytes at the end out of the committed data.
  void cut(uint64_t bytes);

  // Whether there is such a descriptor; what it holds is another question.
  bool known(uint32_t index) const {
    if (index >= used_) used_ = header_->descriptors_used.load();
    return index != 0 && index < used_;
  }
  bool live(uint32_t index, uint32_t generation) const;
  BlockDescriptor& block(uint32_t index) const { return blocks_[index]; }
  HeapHeader& header() const { return *header_; }

  // Makes every index anew from the held descriptors, after a holder of the mutex died.
  void rebuild();
  // Compares every index with the held descriptors. Empty if all is well, else the first fault.
  const char* audit() const;

 private:
  Status carve(uint64_t block_bytes, uint64_t alignment, uint32_t& out);
  uint32_t find(uint64_t block_bytes, uint64_t alignment) const;
  uint32_t find(uint64_t block_bytes) const;
  bool fits(uint32_t index, uint64_t block_bytes, uint64_t alignment) const;
  void hold(uint32_t index);
  void make_live(uint32_t index, uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag,
                 HeapBlock& out);
  void put_back(uint32_t index);
  void shrink(uint32_t index, uint64_t size, uint32_t rest);
  Status grow(uint32_t index, uint64_t size);
  const char* audit_free(size_t held_blocks) const;
  void link(uint32_t index);
  void unlink(uint32_t index);
  void insert_after(uint32_t index, uint32_t other);
  void absorb(uint32_t first, uint32_t second);
  uint32_t merge(uint32_t index);
  uint32_t spare();
  void discard(uint32_t index);
  void make_free(uint32_t index, uint64_t offset, uint64_t size);
  HeapHeader* header_ = nullptr;
  BlockDescriptor* blocks_ = nullptr;
  mutable uint32_t used_ = 0;  // what was seen of descriptors_used, which only grows
};

constexpr uint64_t block_state(BlockState state, AllocationType type, uint32_t generation) {
  return static_cast<uint64_t>(generation) << 32 | static_cast<uint64_t>(type) << 8 |
         static_cast<uint64_t>(state);
}
constexpr BlockState state_of(uint64_t word) {
  return static_cast<BlockState>(word & 0xff);
}
constexpr AllocationType type_of(uint64_t word) {
  return static_cast<AllocationType>(word >> 8 & 0xff);
}
constexpr uint32_t generation_of(uint64_t word) {
  return static_cast<uint32_t>(word >> 32);
}

constexpr uint32_t slot_of(uint64_t word) {
  return static_cast<uint32_t>(word >> 16 & 0x3fff);
}
constexpr uint64_t kBeingResized = 1ull << 30;
constexpr uint64_t kShown = 1ull << 31;
constexpr uint64_t kSlotMask = 0x3fffull << 16;
constexpr uint64_t cached_state(BlockState state, uint32_t slot, uint32_t generation) {
  return block_state(state, AllocationType::kData, generation) | static_cast<uint64_t>(slot) << 16;
}
constexpr bool is_held(BlockState state) {
  return state == BlockState::kLive || state == BlockState::kCached ||
         state == BlockState::kClaimed;
}

}  // namespace dragon
