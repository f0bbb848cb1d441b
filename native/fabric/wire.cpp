#include "fabric/wire.h"

#include <string.h>

#include <bit>

#include "sync/crc32c.h"

namespace dragon::fabric {
namespace {

static_assert(std::endian::native == std::endian::little);

// Where the fields of a packet's header lie.
constexpr size_t kAtKind = 4;
constexpr size_t kAtFlags = 5;
constexpr size_t kAtBodyBytes = 8;
constexpr size_t kAtBodyCrc = 12;
constexpr size_t kAtLife = 16;
constexpr size_t kAtCrc = 20;
constexpr size_t kAtSequence = 24;
constexpr size_t kAtReceived = 32;
constexpr size_t kAtCredit = 40;
constexpr size_t kAtKey = 48;
constexpr size_t kAtOffset = 56;
static_assert(kAtOffset + sizeof(uint64_t) == kPacketHeaderBytes);

template <typename T>
void put(uint8_t* at, T value) {
  ::memcpy(at, &value, sizeof(value));
}

template <typename T>
T get(const uint8_t* at) {
  T value;
  ::memcpy(&value, at, sizeof(value));
  return value;
}

bool valid_fields(const PacketHeader& header) {
  const bool numbered = header.sequence != 0;
  const bool placed = header.key != 0 || header.offset != 0;
  switch (header.kind) {
    case PacketKind::kHello:
      return !numbered && header.body_bytes == 0 && header.life == 0 && header.key != 0;
    case PacketKind::kData:
      return numbered && !placed && header.body_bytes >= kFrameHeaderBytes &&
             header.body_bytes <= kDataBytesMax;
    case PacketKind::kBulk:
      return numbered && header.key != 0 && header.body_bytes > 0 &&
             header.body_bytes <= kBulkBytesMax && header.offset <= UINT64_MAX - header.body_bytes;
    case PacketKind::kVoid:
      return numbered && !placed && header.body_bytes == 0;
    case PacketKind::kAck:
      return !numbered && !placed && header.body_bytes == 0;
  }
  return false;
}

bool valid_frame(const FrameHeader& header) {
  switch (header.kind) {
    case FrameKind::kUser:
      return header.bytes <= kFrameBytesMax;
    case FrameKind::kOffer:
      return header.bytes >= kOfferHeadBytes && header.bytes <= kFrameBytesMax;
    case FrameKind::kAccept:
    case FrameKind::kRefuse:
    case FrameKind::kStop:
    case FrameKind::kDone:
      return header.bytes == kTransferFrameBytes;
  }
  return false;
}

}  // namespace

uint32_t link_life(uint64_t from_incarnation, uint64_t to_incarnation) {
  const uint64_t both[2] = {from_incarnation, to_incarnation};
  return crc32c(both, sizeof(both));
}

uint32_t body_checksum(const void* body, size_t bytes) {
  return crc32c(body, bytes);
}

void encode_packet_header(const PacketHeader& header, uint8_t* out) {
  ::memset(out, 0, kPacketHeaderBytes);
  put(out, kPacketMagic);
  put(out + kAtKind, header.kind);
  put(out + kAtFlags, header.flags);
  put(out + kAtBodyBytes, header.body_bytes);
  put(out + kAtBodyCrc, header.body_crc);
  put(out + kAtLife, header.life);
  put(out + kAtSequence, header.sequence);
  put(out + kAtReceived, header.received);
  put(out + kAtCredit, header.credit);
  put(out + kAtKey, header.key);
  put(out + kAtOffset, header.offset);
  put(out + kAtCrc, crc32c(out, kPacketHeaderBytes));
}

bool decode_packet_header(const uint8_t* bytes, PacketHeader& out) {
  if (get<uint32_t>(bytes) != kPacketMagic || get<uint16_t>(bytes + 6) != 0) return false;
  uint8_t unsummed[kPacketHeaderBytes];
  ::memcpy(unsummed, bytes, sizeof(unsummed));
  put(unsummed + kAtCrc, uint32_t{0});
  if (get<uint32_t>(bytes + kAtCrc) != crc32c(unsummed, sizeof(unsummed))) return false;
  out.kind = get<PacketKind>(bytes + kAtKind);
  out.flags = get<uint8_t>(bytes + kAtFlags);
  out.body_bytes = get<uint32_t>(bytes + kAtBodyBytes);
  out.body_crc = get<uint32_t>(bytes + kAtBodyCrc);
  out.life = get<uint32_t>(bytes + kAtLife);
  out.sequence = get<uint64_t>(bytes + kAtSequence);
  out.received = get<uint64_t>(bytes + kAtReceived);
  out.credit = get<uint64_t>(bytes + kAtCredit);
  out.key = get<uint64_t>(bytes + kAtKey);
  out.offset = get<uint64_t>(bytes + kAtOffset);
  if ((out.flags & ~(kFlagAnswer | kFlagGap)) != 0) return false;
  if (out.kind != PacketKind::kData && out.body_crc != 0) return false;
  return valid_fields(out);
}

void encode_frame_header(const FrameHeader& header, uint8_t* out) {
  put(out, header.bytes);
  put(out + 4, static_cast<uint32_t>(header.kind));
}

void encode_offer_head(const OfferHead& head, uint8_t* out) {
  put(out, head.transfer);
  put(out + 8, head.bytes);
}

void encode_transfer_frame(const TransferFrame& frame, uint8_t* out) {
  put(out, frame.transfer);
  put(out + 8, frame.value);
}

bool decode_offer_head(const uint8_t* bytes, size_t length, OfferHead& out) {
  if (length < kOfferHeadBytes) return false;
  out.transfer = get<uint64_t>(bytes);
  out.bytes = get<uint64_t>(bytes + 8);
  return out.transfer != 0;
}

bool decode_transfer_frame(const uint8_t* bytes, size_t length, TransferFrame& out) {
  if (length != kTransferFrameBytes) return false;
  out.transfer = get<uint64_t>(bytes);
  out.value = get<uint64_t>(bytes + 8);
  return out.transfer != 0;
}

bool FrameReader::next(FrameHeader& header, const uint8_t*& content) {
  if (rest_ < kFrameHeaderBytes) return false;
  header.bytes = get<uint32_t>(next_);
  const auto kind = get<uint32_t>(next_ + 4);
  if (kind == 0 || kind > static_cast<uint32_t>(FrameKind::kDone)) return false;
  header.kind = static_cast<FrameKind>(kind);
  if (!valid_frame(header) || rest_ - kFrameHeaderBytes < header.bytes) return false;
  content = next_ + kFrameHeaderBytes;
  next_ = content + header.bytes;
  rest_ -= kFrameHeaderBytes + header.bytes;
  return true;
}

}  // namespace dragon::fabric
