// The allocator inside a pool: two-level segregated fit over block descriptors.
//
// The descriptors lie in the metadata range, 64 bytes each. Of a live block's descriptor the state
// word, offset, size and owner are the truth; everything else (free blocks, physical neighbours,
// free lists, bitmaps, counts) is an index that `rebuild` makes anew from the live descriptors.
//
//     state word: bits 0..7 BlockState, 8..15 AllocationType, 32..63 generation
//
// Goals: constant time but for the last resort, a search of one size class for an exact fit, so
// a request fails only if no free block is large enough. No bytes are lost to rounding but up to
// the next 64.
// Non-goals: growth, waiting, locking: the caller (pool.cpp) holds the pool's mutex.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/status.h"
#include "sync/word.h"

namespace dragon {

constexpr uint64_t kGranuleBytes = 64;
constexpr uint32_t kBlocksMax = 1u << 28;

enum class BlockState : uint32_t {
  kUnused = 0,
  kFree = 1,
  kLive = 2,
  kReturned = 3,  // free, but not yet in any list; a rebuild makes it so
};

enum class AllocationType : uint32_t {
  kData = 0,
  kChannel = 1,
  kLock = 2,
  kCounter = 3,
  kBootstrap = 4,
  kChunk = 5,  // further slots of a channel
  kEvent = 6,  // an object of native/event; its header says which
};

struct BlockDescriptor {
  Word64 state;
  Word64 owner;   // an Owner (pool.h)
  Word64 offset;  // in the data range
  Word64 size;    // whole granules
  Word64 bytes;   // what was asked for
  Word64 tag;     // kChunk: the channel's allocation id
  Word32 before;  // physical neighbours; 0 is none
  Word32 after;
  Word32 next;  // kFree: list of the size class. kUnused: list of spare descriptors
  Word32 previous;
};
static_assert(sizeof(BlockDescriptor) == 64 && offsetof(BlockDescriptor, before) == 48);

// Size classes: 16 to each power of two of granules; the first 16 are exact.
constexpr uint32_t kClassBits = 4;
constexpr uint32_t kClassesPerLevel = 1u << kClassBits;
constexpr uint32_t kLevels = 32;

struct HeapHeader {
  Word64 committed_bytes;    // of the data range; the truth
  Word32 descriptors_ready;  // descriptors below this are committed; the truth
  Word32 descriptors_used;   // descriptors below this have been used
  Word64 used_bytes;         // of live blocks
  Word32 live_blocks;
  Word32 spare_descriptor;     // list of unused descriptors
  Word32 last_block;           // the block that ends at the committed size
  Word32 level_map;            // bit l: some class of level l has blocks
  Word32 class_maps[kLevels];  // bit c: class c of the level has blocks
  Word32 lists[kLevels * kClassesPerLevel];
};
static_assert(sizeof(HeapHeader) == 40 + 4 * kLevels + 4 * kLevels * kClassesPerLevel);

struct HeapBlock {
  uint32_t index = 0;
  uint32_t generation = 0;
  uint64_t offset = 0;
};

class Heap {
 public:
  Heap() = default;
  Heap(HeapHeader* header, BlockDescriptor* blocks) : header_(header), blocks_(blocks) {}

  // WOULD_BLOCK: no free block is large enough. TOO_MANY_RECORDS: no descriptor is ready for the
  // rest of the split block; commit more descriptors and try again.
  Status take(uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag, HeapBlock& out);
  // OBJECT_DESTROYED unless the block is live under this generation.
  Status give(uint32_t index, uint32_t generation);
  // The same without the pool's mutex; the indexes need a rebuild afterwards.
  Status give_unlisted(uint32_t index, uint32_t generation);
  // Adds a committed range at the end of the data.
  Status extend(uint64_t bytes);
  // Free bytes at the end of the committed data.
  uint64_t free_at_end() const;
  // Takes the whole free block at the end; WOULD_BLOCK if the last block is live.
  Status take_end(uint64_t owner, HeapBlock& out);
  // Takes free bytes at the end out of the committed data.
  void cut(uint64_t bytes);

  bool live(uint32_t index, uint32_t generation) const;
  BlockDescriptor& block(uint32_t index) const { return blocks_[index]; }
  HeapHeader& header() const { return *header_; }

  // Makes every index anew from the live descriptors, after a holder of the mutex died.
  void rebuild();
  // Compares every index with the live descriptors. Empty if all is well, else the first fault.
  const char* audit() const;

 private:
  uint32_t find(uint64_t granules) const;
  void make_live(uint32_t index, uint64_t bytes, AllocationType type, uint64_t owner, uint64_t tag,
                 HeapBlock& out);
  const char* audit_free(size_t live_blocks) const;
  void link(uint32_t index);
  void unlink(uint32_t index);
  void absorb(uint32_t first, uint32_t second);
  uint32_t spare();
  void discard(uint32_t index);
  void make_free(uint32_t index, uint64_t offset, uint64_t size);
  HeapHeader* header_ = nullptr;
  BlockDescriptor* blocks_ = nullptr;
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

}  // namespace dragon
