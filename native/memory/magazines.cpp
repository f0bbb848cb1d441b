#include "memory/magazines.h"

#include <algorithm>

namespace dragon {

namespace {

constexpr uint32_t kRefillMost = 15;
constexpr uint64_t kRefillShare = 8;  // of the limit

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

// Down to half of the limit, so that the next overflow is some way off.
void Magazines::overflow(uint32_t keep, std::vector<CachedBlock>& out) {
  if (bytes_ <= limit_) return;
  const uint64_t target = std::max(limit_ / 2, bytes_of_class(keep));
  for (uint32_t step = 1; step <= kSizeClasses && bytes_ > target; ++step) {
    const uint32_t size_class = (keep + step) % kSizeClasses;
    if ((filled_[size_class / 64] >> size_class % 64 & 1) == 0) continue;
    while (bytes_ > target && take_half(size_class, out)) {
    }
  }
}

void Magazines::clear(std::vector<CachedBlock>& out) {
  for (std::vector<CachedBlock>& blocks : classes_) {
    out.insert(out.end(), blocks.begin(), blocks.end());
    blocks.clear();
  }
  for (uint64_t& bits : filled_) bits = 0;
  bytes_ = 0;
}

// The older half of a class, at least one; false if there is none.
bool Magazines::take_half(uint32_t size_class, std::vector<CachedBlock>& out) {
  std::vector<CachedBlock>& blocks = classes_[size_class];
  if (blocks.empty()) {
    filled_[size_class / 64] &= ~(1ull << size_class % 64);
    return false;
  }
  const auto middle = blocks.begin() + static_cast<long>((blocks.size() + 1) / 2);
  out.insert(out.end(), blocks.begin(), middle);
  bytes_ -= static_cast<uint64_t>(middle - blocks.begin()) * bytes_of_class(size_class);
  blocks.erase(blocks.begin(), middle);
  return true;
}

}  // namespace dragon
