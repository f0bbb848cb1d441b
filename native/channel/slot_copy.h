// Copies into and out of slots.
//
// A receiver copies a slot before it knows that the message is its own, so another process may be
// writing there for the next message; then the copy is thrown away, since the cell has changed.
// For the thread sanitizer the copies are made of atomic words, which makes the race a defined one.
#pragma once

#include <string.h>
#include <sys/uio.h>

#include <cstdint>

#include "channel/channel_layout.h"

namespace dragon {

// From here on a copy is one of whole cache lines.
constexpr uint64_t kLineCopyBytesMin = 64 << 10;

#ifdef __SANITIZE_THREAD__

inline void copy_bytes(uint8_t* to, const uint8_t* from, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; ++at) {
    const uint8_t byte = __atomic_load_n(from + at, __ATOMIC_RELAXED);
    __atomic_store_n(to + at, byte, __ATOMIC_RELAXED);
  }
}

#else

// A large copy, forward and line by line of the target. The C library goes backward where both lie
// at like places of their pages, at half the speed while another core reads what was copied before.
[[gnu::noinline]] inline void copy_lines(uint8_t* to, const uint8_t* from, uint64_t bytes) {
  using Part [[gnu::vector_size(16), gnu::may_alias]] = uint64_t;
  const uint64_t front = -reinterpret_cast<uintptr_t>(to) % kLineBytes;
  ::memcpy(to, from, front);
  const uint64_t end = front + (bytes - front) / kLineBytes * kLineBytes;
  for (uint64_t at = front; at < end; at += kLineBytes) {
    auto* target = reinterpret_cast<Part*>(to + at);
    Part first, second, third, fourth;
    ::memcpy(&first, from + at, sizeof first);
    ::memcpy(&second, from + at + 16, sizeof second);
    ::memcpy(&third, from + at + 32, sizeof third);
    ::memcpy(&fourth, from + at + 48, sizeof fourth);
    target[0] = first;
    target[1] = second;
    target[2] = third;
    target[3] = fourth;
  }
  ::memcpy(to + end, from + end, bytes - end);
}

inline void copy_bytes(uint8_t* to, const uint8_t* from, uint64_t bytes) {
  if (bytes < kLineCopyBytesMin) [[likely]] {
    ::memcpy(to, from, bytes);
  } else {
    copy_lines(to, from, bytes);
  }
}

#endif

// Copies bytes that their owner may be freeing; the caller checks afterwards whether they were
// still the message's. Word by word, so that the race is a defined one; the source is aligned and
// padded to 8 bytes at least.
__attribute__((no_sanitize("thread"))) inline void copy_unstable(uint8_t* to, const uint8_t* from,
                                                                 uint64_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(from);
  for (uint64_t at = 0; at < bytes; at += 8) {
    const uint64_t word = __atomic_load_n(words + at / 8, __ATOMIC_RELAXED);
    const uint64_t left = bytes - at;
    ::memcpy(to + at, &word, left < 8 ? left : 8);
  }
}

inline void gather(uint8_t* to, const iovec* parts, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].iov_len == 0) continue;
    copy_bytes(to, static_cast<const uint8_t*>(parts[i].iov_base), parts[i].iov_len);
    to += parts[i].iov_len;
  }
}

inline uint64_t total_bytes(const iovec* parts, size_t count) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return bytes;
}

}  // namespace dragon
