#include "fabric/link.h"

#include <algorithm>

namespace dragon::fabric {
namespace {

constexpr uint64_t kHelloNs = 100'000'000;
constexpr uint64_t kRetriesPerDeath = 8;
constexpr uint64_t kUnackedBytesMax = 256u << 10;

}  // namespace

Link::Link(LinkContext& context, NodeIndex peer)
    : context_(context),
      peer_(peer),
      incarnation_(context.options.incarnation),
      retry_ns_(context.options.retry_ns) {}

bool Link::is_idle() const {
  return retained_.empty() && waiting_.empty() && control_.empty() && outgoing_.empty();
}

bool Link::has_business() const {
  return watched_ || !is_idle() || !landings_.empty();
}

void Link::on_connected(uint64_t now_ns) {
  connecting_ = false;
  connected_ = true;
  up_ = false;
  hello_due_ = true;
  hello_at_ns_ = now_ns + kHelloNs;
}

void Link::on_lost() {
  connected_ = false;
  up_ = false;
  connecting_ = false;
  hello_at_ns_ = UINT64_MAX;
  on_flushed();
}

void Link::on_flushed() {
  busy_ = false;
  release();
  for (LinkEvent& event : endings_) context_.events.push_back(event);
  endings_.clear();
}

void Link::say_hello(uint64_t now_ns) {
  PacketHeader header;
  header.kind = PacketKind::kHello;
  header.flags = up_ ? 0 : kFlagAnswer;
  header.received = received_;
  header.credit = consumed_cost_ + context_.options.credit_bytes;
  header.key = incarnation_;
  header.offset = peer_incarnation_;
  encode_packet_header(header, plain_head_);
  const OutPacket packet{plain_head_, kPacketHeaderBytes, nullptr, 0};
  hello_due_ = false;
  transmit(now_ns, &packet, 1);
}

void Link::on_hello(uint64_t now_ns, const PacketHeader& header) {
  if (header.key < peer_incarnation_) return;  // late, from a life that is over
  if (header.key > peer_incarnation_) {
    const bool was_agreed = agreed_;
    // What was agreed with the peer's earlier life ends with it, and so does the connection, which
    // may still refer to packets. Whoever has something to say makes the next one.
    if (was_agreed) die(now_ns);
    peer_incarnation_ = header.key;
    if (was_agreed) return;
  }
  if (silent_since_ns_ != 0) silent_since_ns_ = now_ns;
  if (connected_ && header.offset == incarnation_) {
    if (!up_) become_up(now_ns);
    peer_credit_ = std::max(peer_credit_, header.credit);
    on_acknowledged(now_ns, header.received);
  }
  if (!up_ || (header.flags & kFlagAnswer) != 0) hello_due_ = true;
}

void Link::become_up(uint64_t now_ns) {
  up_ = true;
  hello_at_ns_ = UINT64_MAX;
  resend_ = 0;
  if (!retained_.empty()) retry_at_ns_ = now_ns + retry_ns_;
  if (agreed_) return;
  agreed_ = true;
  LinkEvent event;
  event.kind = LinkEvent::Kind::kUp;
  event.peer = peer_;
  event.incarnation = peer_incarnation_;
  context_.events.push_back(event);
}

bool Link::on_packet(uint64_t now_ns, const FabricEvent& event) {
  const PacketHeader& header = event.header;
  if (header.kind == PacketKind::kHello) {
    on_hello(now_ns, header);
    return false;
  }
  if (peer_incarnation_ == 0 || header.life != link_life(peer_incarnation_, incarnation_)) {
    return false;
  }
  // Whoever says this knows both incarnations.
  if (!up_ && connected_) become_up(now_ns);
  if (silent_since_ns_ != 0) silent_since_ns_ = now_ns;
  peer_credit_ = std::max(peer_credit_, header.credit);
  on_acknowledged(now_ns, header.received);
  if ((header.flags & kFlagGap) != 0) {
    has_gap_ = true;
    if (gap_at_ != acked_ + 1) {
      gap_at_ = acked_ + 1;
      resend_ = 0;
    }
    if (!retained_.empty()) retry_at_ns_ = std::min(retry_at_ns_, now_ns + retry_ns_);
  }
  if ((header.flags & kFlagAnswer) != 0) ack(true, now_ns);
  if (header.sequence == 0 || !take_number(now_ns, event)) return false;
  if (header.kind == PacketKind::kBulk) on_bulk(now_ns, event);
  return header.kind == PacketKind::kData;
}

// Whether the packet is the next one.
bool Link::take_number(uint64_t now_ns, const FabricEvent& event) {
  const PacketHeader& header = event.header;
  const bool is_next = header.sequence == received_ + 1;
  const bool is_whole = header.kind != PacketKind::kData || !is_next ||
                        body_checksum(event.body, header.body_bytes) == header.body_crc;
  if (!is_next || !is_whole) {
    // One that is here already was sent again because its acknowledgement got lost.
    tell_gap_ = tell_gap_ || header.sequence > received_ + 1 || !is_whole;
    ack(true, now_ns);
    return false;
  }
  tell_gap_ = false;
  ++received_;
  unacked_bytes_ += header.body_bytes;
  ack(unacked_bytes_ >= kUnackedBytesMax, now_ns);
  return true;
}

void Link::ack(bool at_once, uint64_t now_ns) {
  if (at_once) {
    ack_now_ = true;
  } else {
    ack_at_ns_ = std::min(ack_at_ns_, now_ns + context_.options.ack_delay_ns);
  }
}

void Link::on_timer(uint64_t now_ns) {
  if (ack_at_ns_ <= now_ns) {
    ack_at_ns_ = UINT64_MAX;
    ack_now_ = true;
  }
  if (hello_at_ns_ <= now_ns) {
    hello_at_ns_ = now_ns + kHelloNs;
    hello_due_ = true;
  }
  if (retry_at_ns_ <= now_ns) {
    retry_ns_ = std::min(retry_ns_ * 2, context_.options.death_ns / kRetriesPerDeath);
    const bool retries = up_ && !retained_.empty() && (has_gap_ || !context_.fabric.is_reliable());
    retry_at_ns_ = retries ? now_ns + retry_ns_ : UINT64_MAX;
    if (retries) resend_ = 0;
  }
  look_at_silence(now_ns);
  if (silent_since_ns_ == 0) return;
  if (now_ns - silent_since_ns_ >= context_.options.death_ns) {
    die(now_ns);
  } else if (up_ &&
             now_ns >= std::max(silent_since_ns_, pinged_at_ns_) + context_.options.ping_ns) {
    pinged_at_ns_ = now_ns;
    ping_now_ = true;
    ack_now_ = true;
  }
}

// Silence counts from when something is open.
void Link::look_at_silence(uint64_t now_ns) {
  if (!has_business()) {
    silent_since_ns_ = 0;
  } else if (silent_since_ns_ == 0) {
    silent_since_ns_ = now_ns;
  }
}

uint64_t Link::timer_ns() const {
  uint64_t at = std::min({ack_at_ns_, hello_at_ns_, retry_at_ns_});
  if (silent_since_ns_ == 0) return at;
  at = std::min(at, silent_since_ns_ + context_.options.death_ns);
  if (!up_) return at;
  return std::min(at, std::max(silent_since_ns_, pinged_at_ns_) + context_.options.ping_ns);
}

void Link::die(uint64_t now_ns) {
  const bool was_known = agreed_ || has_business();
  context_.fabric.disconnect(peer_);
  on_lost();
  std::vector<TransferId> open;
  for (const auto& [transfer, outgoing] : outgoing_) open.push_back(transfer);
  std::sort(open.begin(), open.end());
  for (const TransferId transfer : open) {
    report(LinkEvent::Kind::kSent, transfer, outgoing_[transfer].token, DRAGON_NODE_GONE);
  }
  open.clear();
  for (const auto& [key, transfer] : landings_) {
    context_.fabric.drop_landing(key);
    open.push_back(transfer);
  }
  std::sort(open.begin(), open.end());
  for (const TransferId transfer : open) {
    report(LinkEvent::Kind::kLanded, transfer, incoming_[transfer].token, DRAGON_NODE_GONE);
  }
  LinkEvent event;
  event.peer = peer_;
  event.kind = LinkEvent::Kind::kDown;
  event.incarnation = peer_incarnation_;
  if (was_known) {
    context_.events.push_back(event);
    ++deaths_untold_;
  }
  event.kind = LinkEvent::Kind::kWritable;
  if (blocked_) context_.events.push_back(event);
  forget();
  if (watched_) silent_since_ns_ = now_ns;
}

// A new life, in which nothing has been said.
void Link::forget() {
  ++incarnation_;
  agreed_ = false;
  hello_due_ = false;
  silent_since_ns_ = 0;
  pinged_at_ns_ = 0;
  for (Packets* packets : {&control_, &waiting_, &retained_}) packets->clear();
  resend_ = 0;
  next_sequence_ = 1;
  acked_ = queued_cost_ = sent_cost_ = peer_credit_ = flight_bytes_ = gap_at_ = 0;
  blocked_ = has_gap_ = false;
  retry_ns_ = context_.options.retry_ns;
  retry_at_ns_ = ack_at_ns_ = UINT64_MAX;
  outgoing_.clear();
  sending_.clear();
  received_ = consumed_cost_ = outstanding_cost_ = told_credit_ = unacked_bytes_ = 0;
  ack_now_ = ping_now_ = tell_gap_ = false;
  incoming_.clear();
  landings_.clear();
}

void Link::report(LinkEvent::Kind kind, TransferId transfer, uint64_t token, Status status) {
  LinkEvent event;
  event.kind = kind;
  event.peer = peer_;
  event.transfer = transfer;
  event.token = token;
  event.status = status;
  if (busy_ && kind == LinkEvent::Kind::kSent) {
    endings_.push_back(event);
  } else {
    context_.events.push_back(event);
  }
}

}  // namespace dragon::fabric
