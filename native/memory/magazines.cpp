#include "memory/magazines.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace dragon {

namespace {

constexpr uint32_t kRefillMost = 15;
constexpr uint64_t kRefillShare = 8;  // of the limit
constexpr uint64_t kDepotShare = 4;

constexpr uint64_t bytes_of_class(uint32_t size_class) {
  if (size_class < kFineClasses) return (size_class + 1) * kGranuleBytes;
  const uint32_t number = size_class - kFineClasses;
  return (kFineBytesMax << number / 8) / 8 * (9 + number % 8);
}
static_assert(bytes_of_class(0) == 16 && bytes_of_class(kFineClasses) == 1152);
static_assert(bytes_of_class(kSizeClasses - 1) == kClassedBytesMax);

}  // namespace

void Magazines::set_limit(uint64_t pool_limit_bytes) {
  limit_ = std::min(kMagazineBytesMax, pool_limit_bytes / kMagazineShare);
}

uint32_t Magazines::refill_count(uint64_t block_bytes) const {
  const uint64_t room = limit_ / kRefillShare / block_bytes;
  return static_cast<uint32_t>(std::min<uint64_t>(room, kRefillMost));
}

// Down to half of the limit, so that the next overflow is some way off: of the largest blocks
// first, which the fewest allocations want.
void Magazines::overflow(uint32_t keep, std::vector<CachedBlock>& out) {
  if (bytes_ <= limit_) return;
  const uint64_t target = std::max(limit_ / 2, bytes_of_class(keep));
  for_each_filled([&](uint32_t size_class) {
    if (size_class != keep && bytes_ > target) take_older(size_class, target, out);
  });
  take_older(keep, target, out);
}

// A quarter of the limit at most: what lies in all depots is no more than an actor may have. Looks
// only now and then, since it looks in vain while nobody fetches anything.
uint32_t Magazines::depot_count(uint32_t size_class, uint64_t block_bytes, uint32_t most) const {
  const uint64_t room = limit_ / kDepotShare / block_bytes;
  const auto count = static_cast<uint32_t>(std::min<uint64_t>(room, most));
  const size_t there = classes_[size_class].size();
  return count != 0 && there > count && there % count == 0 ? count : 0;
}

void Magazines::take_oldest(uint32_t size_class, uint64_t block_bytes, uint32_t count,
                            std::vector<CachedBlock>& out) {
  std::vector<CachedBlock>& blocks = classes_[size_class];
  for (uint32_t i = 0; i < count; ++i) out.push_back(blocks[i]);
  blocks.erase(blocks.begin(), blocks.begin() + static_cast<long>(count));
  bytes_ -= count * block_bytes;
}

void Magazines::clear(std::vector<CachedBlock>& out) {
  for_each_filled([&](uint32_t size_class) {
    for (const CachedBlock& block : classes_[size_class]) out.push_back(block);
    classes_[size_class].clear();
  });
  bytes_ = 0;
}

// The largest first; classes that were emptied by pops are no longer called filled.
template <typename Visit>
void Magazines::for_each_filled(Visit&& visit) {
  for (size_t word = std::size(filled_); word-- > 0;) {
    for (uint64_t bits = filled_[word]; bits != 0;) {
      const auto bit = static_cast<uint32_t>(std::bit_width(bits)) - 1;
      bits &= ~(1ull << bit);
      const auto size_class = static_cast<uint32_t>(word * 64) + bit;
      if (!classes_[size_class].empty()) visit(size_class);
      if (classes_[size_class].empty()) filled_[word] &= ~(1ull << bit);
    }
  }
}

// As many of the oldest as bring the bytes down to the target.
void Magazines::take_older(uint32_t size_class, uint64_t target, std::vector<CachedBlock>& out) {
  if (bytes_ <= target) return;
  std::vector<CachedBlock>& blocks = classes_[size_class];
  const uint64_t size = bytes_of_class(size_class);
  const uint64_t count = std::min<uint64_t>((bytes_ - target + size - 1) / size, blocks.size());
  for (uint64_t i = 0; i < count; ++i) out.push_back(blocks[i]);
  blocks.erase(blocks.begin(), blocks.begin() + static_cast<long>(count));
  bytes_ -= count * size;
}

}  // namespace dragon
