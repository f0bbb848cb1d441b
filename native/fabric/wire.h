// What goes over the wire between two nodes: layouts, encoding and validation.
//
// Integers are little-endian. A packet is a header of 64 bytes and a body; the body of a data
// packet is a row of frames, each with a header of 8 bytes.
//
// Goals: whatever does not follow these layouts is refused as a whole; a packet says how long it
// is in a header with a checksum, so that garbage is never waited for.
// Non-goals: connections and handshakes (handshake.h), and what frames mean to those who send them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dragon::fabric {

constexpr uint32_t kPacketMagic = 0x31504e44;  // "DNP1"; another version has another magic
constexpr size_t kPacketHeaderBytes = 64;
constexpr size_t kFrameHeaderBytes = 8;
// What one data packet's body holds at most, and one bulk packet's.
constexpr uint32_t kDataBytesMax = 64u << 10;
constexpr uint32_t kBulkBytesMax = 1u << 20;
// One frame's content at most: 16 KiB of payload and what the layer above says about it.
constexpr uint32_t kFrameBytesMax = (16u << 10) + 1024;

enum class PacketKind : uint8_t {
  kHello = 1,  // who speaks, and what it has received: begins a link, and every connection
  kData = 2,   // frames
  kBulk = 3,   // a part of a transfer's bytes
  kVoid = 4,   // takes the place of a bulk packet whose transfer was cancelled
  kAck = 5,    // nothing but the header's own fields
};

// Flags of a packet.
constexpr uint8_t kFlagAnswer = 1;  // the sender wants a packet back at once
constexpr uint8_t kFlagGap = 2;     // the sender has seen a later packet than the one it waits for

struct PacketHeader {
  PacketKind kind = PacketKind::kAck;
  uint8_t flags = 0;
  uint32_t body_bytes = 0;
  uint32_t body_crc = 0;  // CRC-32C of a data packet's body, else 0
  uint32_t life = 0;      // link_life of both sides' incarnations; 0 in a hello
  uint64_t sequence = 0;  // counts data, bulk and void packets from 1; 0 in the others
  uint64_t received = 0;  // all packets up to this one have arrived
  uint64_t credit = 0;    // cost of frames that the receiver may be sent altogether
  uint64_t key = 0;       // of a bulk packet: its landing
  uint64_t offset = 0;    // and where in it; of a hello: both incarnations, see below
};

// A hello's key is the speaker's incarnation, and its offset the one that it knows of the other
// side, 0 if none.

// What tells packets of a link's life from those of an earlier one.
uint32_t link_life(uint64_t from_incarnation, uint64_t to_incarnation);
uint32_t body_checksum(const void* body, size_t bytes);

enum class FrameKind : uint8_t {
  kUser = 1,    // the layer above's, as it is
  kOffer = 2,   // OfferHead, then the layer above's header
  kAccept = 3,  // TransferFrame: send the bytes to this landing
  kRefuse = 4,  // TransferFrame: don't send them; `value` is the status
  kStop = 5,    // TransferFrame: no more bytes will come for this transfer
  kDone = 6,    // TransferFrame: all bytes have landed
};

struct FrameHeader {
  FrameKind kind = FrameKind::kUser;
  uint32_t bytes = 0;
};

// Begins an offer's content.
struct OfferHead {
  uint64_t transfer = 0;
  uint64_t bytes = 0;
};
constexpr size_t kOfferHeadBytes = 16;

// The whole content of the other frames about a transfer.
struct TransferFrame {
  uint64_t transfer = 0;
  uint64_t value = 0;  // accept: the landing's key; refuse: the status; else 0
};
constexpr size_t kTransferFrameBytes = 16;

void encode_packet_header(const PacketHeader& header, uint8_t* out);
// False, with `out` unspecified, for anything but a header that encode_packet_header could have
// written.
bool decode_packet_header(const uint8_t* bytes, PacketHeader& out);

void encode_frame_header(const FrameHeader& header, uint8_t* out);
void encode_offer_head(const OfferHead& head, uint8_t* out);
void encode_transfer_frame(const TransferFrame& frame, uint8_t* out);
bool decode_offer_head(const uint8_t* bytes, size_t length, OfferHead& out);
bool decode_transfer_frame(const uint8_t* bytes, size_t length, TransferFrame& out);

// Reads a data packet's body, frame by frame.
class FrameReader {
 public:
  FrameReader() = default;
  FrameReader(const uint8_t* body, size_t bytes) : next_(body), rest_(bytes) {}

  // The next frame; false at the end, and at what is no frame (then `is_whole` is false).
  bool next(FrameHeader& header, const uint8_t*& content);
  bool is_whole() const { return rest_ == 0; }

 private:
  const uint8_t* next_ = nullptr;
  size_t rest_ = 0;
};

}  // namespace dragon::fabric
