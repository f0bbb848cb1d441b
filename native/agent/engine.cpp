#include "agent/engine.h"

#include <utility>

namespace dragon::agent {

Engine::Engine(const std::shared_ptr<Node>& node, GatewayServer& gateway, Carrier& carrier,
               std::map<uint64_t, NodeIndex> nodes)
    : gateway_(gateway),
      carrier_(carrier),
      nodes_(std::move(nodes)),
      outbox_(carrier, *this),
      asking_(gateway, outbox_, carrier, nodes_),
      home_(node, outbox_, carrier) {}

size_t Engine::take_requests() {
  size_t taken = 0;
  SlotId id;
  for (; taken < kSlots && gateway_.next(id); ++taken) asking_.on_submitted(id);
  // What was submitted through a port before it was closed comes first.
  if (taken < kSlots && gateway_.cancels()) asking_.on_cancels();
  return taken;
}

void Engine::on_frame(NodeIndex peer, const uint8_t* bytes, size_t length) {
  Message message;
  const bool whole = decode_message(bytes, length, message);
  const uint8_t* payload = bytes + kMessageHeaderBytes;
  const size_t rest = whole ? length - kMessageHeaderBytes : 0;
  if (!whole || rest > kEagerBytes) {
    ++garbage_;
    return;
  }
  switch (message.kind) {
    case MessageKind::kRequest:
      return home_.on_request(peer, message, payload, rest);
    case MessageKind::kAnswer:
      return asking_.on_answer(peer, message, payload, rest);
    case MessageKind::kCancel:
      return home_.on_cancel(peer, message);
    case MessageKind::kCredit:
      return asking_.on_credit(message);
    case MessageKind::kFailed:
      return asking_.on_failed(message);
  }
}

void Engine::on_offer(NodeIndex peer, const uint8_t* bytes, size_t length, uint64_t transfer,
                      uint64_t transfer_bytes) {
  Message message;
  if (!decode_message(bytes, length, message) || message.bytes != transfer_bytes) {
    ++garbage_;
    return carrier_.refuse(peer, transfer, DRAGON_INVALID_MESSAGE);
  }
  if (message.kind == MessageKind::kRequest) return home_.on_offered(peer, message, transfer);
  if (message.kind == MessageKind::kAnswer) return asking_.on_offered(peer, message, transfer);
  ++garbage_;
  carrier_.refuse(peer, transfer, DRAGON_INVALID_MESSAGE);
}

void Engine::on_sent(uint64_t token, Status status) {
  if (!home_.on_sent(token, status)) asking_.on_sent(token, status);
}

void Engine::on_landed(uint64_t token, Status status) {
  if (!home_.on_landed(token, status)) asking_.on_landed(token, status);
}

void Engine::on_writable(NodeIndex peer) {
  outbox_.on_writable(peer);
  asking_.on_writable(peer);
}

void Engine::on_dead(NodeIndex peer) {
  outbox_.drop(peer);
  asking_.on_dead(peer);
  home_.on_dead(peer);
}

void Engine::on_wakes() {
  home_.on_wakes();
}

void Engine::on_tick() {
  asking_.on_tick();
  home_.on_tick();
}

}  // namespace dragon::agent
