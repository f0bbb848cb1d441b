// One peer's share of Links: what is to be sent to it, what it has, and what it may send.
//
// A life of a link lasts from the agreement on both sides' incarnations to the death of one side as
// the other sees it. Sequence numbers, credit and transfers belong to a life. Whoever declares the
// other dead goes on under a higher incarnation, so that the other one learns of it.
//
// Goals: every change follows from a call with the time in it; effects are calls of the fabric and
// events, in the order in which they follow.
// Non-goals: which link is looked at when (links.cpp).
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "fabric/links.h"
#include "fabric/packet_buffer.h"

namespace dragon::fabric {

// What all links of a node share.
struct LinkContext {
  Fabric& fabric;
  LinksOptions options;
  std::deque<LinkEvent> events;
  uint64_t next_key = 1;  // of landings; none is used twice, whoever lived before
};

class Link {
 public:
  Link(LinkContext& context, NodeIndex peer);

  Status send(const Piece* pieces, size_t count);
  Status offer(const Piece& header, const void* memory, uint64_t bytes, uint64_t token,
               TransferId& out);
  void cancel(TransferId transfer);
  Status accept(TransferId transfer, void* memory, uint64_t token);
  void refuse(TransferId transfer, Status status);
  void abandon(TransferId transfer);
  void consume(uint64_t cost);
  void watch(bool on) { watched_ = on; }
  bool is_idle() const;

  void on_connected(uint64_t now_ns);
  void on_lost();
  void on_flushed();
  // A packet without frames is dealt with here. True for a data packet that is the next one, whose
  // frames are then handed to `on_frame`, one by one, as long as `life` stays the same.
  bool on_packet(uint64_t now_ns, const FabricEvent& event);
  // True if the frame is one for the layer above: `out` is filled.
  bool on_frame(uint64_t now_ns, const FrameHeader& header, const uint8_t* content, LinkEvent& out);
  void on_timer(uint64_t now_ns);
  // Ends the link's life: all that is open fails.
  void die(uint64_t now_ns);
  // The layer above has been told of a death: until then it can't mean the new life.
  void on_told() { --deaths_untold_; }
  // Sends what may be sent now; true if more could go out at once.
  bool pump(uint64_t now_ns);

  uint64_t timer_ns() const;
  uint64_t life() const { return incarnation_; }

  bool is_dirty = false;  // stands in the list of those to be pumped

 private:
  // A packet with a number: kept until the peer has it.
  struct Packet {
    PacketKind kind = PacketKind::kData;
    uint64_t sequence = 0;
    uint64_t cost = 0;
    uint32_t body_crc = 0;
    PacketBuffer buffer;  // of a data packet: header and body
    uint8_t head[kPacketHeaderBytes];
    TransferId transfer = 0;
    const uint8_t* memory = nullptr;
    uint32_t bytes = 0;  // of the body
    uint64_t key = 0;
    uint64_t offset = 0;
  };
  struct Outgoing {
    const uint8_t* memory = nullptr;
    uint64_t bytes = 0;
    uint64_t token = 0;
    uint64_t key = 0;   // 0: not accepted
    uint64_t sent = 0;  // handed to packets
  };
  struct Incoming {
    uint64_t bytes = 0;
    uint64_t landed = 0;
    uint64_t token = 0;
    uint64_t key = 0;  // 0: not accepted
  };
  using Packets = std::deque<Packet>;

  Status room_for(uint64_t cost);
  uint8_t* append(Packets& queue, FrameKind kind, uint32_t bytes, uint64_t cost);
  void append_transfer_frame(Packets& queue, FrameKind kind, TransferId transfer, uint64_t value);
  bool has_business() const;
  void look_at_silence(uint64_t now_ns);

  void say_hello(uint64_t now_ns);
  void on_hello(uint64_t now_ns, const PacketHeader& header);
  void become_up(uint64_t now_ns);
  bool take_number(uint64_t now_ns, const FabricEvent& event);
  void on_bulk(uint64_t now_ns, const FabricEvent& event);
  void on_accept(const TransferFrame& frame);
  void on_stop(TransferId transfer);
  void land(TransferId transfer, Incoming& incoming);
  void ack(bool at_once, uint64_t now_ns);

  bool next_packet(OutPacket& out);
  bool next_new_packet();
  bool next_bulk_packet();
  void encode(Packet& packet, OutPacket& out);
  PacketHeader header_now() const;
  bool transmit(uint64_t now_ns, const OutPacket* packets, size_t count);
  void on_acknowledged(uint64_t now_ns, uint64_t received);
  void release();
  void end_outgoing(TransferId transfer, Status status);
  void report(LinkEvent::Kind kind, TransferId transfer, uint64_t token, Status status);
  void forget();

  LinkContext& context_;
  const NodeIndex peer_;

  // Both sides.
  uint64_t incarnation_;
  uint64_t peer_incarnation_ = 0;  // the newest heard of
  bool agreed_ = false;            // both sides know each other's in this life
  bool connecting_ = false;
  bool connected_ = false;
  bool up_ = false;    // agreed, and on this connection
  bool busy_ = false;  // the fabric still refers to packets
  bool hello_due_ = false;
  bool watched_ = false;
  uint32_t deaths_untold_ = 0;
  uint64_t hello_at_ns_ = UINT64_MAX;
  uint64_t silent_since_ns_ = 0;  // 0: nothing is open
  uint64_t pinged_at_ns_ = 0;

  // To the peer.
  Packets control_;    // frames that need no credit
  Packets waiting_;    // frames that do
  Packets retained_;   // numbered, not acknowledged
  size_t resend_ = 0;  // the first of them that is to be sent (again)
  uint64_t next_sequence_ = 1;
  uint64_t acked_ = 0;
  uint64_t queued_cost_ = 0;
  uint64_t sent_cost_ = 0;
  uint64_t peer_credit_ = 0;
  uint64_t flight_bytes_ = 0;
  bool blocked_ = false;    // `send` was WOULD_BLOCK
  bool bulk_turn_ = false;  // data and bulk packets take turns
  bool has_gap_ = false;    // the peer lacks a packet
  uint64_t gap_at_ = 0;     // the one that was sent again last because of that
  uint64_t retry_ns_;
  uint64_t retry_at_ns_ = UINT64_MAX;
  std::unordered_map<TransferId, Outgoing> outgoing_;
  std::deque<TransferId> sending_;  // accepted, with bytes that are in no packet yet
  std::vector<LinkEvent> endings_;  // to be reported when the fabric lets go of the memory
  TransferId next_transfer_ = 1;    // goes on in later lives

  // From the peer.
  uint64_t received_ = 0;
  uint64_t consumed_cost_ = 0;
  uint64_t outstanding_cost_ = 0;
  uint64_t told_credit_ = 0;
  uint64_t unacked_bytes_ = 0;
  bool ack_now_ = false;
  bool ping_now_ = false;
  bool tell_gap_ = false;
  uint64_t ack_at_ns_ = UINT64_MAX;
  std::unordered_map<TransferId, Incoming> incoming_;
  std::unordered_map<uint64_t, TransferId> landings_;  // by key

  uint8_t plain_head_[kPacketHeaderBytes];  // of a hello or an ack
};

}  // namespace dragon::fabric
