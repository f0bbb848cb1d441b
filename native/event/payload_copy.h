// Copies of bytes that another process may overwrite at the same moment.
//
// The caller looks afterwards whether what it copied was still the same, and throws it away if
// not. Whole words are moved, with acquire and release, so that the look can't come before them.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

namespace dragon {

// `shared` has room for `bytes` rounded up to 8.
inline void copy_in(uint64_t* shared, const uint8_t* from, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += 8, ++shared) {
    uint64_t word = 0;
    std::memcpy(&word, from + at, bytes - at < 8 ? bytes - at : 8);
    std::atomic_ref<uint64_t>(*shared).store(word, std::memory_order_release);
  }
}

inline void copy_out(uint8_t* to, uint64_t* shared, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += 8, ++shared) {
    const uint64_t word = std::atomic_ref<uint64_t>(*shared).load(std::memory_order_acquire);
    std::memcpy(to + at, &word, bytes - at < 8 ? bytes - at : 8);
  }
}

}  // namespace dragon
