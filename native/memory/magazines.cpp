#include "memory/magazines.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "memory/depot.h"

namespace dragon {

namespace {

constexpr uint32_t kRefillMost = 15;
constexpr uint64_t kRefillShare = 8;   // of the limit
constexpr uint32_t kDemandRound = 64;  // misses after which older ones count for half
// A depot has this many blocks or bytes, the larger, and in a pool that holds much more than that
// and as large ones.
constexpr uint32_t kDepotBlocksFew = 8;
constexpr uint64_t kDepotBytesFew = 16 << 10;
constexpr uint64_t kDepotUseShare = 16;  // of what the pool holds

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
  depot_limit_ = std::min(kDepotBytesMax, pool_limit_bytes / kDepotShare);
}

void Magazines::missed(uint32_t size_class) {
  if (++misses_ % kDemandRound == 0) {
    for (uint8_t& each : demand_) each /= 2;
  }
  ++demand_[size_class];
}

// Nothing with a block that is the first of its size for a while: others would be in the way of
// those that are wanted.
uint32_t Magazines::refill_count(uint32_t size_class, uint64_t block_bytes) const {
  const uint64_t room = limit_ / kRefillShare / block_bytes;
  const uint64_t wanted = demand_[size_class] - 1u;
  return static_cast<uint32_t>(std::min({room, wanted, uint64_t{kRefillMost}}));
}

// Down to half of the limit, so that the next overflow is some way off: of the largest blocks
// first, which the fewest allocations want, but for those that are kept for a depot.
void Magazines::overflow(uint32_t keep, std::vector<CachedBlock>& out) {
  if (bytes_ <= limit_) return;
  const uint64_t there = classes_[hoarded_class_].size() * bytes_of_class(hoarded_class_);
  const uint64_t hoard = std::min(hoarded_bytes_, there);
  if (bytes_ <= limit_ + hoard) return;
  const uint64_t target = std::max(limit_ / 2, bytes_of_class(keep)) + hoard;
  for_each_filled([&](uint32_t size_class) {
    if (size_class == keep || bytes_ <= target) return;
    const bool hoarded = size_class == hoarded_class_;
    take_older(size_class, hoarded ? std::max(target, bytes_ - (there - hoard)) : target, out);
  });
  take_older(keep, target, out);
}

uint32_t Magazines::depot_count(uint64_t block_bytes, uint64_t held_bytes) const {
  const uint64_t many = std::max<uint64_t>(kDepotBlocksFew, kDepotBytesFew / block_bytes);
  const uint64_t share = std::max(kDepotBytesFew, held_bytes / kDepotUseShare);
  const uint64_t room = std::min(depot_limit_, share) / block_bytes;
  return static_cast<uint32_t>(std::min({many, room, uint64_t{kDepotBlocks}}));
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
  hoarded_bytes_ = 0;
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
