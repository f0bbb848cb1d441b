// One actor's magazines of a pool: freed blocks that it will use again without the pool's mutex.
//
// The truth is in the blocks' state words (heap.h); these lists are private to the process and may
// be wrong in one direction only: a block that stands here may have been taken back by somebody.
//
// Goals: a push or a pop is a few instructions; what is held is bounded in bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "memory/size_class.h"

namespace dragon {

constexpr uint64_t kMagazineBytesMax = 64 << 10;
constexpr uint64_t kMagazineShare = 64;  // of the pool's limit

struct CachedBlock {
  uint32_t index = 0;
  uint32_t generation = 0;
};

class Magazines {
 public:
  void set_limit(uint64_t pool_limit_bytes);

  // Whether blocks of this size are held at all.
  bool holds(uint64_t block_bytes) const { return block_bytes <= limit_; }
  // How many blocks to fetch with one that was missing.
  uint32_t refill_count(uint64_t block_bytes) const;

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
  // How many blocks of a class there are beyond those that the actor itself may soon want, once
  // they are worth handing over; 0 if they are not.
  uint32_t depot_count(uint32_t size_class, uint64_t block_bytes, uint32_t most) const;
  void take_oldest(uint32_t size_class, uint64_t block_bytes, uint32_t count,
                   std::vector<CachedBlock>& out);
  // Takes out what is too much, the largest blocks first and those of class `keep` last; nothing
  // unless there is too much.
  void overflow(uint32_t keep, std::vector<CachedBlock>& out);
  void clear(std::vector<CachedBlock>& out);

 private:
  template <typename Visit>
  void for_each_filled(Visit&& visit);
  void take_older(uint32_t size_class, uint64_t target, std::vector<CachedBlock>& out);

  std::vector<CachedBlock> classes_[kSizeClasses];
  uint64_t filled_[(kSizeClasses + 63) / 64] = {};  // a bit per class that may hold blocks
  uint64_t bytes_ = 0;
  uint64_t limit_ = 0;
};

}  // namespace dragon
