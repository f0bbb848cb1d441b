// A link's transfers, on both sides, and the frames that come in.
#include <string.h>

#include <algorithm>

#include "fabric/link.h"

namespace dragon::fabric {
namespace {

bool valid_value(FrameKind kind, const TransferFrame& frame) {
  if (kind == FrameKind::kAccept) return frame.value != 0;
  if (kind != FrameKind::kRefuse) return frame.value == 0;
  return frame.value > DRAGON_SUCCESS && frame.value < DRAGON_STATUS_COUNT;
}

}  // namespace

Status Link::offer(const Piece& header, const void* memory, uint64_t bytes, uint64_t token,
                   TransferId& out) {
  const uint64_t content = kOfferHeadBytes + header.length;
  if (content > kFrameBytesMax) return DRAGON_TOO_LARGE;
  const Status status = room_for(content + kFrameCost);
  if (status != DRAGON_SUCCESS) return status;
  out = next_transfer_++;
  outgoing_[out] = {static_cast<const uint8_t*>(memory), bytes, token, 0, 0};
  uint8_t* at =
      append(waiting_, FrameKind::kOffer, static_cast<uint32_t>(content), content + kFrameCost);
  encode_offer_head({out, bytes}, at);
  if (header.length > 0) ::memcpy(at + kOfferHeadBytes, header.bytes, header.length);
  return DRAGON_SUCCESS;
}

void Link::cancel(TransferId transfer) {
  const auto found = outgoing_.find(transfer);
  if (found == outgoing_.end()) return;
  // Behind the offer, or, once that was accepted, as early as possible.
  Packets& queue = found->second.key == 0 ? waiting_ : control_;
  append_transfer_frame(queue, FrameKind::kStop, transfer, 0);
  end_outgoing(transfer, DRAGON_CLOSED);
}

// The memory is the sender's again: packets of it that may have to be sent again become void.
void Link::end_outgoing(TransferId transfer, Status status) {
  const auto found = outgoing_.find(transfer);
  if (found == outgoing_.end()) return;
  for (Packet& packet : retained_) {
    if (packet.kind != PacketKind::kBulk || packet.transfer != transfer) continue;
    packet.kind = PacketKind::kVoid;
    flight_bytes_ -= packet.bytes;
    packet.bytes = 0;
    packet.memory = nullptr;
  }
  sending_.erase(std::remove(sending_.begin(), sending_.end(), transfer), sending_.end());
  report(LinkEvent::Kind::kSent, transfer, found->second.token, status);
  outgoing_.erase(found);
}

Status Link::accept(TransferId transfer, void* memory, uint64_t token) {
  const auto found = incoming_.find(transfer);
  if (found == incoming_.end()) return DRAGON_NOT_FOUND;
  Incoming& incoming = found->second;
  if (incoming.key != 0) return DRAGON_STATE;
  incoming.token = token;
  if (incoming.bytes == 0) {
    land(transfer, incoming);
    return DRAGON_SUCCESS;
  }
  const uint64_t key = context_.next_key++;
  const Status status = context_.fabric.post_landing(peer_, key, memory, incoming.bytes);
  if (status != DRAGON_SUCCESS) return status;
  incoming.key = key;
  landings_[key] = transfer;
  append_transfer_frame(control_, FrameKind::kAccept, transfer, key);
  return DRAGON_SUCCESS;
}

void Link::refuse(TransferId transfer, Status status) {
  const auto found = incoming_.find(transfer);
  if (found == incoming_.end() || found->second.key != 0) return;
  incoming_.erase(found);
  if (status == DRAGON_SUCCESS) status = DRAGON_CLOSED;
  append_transfer_frame(control_, FrameKind::kRefuse, transfer, static_cast<uint64_t>(status));
}

void Link::abandon(TransferId transfer) {
  const auto found = incoming_.find(transfer);
  if (found == incoming_.end() || found->second.key == 0) return;
  context_.fabric.drop_landing(found->second.key);
  landings_.erase(found->second.key);
  incoming_.erase(found);
  append_transfer_frame(control_, FrameKind::kRefuse, transfer, DRAGON_CLOSED);
}

void Link::land(TransferId transfer, Incoming& incoming) {
  if (incoming.key != 0) {
    context_.fabric.drop_landing(incoming.key);
    landings_.erase(incoming.key);
  }
  append_transfer_frame(control_, FrameKind::kDone, transfer, 0);
  report(LinkEvent::Kind::kLanded, transfer, incoming.token, DRAGON_SUCCESS);
  incoming_.erase(transfer);
}

void Link::on_bulk(uint64_t now_ns, const FabricEvent& event) {
  const auto landing = landings_.find(event.header.key);
  if (landing == landings_.end()) return;  // abandoned
  const TransferId transfer = landing->second;
  Incoming& incoming = incoming_[transfer];
  if (!event.landed || event.header.offset != incoming.landed) {
    // Nobody who follows the protocol says this.
    die(now_ns);
    return;
  }
  incoming.landed += event.header.body_bytes;
  if (incoming.landed == incoming.bytes) land(transfer, incoming);
}

void Link::on_accept(const TransferFrame& frame) {
  const auto found = outgoing_.find(frame.transfer);
  if (found == outgoing_.end()) {
    append_transfer_frame(control_, FrameKind::kStop, frame.transfer, 0);
    return;
  }
  if (found->second.key != 0 || found->second.bytes == 0) return;
  found->second.key = frame.value;
  sending_.push_back(frame.transfer);
}

void Link::on_stop(TransferId transfer) {
  const auto found = incoming_.find(transfer);
  if (found == incoming_.end()) return;
  if (found->second.key != 0) {
    context_.fabric.drop_landing(found->second.key);
    landings_.erase(found->second.key);
    report(LinkEvent::Kind::kLanded, transfer, found->second.token, DRAGON_CLOSED);
  }
  incoming_.erase(found);
}

bool Link::on_frame(uint64_t now_ns, const FrameHeader& header, const uint8_t* content,
                    LinkEvent& out) {
  const bool is_ordered = header.kind == FrameKind::kUser || header.kind == FrameKind::kOffer;
  if (!is_ordered) {
    TransferFrame frame;
    if (!decode_transfer_frame(content, header.bytes, frame) || !valid_value(header.kind, frame)) {
      die(now_ns);
    } else if (header.kind == FrameKind::kAccept) {
      on_accept(frame);
    } else if (header.kind == FrameKind::kStop) {
      on_stop(frame.transfer);
    } else if (header.kind == FrameKind::kDone) {
      end_outgoing(frame.transfer, DRAGON_SUCCESS);
    } else {
      end_outgoing(frame.transfer, static_cast<Status>(frame.value));
    }
    return false;
  }
  out = LinkEvent{};
  out.peer = peer_;
  out.bytes = content;
  out.length = header.bytes;
  out.cost = header.bytes + kFrameCost;
  outstanding_cost_ += out.cost;
  if (header.kind == FrameKind::kUser) return true;
  OfferHead head;
  if (!decode_offer_head(content, header.bytes, head) || incoming_.contains(head.transfer)) {
    die(now_ns);
    return false;
  }
  incoming_[head.transfer] = {head.bytes, 0, 0, 0};
  out.kind = LinkEvent::Kind::kOffer;
  out.bytes += kOfferHeadBytes;
  out.length -= static_cast<uint32_t>(kOfferHeadBytes);
  out.transfer = head.transfer;
  out.transfer_bytes = head.bytes;
  return true;
}

void Link::consume(uint64_t cost) {
  // Frames of a life that is over count for nothing.
  cost = std::min(cost, outstanding_cost_);
  outstanding_cost_ -= cost;
  consumed_cost_ += cost;
  const uint64_t credit = consumed_cost_ + context_.options.credit_bytes;
  if (credit - told_credit_ >= context_.options.credit_bytes / 4) ack_now_ = true;
}

}  // namespace dragon::fabric
