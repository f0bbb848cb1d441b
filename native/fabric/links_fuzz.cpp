// Anything as a packet, a row of frames, or a handshake; and a peer that holds the key and says
// what it likes, in whole packets: links refuse it, keep their bounds, and let go of all memory.
#include <stdlib.h>
#include <string.h>

#include <deque>
#include <map>
#include <vector>

#include "fabric/handshake.h"
#include "fabric/links.h"
#include "fuzz/kernel.h"

using namespace dragon;
using namespace dragon::fabric;
using fuzz::require;

namespace {

constexpr NodeIndex kPeer = 1;
constexpr uint64_t kOwnLife = 100;
constexpr uint64_t kPeerLife = 200;
constexpr uint64_t kLandedBytesMax = 1u << 16;
constexpr uint8_t kSilent = 0xff;  // a peer that does not say hello by itself

// A fabric that says what the input says, and takes whatever is sent.
class ScriptFabric final : public Fabric {
 public:
  NodeIndex self() const override { return 0; }
  bool is_reliable() const override { return false; }
  void connect(NodeIndex) override { say(FabricEvent::Kind::kConnected); }
  void disconnect(NodeIndex) override { events.clear(); }
  Status send(NodeIndex, const OutPacket* packets, size_t count) override {
    for (size_t i = 0; i < count; ++i) {
      PacketHeader header;
      require(decode_packet_header(static_cast<const uint8_t*>(packets[i].head), header));
      require(packets[i].head_bytes + packets[i].body_bytes ==
              kPacketHeaderBytes + header.body_bytes);
      if (header.kind == PacketKind::kHello) own_life = header.key;
    }
    if (!holds) return DRAGON_SUCCESS;
    say(FabricEvent::Kind::kFlushed);
    return DRAGON_WOULD_BLOCK;
  }
  Status post_landing(NodeIndex, uint64_t key, void*, uint64_t bytes) override {
    return landings.insert({key, bytes}).second ? DRAGON_SUCCESS : DRAGON_EXISTS;
  }
  void drop_landing(uint64_t key) override { require(landings.erase(key) == 1); }
  Status add_memory(void*, uint64_t) override { return DRAGON_SUCCESS; }
  void remove_memory(void*) override {}
  Status watch(int, uint64_t) override { return DRAGON_NOT_SUPPORTED; }
  void unwatch(int) override {}
  void wait(uint64_t) override {}
  bool next_event(FabricEvent& out) override {
    if (events.empty()) return false;
    out = events.front();
    events.pop_front();
    return true;
  }
  const FabricCounters& counters() const override { return counted; }
  void say(FabricEvent::Kind kind) {
    FabricEvent event;
    event.kind = kind;
    event.peer = kPeer;
    events.push_back(event);
  }

  std::deque<FabricEvent> events;
  std::map<uint64_t, uint64_t> landings;
  FabricCounters counted;
  uint64_t own_life = kOwnLife;
  bool holds = false;
};

// What the layer above would do with what it hears.
void serve(Links& links, uint64_t now_ns, uint8_t mood) {
  LinkEvent event;
  while (links.next_event(now_ns, event)) {
    if (event.kind == LinkEvent::Kind::kFrame || event.kind == LinkEvent::Kind::kOffer) {
      require(event.length <= kFrameBytesMax);
      if ((mood & 1) != 0) links.consume(event.peer, event.cost);
    }
    if (event.kind != LinkEvent::Kind::kOffer) continue;
    if ((mood & 2) != 0 || event.transfer_bytes > kLandedBytesMax) {
      links.refuse(event.peer, event.transfer, DRAGON_OUT_OF_MEMORY);
    } else if (links.accept(event.peer, event.transfer, nullptr, 1) == DRAGON_SUCCESS) {
      if ((mood & 4) != 0) links.abandon(event.peer, event.transfer);
    }
  }
  links.flush(now_ns);
}

// A row of frames, each of a byte for its kind, one for its length, and its content.
size_t put_frames(const uint8_t* bytes, size_t length, std::vector<uint8_t>& body) {
  size_t taken = 0;
  while (length - taken >= 4 && body.size() < 200) {
    const uint8_t* frame = bytes + taken;
    const auto kind = static_cast<FrameKind>(1 + frame[0] % 7);
    const bool is_long = kind == FrameKind::kUser || kind == FrameKind::kOffer;
    const uint32_t content = is_long ? frame[1] % 64 : kTransferFrameBytes;
    const size_t at = body.size();
    body.resize(at + kFrameHeaderBytes + content);
    encode_frame_header({kind, content}, body.data() + at);
    uint8_t both[kTransferFrameBytes];
    encode_transfer_frame({frame[2], frame[3]}, both);
    const size_t named = content < sizeof(both) ? content : sizeof(both);
    if (named > 0) ::memcpy(body.data() + at + kFrameHeaderBytes, both, named);
    taken += 4;
    if ((frame[0] & 128) != 0) break;
  }
  return taken;
}

// A packet is eight bytes about it and, of a data packet, its body.
size_t put_packet(ScriptFabric& fabric, uint64_t& sequence, const uint8_t* bytes, size_t length,
                  std::vector<uint8_t>& body) {
  FabricEvent event;
  event.peer = kPeer;
  PacketHeader& header = event.header;
  header.kind = static_cast<PacketKind>(1 + bytes[0] % 5);
  header.flags = bytes[1] & 3;
  header.life = link_life(kPeerLife + bytes[2] / 128, fabric.own_life);
  header.received = bytes[3];
  header.credit = uint64_t{bytes[4]} << 8;
  header.sequence = (bytes[5] & 7) == 7 ? bytes[5] : ++sequence;
  header.key = fabric.landings.empty() ? bytes[6] : fabric.landings.begin()->first;
  if (header.kind == PacketKind::kHello) {
    header.key = kPeerLife + bytes[2] / 128;
    header.offset = fabric.own_life - bytes[6] / 128;
  }
  size_t taken = 8;
  if (header.kind == PacketKind::kBulk) {
    event.kind = FabricEvent::Kind::kBulk;
    header.body_bytes = uint32_t{bytes[7]} << 4;
    header.offset = (bytes[6] & 1) != 0 ? header.body_bytes : 0;
    event.landed = (bytes[6] & 2) == 0;
  } else if (header.kind == PacketKind::kData) {
    body.clear();
    if ((bytes[7] & 3) == 3) {
      const size_t kept = bytes[7] < length - taken ? bytes[7] : length - taken;
      body.assign(bytes + taken, bytes + taken + kept);
      taken += kept;
    } else {
      taken += put_frames(bytes + taken, length - taken, body);
    }
    header.body_bytes = static_cast<uint32_t>(body.size());
    header.body_crc = body_checksum(body.data(), body.size()) ^ (bytes[6] == 1 ? 1 : 0);
    event.body = body.data();
  } else if (header.kind != PacketKind::kVoid) {
    header.sequence = 0;
  }
  fabric.events.push_back(event);
  return taken;
}

void run_links(uint8_t mood, const uint8_t* bytes, size_t length) {
  ScriptFabric fabric;
  fabric.holds = (mood & 8) != 0;
  LinksOptions options;
  options.incarnation = kOwnLife;
  options.queue_bytes = options.credit_bytes = 1 << 14;
  options.death_ns = 1'000;
  Links links(fabric, options);
  static const uint8_t memory[4096] = {};
  TransferId transfer = 0;
  const Piece piece{memory, 100};
  links.send(kPeer, &piece, 1);
  links.offer(kPeer, piece, memory, sizeof(memory), 1, transfer);
  uint64_t sequence = 0;
  uint64_t now_ns = 1;
  std::vector<uint8_t> body;
  links.flush(now_ns);
  const uint8_t hello[8] = {};
  if (mood != kSilent) put_packet(fabric, sequence, hello, sizeof(hello), body);
  sequence = 0;
  serve(links, now_ns, mood);
  while (length >= 8) {
    const size_t taken = put_packet(fabric, sequence, bytes, length, body);
    now_ns += bytes[1] >> 2;
    bytes += taken;
    length -= taken;
    serve(links, now_ns, mood);
  }
  links.cancel(kPeer, transfer);
  links.declare_dead(now_ns, kPeer);
  serve(links, now_ns, mood);
  require(fabric.landings.empty());
}

// With a bit of the shape a header begins as one does.
void read_bytes(uint8_t shape, const uint8_t* bytes, size_t length) {
  FrameReader reader(bytes, length);
  FrameHeader frame;
  const uint8_t* content = nullptr;
  while (reader.next(frame, content)) require(content + frame.bytes <= bytes + length);
  // Mutations never hit the checksum: without the bit it is wrong.
  uint8_t packet[kPacketHeaderBytes] = {};
  PacketHeader header;
  uint8_t again[kPacketHeaderBytes];
  ::memcpy(packet, bytes, length < sizeof(packet) ? length : sizeof(packet));
  if ((shape & 16) == 0) {
    require(!decode_packet_header(packet, header));
    return;
  }
  ::memcpy(packet, &kPacketMagic, sizeof(kPacketMagic));
  packet[4] &= 7;
  packet[6] = packet[7] = (shape & 8) != 0 ? 1 : 0;
  const uint32_t zero = 0;
  ::memcpy(packet + 20, &zero, sizeof(zero));
  const uint32_t checksum = body_checksum(packet, sizeof(packet));
  ::memcpy(packet + 20, &checksum, sizeof(checksum));
  if (!decode_packet_header(packet, header)) return;
  encode_packet_header(header, again);
  require(::memcmp(packet, again, sizeof(packet)) == 0);
}

// With the highest bit of the shape the message has a good proof, with another one the beginning of
// a call to this node.
void shake(uint8_t shape, const uint8_t* bytes, size_t length) {
  uint8_t message[kHandshakeBytes] = {};
  uint8_t answer[kHandshakeBytes];
  ::memcpy(message, bytes, length < sizeof(message) ? length : sizeof(message));
  const uint8_t beginning[16] = {'D', 'N', 'G', 'H', 1, 0, 1};
  if ((shape & 16) != 0) {
    ::memcpy(message, beginning, sizeof(beginning));
    length = 0;
  }
  HandshakeSelf self;
  Handshake handshake(self);
  const Refusal early = Handshake::look(bytes, length);
  if ((shape & 128) != 0) keyed_digest(self.key, message, 96, message + 96);
  const Refusal refusal = handshake.answer(message, Nonce{}, answer);
  if (length >= kHandshakeBytes && early != Refusal::kNone) require(refusal == early);
  if (refusal != Refusal::kNone) return;
  require((shape & 128) != 0 && handshake.peer() != self.index);
  require(handshake.finish(message) != Refusal::kNone);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t length) {
  if (length == 0) return 0;
  const uint8_t shape = bytes[0];
  if ((shape & 96) == 0) {
    read_bytes(shape, bytes + 1, length - 1);
  } else if ((shape & 96) == 32) {
    shake(shape, bytes + 1, length - 1);
  } else {
    run_links(shape, bytes + 1, length - 1);
  }
  return 0;
}
