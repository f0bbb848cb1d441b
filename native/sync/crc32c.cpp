#include "sync/crc32c.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#include <string.h>
#else
#include <array>
#endif

namespace dragon {

#ifdef __SSE4_2__

uint32_t crc32c(const void* bytes, size_t length) {
  const auto* next = static_cast<const uint8_t*>(bytes);
  uint64_t value = UINT32_MAX;
  for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t), next += sizeof(uint64_t)) {
    uint64_t eight;
    ::memcpy(&eight, next, sizeof(eight));
    value = ::_mm_crc32_u64(value, eight);
  }
  auto rest = static_cast<uint32_t>(value);
  for (size_t i = 0; i < length; ++i) rest = ::_mm_crc32_u8(rest, next[i]);
  return ~rest;
}

#else

namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78u : 0);
    table[byte] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

}  // namespace

uint32_t crc32c(const void* bytes, size_t length) {
  const auto* next = static_cast<const uint8_t*>(bytes);
  uint32_t value = UINT32_MAX;
  for (size_t i = 0; i < length; ++i) value = value >> 8 ^ kTable[(value ^ next[i]) & 0xff];
  return ~value;
}

#endif

}  // namespace dragon
