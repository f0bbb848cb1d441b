// The bytes between nodes: golden vectors, and what is refused.
#include "fabric/wire.h"

#include <doctest/doctest.h>
#include <string.h>

#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fabric/handshake.h"

using namespace dragon;
using namespace dragon::fabric;

namespace {

std::string hex(const uint8_t* bytes, size_t length) {
  std::string text;
  for (size_t i = 0; i < length; ++i) {
    const char* digits = "0123456789abcdef";
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

// Lines of a name and its bytes.
std::map<std::string, std::string> golden() {
  std::ifstream file("spec/vectors/wire/golden.txt");
  std::map<std::string, std::string> vectors;
  std::string name;
  std::string bytes;
  while (file >> name >> bytes) vectors[name] = bytes;
  REQUIRE(vectors.size() == 14);
  return vectors;
}

std::string header_bytes(const PacketHeader& header) {
  uint8_t bytes[kPacketHeaderBytes];
  encode_packet_header(header, bytes);
  PacketHeader found;
  REQUIRE(decode_packet_header(bytes, found));
  uint8_t again[kPacketHeaderBytes];
  encode_packet_header(found, again);
  CHECK(::memcmp(bytes, again, sizeof(bytes)) == 0);
  return hex(bytes, sizeof(bytes));
}

PacketHeader example(PacketKind kind) {
  PacketHeader header;
  header.kind = kind;
  header.flags = kFlagAnswer;
  header.life = link_life(0x1122334455667788, 0x99aabbccddeeff00);
  header.received = 0x0102030405060708;
  header.credit = 0x100000;
  if (kind == PacketKind::kHello) {
    header.life = 0;
    header.key = 0x1122334455667788;
    header.offset = 0x99aabbccddeeff00;
  }
  if (kind == PacketKind::kData || kind == PacketKind::kBulk || kind == PacketKind::kVoid) {
    header.sequence = 3;
  }
  if (kind == PacketKind::kData) {
    header.body_bytes = 11;
    header.body_crc = body_checksum("hello world", 11);
  }
  if (kind == PacketKind::kBulk) {
    header.body_bytes = kBulkBytesMax;
    header.key = 5;
    header.offset = 7u << 20;
  }
  return header;
}

std::string frame_bytes(FrameKind kind, const std::vector<uint8_t>& content) {
  std::vector<uint8_t> bytes(kFrameHeaderBytes + content.size());
  encode_frame_header({kind, static_cast<uint32_t>(content.size())}, bytes.data());
  ::memcpy(bytes.data() + kFrameHeaderBytes, content.data(), content.size());
  FrameReader reader(bytes.data(), bytes.size());
  FrameHeader header;
  const uint8_t* found = nullptr;
  REQUIRE(reader.next(header, found));
  CHECK(reader.is_whole());
  CHECK(header.kind == kind);
  return hex(bytes.data(), bytes.size());
}

std::vector<uint8_t> transfer_content(uint64_t transfer, uint64_t value) {
  std::vector<uint8_t> content(kTransferFrameBytes);
  encode_transfer_frame({transfer, value}, content.data());
  TransferFrame found;
  REQUIRE(decode_transfer_frame(content.data(), content.size(), found));
  CHECK(found.value == value);
  return content;
}

HandshakeSelf self_of(NodeIndex index) {
  HandshakeSelf self;
  self.index = index;
  self.run_id = 0xabcdef;
  self.incarnation = 1000 + index;
  for (size_t i = 0; i < kKeyBytes; ++i) self.key.bytes[i] = static_cast<uint8_t>(i);
  return self;
}

struct Said {
  uint8_t call[kHandshakeBytes];
  uint8_t answer[kHandshakeBytes];
  uint8_t confirm[kHandshakeBytes];
};

Said shake(uint8_t first_nonce, uint8_t second_nonce) {
  const HandshakeSelf a = self_of(3);
  const HandshakeSelf b = self_of(4);
  Handshake caller(a);
  Handshake responder(b);
  Nonce one;
  Nonce two;
  ::memset(one.bytes, first_nonce, kNonceBytes);
  ::memset(two.bytes, second_nonce, kNonceBytes);
  Said said;
  caller.call(4, one, said.call);
  REQUIRE(responder.answer(said.call, two, said.answer) == Refusal::kNone);
  REQUIRE(caller.confirm(said.answer, said.confirm) == Refusal::kNone);
  REQUIRE(responder.finish(said.confirm) == Refusal::kNone);
  CHECK(responder.peer() == 3);
  CHECK(responder.peer_incarnation() == 1003);
  CHECK(caller.peer_incarnation() == 1004);
  return said;
}

}  // namespace

TEST_CASE("packets and frames are those of the golden vectors [WIR-010] [WIR-012] [WIR-013]") {
  const auto vectors = golden();
  CHECK(header_bytes(example(PacketKind::kHello)) == vectors.at("hello"));
  CHECK(header_bytes(example(PacketKind::kData)) == vectors.at("data"));
  CHECK(header_bytes(example(PacketKind::kBulk)) == vectors.at("bulk"));
  CHECK(header_bytes(example(PacketKind::kVoid)) == vectors.at("void"));
  CHECK(header_bytes(example(PacketKind::kAck)) == vectors.at("ack"));
  CHECK(frame_bytes(FrameKind::kUser, {1, 2, 3}) == vectors.at("user"));
  std::vector<uint8_t> offer(kOfferHeadBytes + 2, 9);
  encode_offer_head({6, 1ull << 33}, offer.data());
  CHECK(frame_bytes(FrameKind::kOffer, offer) == vectors.at("offer"));
  CHECK(frame_bytes(FrameKind::kAccept, transfer_content(6, 77)) == vectors.at("accept"));
  CHECK(frame_bytes(FrameKind::kRefuse, transfer_content(6, 10)) == vectors.at("refuse"));
  CHECK(frame_bytes(FrameKind::kStop, transfer_content(6, 0)) == vectors.at("stop"));
  CHECK(frame_bytes(FrameKind::kDone, transfer_content(6, 0)) == vectors.at("done"));
}

TEST_CASE("the handshake is that of the golden vectors [WIR-001] [WIR-002]") {
  const auto vectors = golden();
  const Said said = shake(1, 2);
  CHECK(hex(said.call, kHandshakeBytes) == vectors.at("call"));
  CHECK(hex(said.answer, kHandshakeBytes) == vectors.at("answer"));
  CHECK(hex(said.confirm, kHandshakeBytes) == vectors.at("confirm"));
}

TEST_CASE("any changed bit of a header makes it none [WIR-013]") {
  uint8_t bytes[kPacketHeaderBytes];
  encode_packet_header(example(PacketKind::kData), bytes);
  PacketHeader found;
  for (size_t bit = 0; bit < sizeof(bytes) * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK_FALSE(decode_packet_header(bytes, found));
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  CHECK(decode_packet_header(bytes, found));
}

TEST_CASE("a header that breaks a rule is refused [WIR-011]") {
  const auto refused = [](PacketKind kind, auto change) {
    PacketHeader header = example(kind);
    change(header);
    uint8_t bytes[kPacketHeaderBytes];
    encode_packet_header(header, bytes);
    PacketHeader found;
    return !decode_packet_header(bytes, found);
  };
  using Header = PacketHeader;
  CHECK(refused(PacketKind::kData, [](Header& h) { h.body_bytes = kDataBytesMax + 1; }));
  CHECK(refused(PacketKind::kData, [](Header& h) { h.body_bytes = 7; }));
  CHECK(refused(PacketKind::kData, [](Header& h) { h.sequence = 0; }));
  CHECK(refused(PacketKind::kData, [](Header& h) { h.key = 1; }));
  CHECK(refused(PacketKind::kBulk, [](Header& h) { h.body_bytes = kBulkBytesMax + 1; }));
  CHECK(refused(PacketKind::kBulk, [](Header& h) { h.body_bytes = 0; }));
  CHECK(refused(PacketKind::kBulk, [](Header& h) { h.key = 0; }));
  CHECK(refused(PacketKind::kBulk, [](Header& h) { h.offset = UINT64_MAX; }));
  CHECK(refused(PacketKind::kBulk, [](Header& h) { h.body_crc = 1; }));
  CHECK(refused(PacketKind::kVoid, [](Header& h) { h.body_bytes = 1; }));
  CHECK(refused(PacketKind::kAck, [](Header& h) { h.sequence = 1; }));
  CHECK(refused(PacketKind::kAck, [](Header& h) { h.flags = 4; }));
  CHECK(refused(PacketKind::kHello, [](Header& h) { h.key = 0; }));
  CHECK(refused(PacketKind::kHello, [](Header& h) { h.life = 1; }));
  CHECK(refused(PacketKind::kHello, [](Header& h) { h.kind = static_cast<PacketKind>(6); }));
}

TEST_CASE("a row of frames that does not fill its body is not whole [WIR-012]") {
  std::vector<uint8_t> row;
  for (uint32_t bytes : {0u, 5u, 100u}) {
    const size_t at = row.size();
    row.resize(at + kFrameHeaderBytes + bytes);
    encode_frame_header({FrameKind::kUser, bytes}, row.data() + at);
  }
  for (size_t length = 0; length <= row.size(); ++length) {
    FrameReader reader(row.data(), length);
    FrameHeader header;
    const uint8_t* content = nullptr;
    while (reader.next(header, content)) {
    }
    CHECK(reader.is_whole() == (length == 0 || length == 8 || length == 21 || length == 129));
  }
}

TEST_CASE("no changed bit of any message gets through a handshake [WIR-003]") {
  const HandshakeSelf a = self_of(3);
  const HandshakeSelf b = self_of(4);
  Nonce nonce;
  for (size_t bit = 0; bit < kHandshakeBytes * 8; ++bit) {
    for (int message = 0; message < 3; ++message) {
      Handshake caller(a);
      Handshake responder(b);
      Said said;
      const auto flip = [&](int which, uint8_t* bytes) {
        if (which == message) bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      };
      caller.call(4, nonce, said.call);
      flip(0, said.call);
      Refusal refusal = responder.answer(said.call, nonce, said.answer);
      flip(1, said.answer);
      if (refusal == Refusal::kNone) refusal = caller.confirm(said.answer, said.confirm);
      flip(2, said.confirm);
      if (refusal == Refusal::kNone) refusal = responder.finish(said.confirm);
      CHECK(refusal != Refusal::kNone);
    }
  }
}

TEST_CASE("what was said on one connection is refused on another [WIR-004]") {
  const Said earlier = shake(1, 2);
  const HandshakeSelf a = self_of(3);
  const HandshakeSelf b = self_of(4);
  Handshake responder(b);
  Nonce nonce;
  ::memset(nonce.bytes, 3, kNonceBytes);
  uint8_t answer[kHandshakeBytes];
  REQUIRE(responder.answer(earlier.call, nonce, answer) == Refusal::kNone);
  CHECK(responder.finish(earlier.confirm) == Refusal::kKey);
  Handshake caller(a);
  uint8_t call[kHandshakeBytes];
  uint8_t confirm[kHandshakeBytes];
  caller.call(4, nonce, call);
  CHECK(caller.confirm(earlier.answer, confirm) == Refusal::kKey);
  // What one side said is nothing that the other could have said.
  CHECK(Handshake(a).answer(call, nonce, answer) == Refusal::kStranger);
  CHECK(Handshake(b).answer(earlier.answer, nonce, answer) == Refusal::kGarbage);
}

TEST_CASE("the first bytes tell garbage and other versions [WIR-003]") {
  const Said said = shake(1, 2);
  uint8_t bytes[kHandshakeBytes];
  ::memcpy(bytes, said.call, sizeof(bytes));
  for (size_t length = 0; length <= sizeof(bytes); ++length) {
    CHECK(Handshake::look(bytes, length) == Refusal::kNone);
  }
  bytes[4] = 2;
  CHECK(Handshake::look(bytes, 5) == Refusal::kNone);
  CHECK(Handshake::look(bytes, 6) == Refusal::kVersion);
  bytes[0] ^= 1;
  CHECK(Handshake::look(bytes, 1) == Refusal::kGarbage);
}
