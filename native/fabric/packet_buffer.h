// The bytes of one packet that is being filled: a header and frames, in one piece of memory that
// grows as they come.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "fabric/wire.h"

namespace dragon::fabric {

class PacketBuffer {
 public:
  PacketBuffer() = default;
  PacketBuffer(PacketBuffer&& other) noexcept { *this = std::move(other); }
  PacketBuffer& operator=(PacketBuffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(length_, other.length_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~PacketBuffer() { std::free(bytes_); }

  // Room for `count` more bytes behind the packet header and what is there already.
  uint8_t* extend(uint32_t count) {
    if (length_ + count > capacity_) grow(length_ + count);
    uint8_t* at = bytes_ + length_;
    length_ += count;
    return at;
  }
  uint8_t* head() { return bytes_; }
  const uint8_t* body() const { return bytes_ + kPacketHeaderBytes; }
  uint32_t body_bytes() const { return length_ - static_cast<uint32_t>(kPacketHeaderBytes); }

 private:
  static constexpr uint32_t kCapacityMin = 256;

  void grow(uint32_t wanted) {
    uint32_t capacity = capacity_ == 0 ? kCapacityMin : capacity_;
    while (capacity < wanted) capacity *= 2;
    void* grown = std::realloc(bytes_, capacity);
    if (grown == nullptr) std::abort();
    bytes_ = static_cast<uint8_t*>(grown);
    capacity_ = capacity;
  }

  uint8_t* bytes_ = nullptr;
  uint32_t length_ = kPacketHeaderBytes;
  uint32_t capacity_ = 0;
};

}  // namespace dragon::fabric
