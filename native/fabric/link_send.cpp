// What a link sends: queues, numbers, acknowledgements.
#include <string.h>

#include <algorithm>

#include "fabric/link.h"

namespace dragon::fabric {
namespace {

// One data packet's cost at most: what a receiver gets beyond its credit.
constexpr uint64_t kPacketCostMax = 128u << 10;
constexpr size_t kBatchPackets = 32;
constexpr uint64_t kBatchBytes = 1u << 20;
// What one link sends before others have their turn.
constexpr uint64_t kTurnBytes = 4u << 20;

}  // namespace

Status Link::room_for(uint64_t cost) {
  if (deaths_untold_ > 0) return DRAGON_NODE_GONE;
  if (queued_cost_ == 0 || queued_cost_ + cost <= context_.options.queue_bytes) {
    return DRAGON_SUCCESS;
  }
  blocked_ = true;
  return DRAGON_WOULD_BLOCK;
}

// Room for a frame's content at the end of the queue's last packet.
uint8_t* Link::append(Packets& queue, FrameKind kind, uint32_t bytes, uint64_t cost) {
  const uint32_t whole = static_cast<uint32_t>(kFrameHeaderBytes) + bytes;
  if (queue.empty() || queue.back().buffer.body_bytes() + whole > kDataBytesMax ||
      queue.back().cost + cost > kPacketCostMax) {
    queue.emplace_back();
  }
  Packet& packet = queue.back();
  packet.cost += cost;
  queued_cost_ += cost;
  uint8_t* at = packet.buffer.extend(whole);
  encode_frame_header({kind, bytes}, at);
  return at + kFrameHeaderBytes;
}

void Link::append_transfer_frame(Packets& queue, FrameKind kind, TransferId transfer,
                                 uint64_t value) {
  encode_transfer_frame({transfer, value}, append(queue, kind, kTransferFrameBytes, 0));
}

Status Link::send(const Piece* pieces, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) bytes += pieces[i].length;
  if (bytes > kFrameBytesMax) return DRAGON_TOO_LARGE;
  const Status status = room_for(bytes + kFrameCost);
  if (status != DRAGON_SUCCESS) return status;
  uint8_t* at =
      append(waiting_, FrameKind::kUser, static_cast<uint32_t>(bytes), bytes + kFrameCost);
  for (size_t i = 0; i < count; ++i) {
    if (pieces[i].length > 0) ::memcpy(at, pieces[i].bytes, pieces[i].length);
    at += pieces[i].length;
  }
  return DRAGON_SUCCESS;
}

bool Link::pump(uint64_t now_ns) {
  look_at_silence(now_ns);
  if (!connected_) {
    if (!connecting_ && has_business()) {
      connecting_ = true;
      context_.fabric.connect(peer_);
    }
    return false;
  }
  if (busy_) return false;
  if (hello_due_) say_hello(now_ns);
  uint64_t turn = 0;
  while (up_ && !busy_) {
    if (turn >= kTurnBytes) return true;
    OutPacket packets[kBatchPackets];
    size_t count = 0;
    uint64_t bytes = 0;
    while (count < kBatchPackets && bytes < kBatchBytes && next_packet(packets[count])) {
      bytes += packets[count].head_bytes + packets[count].body_bytes;
      ++count;
    }
    if (count == 0 && ack_now_) {
      PacketHeader header = header_now();
      header.kind = PacketKind::kAck;
      encode_packet_header(header, plain_head_);
      packets[count++] = {plain_head_, kPacketHeaderBytes, nullptr, 0};
    }
    if (count == 0 || !transmit(now_ns, packets, count)) return false;
    turn += bytes;
  }
  return false;
}

bool Link::transmit(uint64_t now_ns, const OutPacket* packets, size_t count) {
  const Status status = context_.fabric.send(peer_, packets, count);
  // The connection is gone, and its event on the way: all that is not acknowledged is sent again.
  if (status != DRAGON_SUCCESS && status != DRAGON_WOULD_BLOCK) return false;
  busy_ = status == DRAGON_WOULD_BLOCK;
  if (!up_) return true;
  told_credit_ = consumed_cost_ + context_.options.credit_bytes;
  unacked_bytes_ = 0;
  ack_now_ = ping_now_ = false;
  ack_at_ns_ = UINT64_MAX;
  const bool retries = has_gap_ || !context_.fabric.is_reliable();
  if (retries && !retained_.empty() && retry_at_ns_ == UINT64_MAX) {
    retry_at_ns_ = now_ns + retry_ns_;
  }
  return true;
}

PacketHeader Link::header_now() const {
  PacketHeader header;
  header.life = link_life(incarnation_, peer_incarnation_);
  header.received = received_;
  header.credit = consumed_cost_ + context_.options.credit_bytes;
  const bool is_short_of_room = queued_cost_ > context_.options.queue_bytes / 2;
  if (ping_now_ || is_short_of_room) header.flags |= kFlagAnswer;
  if (tell_gap_) header.flags |= kFlagGap;
  return header;
}

bool Link::next_packet(OutPacket& out) {
  if (resend_ == retained_.size() && !next_new_packet()) return false;
  encode(retained_[resend_++], out);
  return true;
}

// Gives the next packet its number: frames about transfers first, then frames and bytes in turns.
bool Link::next_new_packet() {
  if (flight_bytes_ >= context_.options.window_bytes) return false;
  Packets* from = nullptr;
  if (!control_.empty()) {
    from = &control_;
  } else if (!waiting_.empty() && (sent_cost_ < peer_credit_ || waiting_.front().cost == 0)) {
    from = &waiting_;
  }
  const bool is_bulk = from != &control_ && (from == nullptr || bulk_turn_) && next_bulk_packet();
  if (!is_bulk && from == nullptr) return false;
  bulk_turn_ = !is_bulk;
  if (!is_bulk) {
    retained_.push_back(std::move(from->front()));
    from->pop_front();
    Packet& packet = retained_.back();
    packet.bytes = packet.buffer.body_bytes();
    packet.body_crc = body_checksum(packet.buffer.body(), packet.bytes);
    sent_cost_ += packet.cost;
  }
  retained_.back().sequence = next_sequence_++;
  flight_bytes_ += retained_.back().bytes;
  return true;
}

bool Link::next_bulk_packet() {
  if (sending_.empty()) return false;
  const TransferId transfer = sending_.front();
  sending_.pop_front();
  Outgoing& outgoing = outgoing_[transfer];
  Packet& packet = retained_.emplace_back();
  packet.kind = PacketKind::kBulk;
  packet.transfer = transfer;
  packet.key = outgoing.key;
  packet.offset = outgoing.sent;
  packet.memory = outgoing.memory + outgoing.sent;
  packet.bytes =
      static_cast<uint32_t>(std::min<uint64_t>(outgoing.bytes - outgoing.sent, kBulkBytesMax));
  outgoing.sent += packet.bytes;
  if (outgoing.sent < outgoing.bytes) sending_.push_back(transfer);
  return true;
}

void Link::encode(Packet& packet, OutPacket& out) {
  PacketHeader header = header_now();
  header.kind = packet.kind;
  header.sequence = packet.sequence;
  header.body_bytes = packet.bytes;
  if (packet.kind == PacketKind::kData) {
    header.body_crc = packet.body_crc;
    encode_packet_header(header, packet.buffer.head());
    out = {packet.buffer.head(), kPacketHeaderBytes + packet.bytes, nullptr, 0};
    return;
  }
  if (packet.kind == PacketKind::kBulk) {
    header.key = packet.key;
    header.offset = packet.offset;
  }
  encode_packet_header(header, packet.head);
  out = {packet.head, kPacketHeaderBytes, packet.memory, packet.bytes};
}

void Link::on_acknowledged(uint64_t now_ns, uint64_t received) {
  // Nobody has what was not sent.
  if (received <= acked_ || received >= next_sequence_) return;
  acked_ = received;
  has_gap_ = false;
  retry_ns_ = context_.options.retry_ns;
  release();
  const bool retries = !retained_.empty() && !context_.fabric.is_reliable();
  retry_at_ns_ = retries ? now_ns + retry_ns_ : UINT64_MAX;
}

void Link::release() {
  if (busy_) return;
  while (!retained_.empty() && retained_.front().sequence <= acked_) {
    queued_cost_ -= retained_.front().cost;
    flight_bytes_ -= retained_.front().bytes;
    retained_.pop_front();
    if (resend_ > 0) --resend_;
  }
  if (!blocked_ || queued_cost_ > context_.options.queue_bytes / 2) return;
  blocked_ = false;
  LinkEvent event;
  event.kind = LinkEvent::Kind::kWritable;
  event.peer = peer_;
  context_.events.push_back(event);
}

}  // namespace dragon::fabric
