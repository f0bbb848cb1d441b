// How many bytes a request takes, and where it may begin.
//
// Goals: at most 48 % of a block from 9 to 63 bytes is waste, 20 % from 64 on, and no more than
// 12.5 % above 1 KiB; and so few sizes that freed blocks find a new user of just their size.
#pragma once

#include <bit>
#include <cstdint>

namespace dragon {

constexpr uint64_t kGranuleBytes = 16;
// Blocks of objects, and of data above 1 KiB, begin at cache lines.
constexpr uint64_t kLineAlignment = 64;
// Up to here block sizes are whole granules.
constexpr uint64_t kFineBytesMax = 1024;
// Up to here they are an eighth of a power of two apart; above, whole lines.
constexpr uint64_t kClassedBytesMax = 64 << 10;

constexpr uint64_t class_step(uint64_t bytes) {
  return std::bit_floor(bytes - 1) / 8;
}

constexpr uint64_t block_bytes_for(uint64_t bytes) {
  uint64_t step = kLineAlignment;
  if (bytes <= kFineBytesMax) {
    step = kGranuleBytes;
  } else if (bytes <= kClassedBytesMax) {
    step = class_step(bytes);
  }
  return (bytes + step - 1) / step * step;
}
static_assert(block_bytes_for(1) == 16 && block_bytes_for(1024) == 1024);
static_assert(block_bytes_for(1025) == 1152 && block_bytes_for(kClassedBytesMax) == 64 << 10);

// The classes of blocks that magazines hold: each size up to kClassedBytesMax that
// `block_bytes_for` gives.
constexpr uint32_t kFineClasses = kFineBytesMax / kGranuleBytes;
constexpr uint32_t kSizeClasses = kFineClasses + 6 * 8;
constexpr uint32_t kNoSizeClass = UINT32_MAX;

// Of a block, which has whole granules; kNoSizeClass for a size that no class has.
constexpr uint32_t size_class_of(uint64_t block_bytes) {
  if (block_bytes <= kFineBytesMax) return static_cast<uint32_t>(block_bytes / kGranuleBytes - 1);
  if (block_bytes > kClassedBytesMax) return kNoSizeClass;
  const uint64_t step = class_step(block_bytes);
  if (block_bytes % step != 0) return kNoSizeClass;
  const auto doubling = static_cast<uint32_t>(std::countr_zero(step * 8 / kFineBytesMax));
  return kFineClasses + doubling * 8 + static_cast<uint32_t>(block_bytes / step - 9);
}
static_assert(size_class_of(16) == 0 && size_class_of(1024) == kFineClasses - 1);
static_assert(size_class_of(1152) == kFineClasses && size_class_of(2048) == kFineClasses + 7);
static_assert(size_class_of(kClassedBytesMax) == kSizeClasses - 1);
static_assert(size_class_of(1040) == kNoSizeClass);

constexpr uint64_t data_alignment(uint64_t block_bytes) {
  return block_bytes <= kFineBytesMax ? kGranuleBytes : kLineAlignment;
}

}  // namespace dragon
