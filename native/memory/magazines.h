// One actor's magazines of a pool: freed blocks that it will use again without the pool's mutex.
//
// The truth is in the blocks' state words (heap.h); these lists are private to the process and may
// be wrong in one direction only: a block that stands here may have been taken back by somebody.
//
// Goals: a push or a pop is a few instructions; what is held is bounded in bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/size_class.h"

namespace dragon {

constexpr uint64_t kMagazineBytesMax = 64 << 10;
constexpr uint64_t kMagazineShare = 64;  // of the pool's limit
constexpr uint64_t kDepotBytesMax = 512 << 10;
constexpr uint64_t kDepotShare = 128;  // of the pool's limit

struct CachedBlock {
  uint32_t index = 0;
  uint32_t generation = 0;
};

class Magazines {
 public:
  void set_limit(uint64_t pool_limit_bytes);

  // Whether blocks of this size are held at all.
  bool holds(uint64_t block_bytes) const { return block_bytes <= limit_; }
  // Takes note that a block of this class had to come from the heap.
  void missed(uint32_t size_class);
  // Whether that was so often of late that a depot is worth asking for.
  bool in_demand(uint32_t size_class) const { return demand_[size_class] >= kDemandForDepot; }
  // How many blocks to fetch with one that was missing: more, the more often they were.
  uint32_t refill_count(uint32_t size_class, uint64_t block_bytes) const;

  void push(uint32_t size_class, uint64_t block_bytes, CachedBlock block) {
    classes_[size_class].push_back(block);
    filled_[size_class / 64] |= 1ull << size_class % 64;
    bytes_ += block_bytes;
  }
  bool pop(uint32_t size_class, uint64_t block_bytes, CachedBlock& out) {
    std::vector<CachedBlock>& blocks = classes_[size_class];
    if (blocks.empty()) return false;
    out = blocks.back();
    blocks.pop_back();
    bytes_ -= block_bytes;
    return true;
  }
  // How many blocks of a size a depot may hold in a pool of which so much is in use.
  uint32_t depot_count(uint64_t block_bytes, uint64_t held_bytes) const;
  // Lets the magazines hold so much of one class beyond their limit, for the sake of a depot.
  void hoard(uint32_t size_class, uint64_t bytes) {
    hoarded_class_ = size_class;
    hoarded_bytes_ = bytes;
  }
  // Whether to look now if a depot was asked for: not at each block, which would be in vain while
  // nobody asks.
  bool look_for_depot(uint32_t size_class) const {
    const size_t there = classes_[size_class].size();
    return there > 1 && (there % kDepotLook == 1 || bytes_ > limit_);
  }
  size_t count(uint32_t size_class) const { return classes_[size_class].size(); }
  void take_oldest(uint32_t size_class, uint64_t block_bytes, uint32_t count,
                   std::vector<CachedBlock>& out);
  // Takes out what is too much, the largest blocks first and those of class `keep` last; nothing
  // unless there is too much.
  void overflow(uint32_t keep, std::vector<CachedBlock>& out);
  void clear(std::vector<CachedBlock>& out);

 private:
  static constexpr uint8_t kDemandForDepot = 16;
  static constexpr size_t kDepotLook = 4;

  template <typename Visit>
  void for_each_filled(Visit&& visit);
  void take_older(uint32_t size_class, uint64_t target, std::vector<CachedBlock>& out);

  std::vector<CachedBlock> classes_[kSizeClasses];
  uint64_t filled_[(kSizeClasses + 63) / 64] = {};  // a bit per class that may hold blocks
  uint64_t bytes_ = 0;
  uint64_t limit_ = 0;
  uint64_t depot_limit_ = 0;
  uint32_t hoarded_class_ = 0;
  uint64_t hoarded_bytes_ = 0;
  uint8_t demand_[kSizeClasses] = {};  // what was missed of late
  uint32_t misses_ = 0;
};

}  // namespace dragon
