#include "agent/asking.h"

#include <string.h>

#include <algorithm>

namespace dragon::agent {

namespace {

constexpr uint64_t kIndexMask = 0xffff;
static_assert(kSlots <= kIndexMask);

// Ends of a send that the next one through the same port is told.
bool ends_port(Status status) {
  return status == DRAGON_OBJECT_DESTROYED || status == DRAGON_BROKEN_PIPE ||
         status == DRAGON_NODE_GONE || status == DRAGON_TOO_LARGE || status == DRAGON_CLOSED;
}

bool takes_message(Op op) {
  return op == Op::kReceive;
}

}  // namespace

Asking::Asking(GatewayServer& gateway, Outbox& outbox, Carrier& carrier,
               const std::map<uint64_t, NodeIndex>& nodes)
    : gateway_(gateway), outbox_(outbox), carrier_(carrier), nodes_(nodes), requests_(kSlots) {}

Asking::Request& Asking::begin(SlotId id) {
  Request& request = requests_[id.index];
  request = Request();
  request.id = id;
  request.open = true;
  ++open_;
  const GatewaySlot& slot = gateway_.slot(id);
  const uint32_t op = slot.op.load();
  request.op = op <= kOpLast ? static_cast<Op>(op) : Op::kNone;
  request.port = slot.port.load();
  return request;
}

void Asking::on_submitted(SlotId id) {
  Request& request = begin(id);
  if (request.op == Op::kNone || request.op == Op::kClose)
    return finish(request, DRAGON_INVALID_ARGUMENT);
  if (request.op == Op::kAttach) return attach(request);
  const auto found = ports_.find(request.port);
  if (found == ports_.end()) return finish(request, DRAGON_CLOSED);
  Port& port = found->second;
  request.node = port.node;
  if (port.status == DRAGON_NODE_GONE) return finish(request, port.status);
  if (takes_message(request.op)) return receive(request, port);
  if (request.op == Op::kSend) {
    port.queue.push_back(id.index);
    return drain_queue(port);
  }
  transmit(request);
}

void Asking::attach(Request& request) {
  const GatewaySlot& slot = gateway_.slot(request.id);
  Handle handle;
  const Status status = decode_handle(slot.inline_bytes, kHandleBytes, handle);
  if (status != DRAGON_SUCCESS) return finish(request, status);
  const auto node = nodes_.find(handle.host_id);
  if (node == nodes_.end()) return finish(request, DRAGON_WRONG_NODE);
  request.node = node->second;
  ports_[request.port].node = node->second;
  transmit(request);
}

void Asking::drain_queue(Port& port) {
  while (!port.queue.empty() && port.credit > 0 && !outbox_.clogged(port.node)) {
    Request& request = requests_[port.queue.front()];
    port.queue.pop_front();
    --port.credit;
    transmit(request);
  }
}

void Asking::give_credit(uint64_t port_id) {
  const auto port = ports_.find(port_id);
  if (port == ports_.end()) return;
  ++port->second.credit;
  drain_queue(port->second);
}

// Gives the request to the links; one that nobody waits for may be over with that.
void Asking::transmit(Request& request) {
  const GatewaySlot& slot = gateway_.slot(request.id);
  const bool detached = gateway_.detached(request.id);
  request.silent = detached;
  Message message;
  message.op = request.op;
  message.flags = slot.flags.load() & (kFlagTry | kFlagAdopt);
  message.request = detached ? 0 : wire_id(request);
  message.port = request.port;
  message.hints = slot.hints.load();
  message.bytes = slot.bytes.load();
  message.limit = slot.limit.load();
  message.what = slot.what.load();
  request.sent = true;
  if (!detached && waiting_for_[request.node]++ == 0) carrier_.watch(request.node, true);
  if (slot.allocation.load() == 0) {
    const uint64_t bytes = std::min<uint64_t>(message.bytes, kInlineBytes);
    outbox_.send(request.node, message, slot.inline_bytes, bytes);
    if (detached) finish(request, DRAGON_SUCCESS);
    return;
  }
  const Status found = gateway_.source(request.id, request.pool, request.memory);
  if (found != DRAGON_SUCCESS) {
    // The home knows nothing of it, so the credit is back.
    if (request.op == Op::kSend) ++ports_.find(request.port)->second.credit;
    return finish(request, found);
  }
  message.bytes = std::min(message.bytes, request.memory.bytes);
  if (message.bytes <= kEagerBytes) {
    outbox_.send(request.node, message, request.memory.data, message.bytes);
    if (detached) finish(request, DRAGON_SUCCESS);
    return;
  }
  request.offered = true;
  outbox_.offer(request.node, message, request.memory.data, token_of(request));
}

Asking::Request* Asking::request_of(const Message& message) {
  const uint64_t index = message.request & kIndexMask;
  if (index >= kSlots) return nullptr;
  Request& request = requests_[index];
  return request.open && wire_id(request) == message.request ? &request : nullptr;
}

void Asking::finish(Request& request, Status status) {
  const bool watched = request.sent && !request.silent;
  if (watched && --waiting_for_[request.node] == 0) carrier_.watch(request.node, false);
  request.open = false;
  --open_;
  if (request.op == Op::kSend) {
    if (status == DRAGON_SUCCESS) gateway_.free_source(request.id);
    if (request.silent && ends_port(status)) gateway_.fail_port(request.port, status);
  }
  if (request.op == Op::kAttach && status != DRAGON_SUCCESS) {
    ports_.erase(request.port);
    gateway_.free_port(request.port);
  }
  request.pool.reset();
  gateway_.finish(request.id, status);
  if (takes_message(request.op)) end_receive(request);
}

std::shared_ptr<Pool> Asking::landing_pool(const Request& request) const {
  const uint32_t segment = gateway_.slot(request.id).landing.load();
  std::shared_ptr<Pool> pool;
  if (segment != 0 && gateway_.pool_of(segment, pool) == DRAGON_SUCCESS) return pool;
  return gateway_.pool();
}

// The memory for an answer's payload: where the client wants it, or where there is some.
bool Asking::land(Request& request) {
  const uint64_t bytes = std::max<uint64_t>(request.answer.bytes, 1);
  request.pool = landing_pool(request);
  Status status = request.pool->try_allocate(bytes, AllocationType::kData, request.memory);
  if (status == DRAGON_SUCCESS) return true;
  request.pool = gateway_.pool();
  return request.pool->try_allocate(bytes, AllocationType::kData, request.memory) == DRAGON_SUCCESS;
}

void Asking::on_answer(NodeIndex peer, const Message& message, const uint8_t* payload,
                       size_t bytes) {
  Request* request = request_of(message);
  if (request == nullptr || request->node != peer || request->landing) return;
  if (request->op == Op::kSend) {
    give_credit(request->port);
    if (request->offered) {
      // The links still read the source: the end of the offer ends the request.
      request->answer = message;
      request->answered = true;
      return;
    }
  }
  set_payload(*request, message, payload, bytes);
}

void Asking::set_payload(Request& request, const Message& message, const uint8_t* payload,
                         size_t bytes) {
  GatewaySlot& slot = gateway_.slot(request.id);
  request.answer = message;
  const bool given_up = takes_message(request.op) && message.status == DRAGON_SUCCESS &&
                        gateway_.detached(request.id);
  if (bytes > kInlineBytes || given_up) {
    if (!land(request)) return finish(request, DRAGON_OUT_OF_MEMORY);
    ::memcpy(request.memory.data, payload, bytes);
    return complete_landed(request);
  }
  if (bytes > 0) ::memcpy(slot.inline_bytes, payload, bytes);
  slot.hints.store(message.hints);
  slot.bytes.store(message.bytes);
  slot.what.store(message.what);
  slot.flags.store(message.flags);
  finish(request, message.status);
}

// The payload lies in request.memory: the slot names it, or it is kept for the next receive.
void Asking::complete_landed(Request& request) {
  if (gateway_.detached(request.id)) return keep(request);
  GatewaySlot& slot = gateway_.slot(request.id);
  slot.hints.store(request.answer.hints);
  slot.bytes.store(request.answer.bytes);
  slot.what.store(request.answer.what);
  slot.flags.store(request.answer.flags);
  slot.segment.store(request.pool->segment_id());
  slot.allocation.store(request.memory.id);
  finish(request, request.answer.status);
}

void Asking::keep(Request& request) {
  const auto port = ports_.find(request.port);
  const bool dropped = !takes_message(request.op) || port == ports_.end();
  if (dropped || gateway_.port_owner(request.port) == 0) {
    request.pool->free(request.memory.id);
  } else {
    port->second.kept.push_back({request.answer, request.pool, request.memory});
  }
  finish(request, request.answer.status);
}

// A message that is under way for a receive that was given up is this one's.
void Asking::receive(Request& request, Port& port) {
  if (answer_from_kept(request, port)) return;
  const auto given_up = [&](uint32_t index) { return gateway_.detached(requests_[index].id); };
  if (!port.held.empty() || std::any_of(port.receives.begin(), port.receives.end(), given_up)) {
    port.held.push_back(request.id.index);
    return;
  }
  port.receives.push_back(request.id.index);
  transmit(request);
}

void Asking::end_receive(Request& request) {
  const auto found = ports_.find(request.port);
  if (found == ports_.end()) return;
  Port& port = found->second;
  std::erase(port.receives, request.id.index);
  std::erase(port.held, request.id.index);
  std::deque<uint32_t> held = std::move(port.held);
  port.held.clear();
  for (const uint32_t index : held) receive(requests_[index], port);
}

bool Asking::answer_from_kept(Request& request, Port& port) {
  if (port.kept.empty()) return false;
  Kept& kept = port.kept.front();
  GatewaySlot& slot = gateway_.slot(request.id);
  if (kept.message.bytes > slot.limit.load()) {
    slot.bytes.store(kept.message.bytes);
    finish(request, DRAGON_BUFFER_TOO_SHORT);
    return true;
  }
  request.answer = kept.message;
  request.pool = kept.pool;
  request.memory = kept.memory;
  port.kept.pop_front();
  complete_landed(request);
  return true;
}

void Asking::on_offered(NodeIndex peer, const Message& message, uint64_t transfer) {
  Request* request = request_of(message);
  if (request == nullptr || request->node != peer || !takes_message(request->op)) {
    return carrier_.refuse(peer, transfer, DRAGON_CLOSED);
  }
  request->answer = message;
  request->transfer = transfer;
  request->landing = true;
  request->answered = false;
  if (!land(*request)) return;  // on_tick tries again
  request->answered = true;
  if (carrier_.accept(peer, transfer, request->memory.data, token_of(*request)) != DRAGON_SUCCESS) {
    on_landed(token_of(*request), DRAGON_NODE_GONE);
  }
}

void Asking::on_landed(uint64_t token, Status status) {
  Request& request = requests_[token & kIndexMask];
  if (!request.open || token_of(request) != token) return;
  if (status == DRAGON_SUCCESS) return complete_landed(request);
  request.pool->free(request.memory.id);
  finish(request, DRAGON_NODE_GONE);
}

void Asking::on_sent(uint64_t token, Status status) {
  Request& request = requests_[token & kIndexMask];
  if (!request.open || token_of(request) != token || !request.offered) return;
  request.offered = false;
  if (request.answered) return finish(request, request.answer.status);
  if (status == DRAGON_CLOSED && !request.silent) return;  // given up by the home, which answers
  if (status != DRAGON_SUCCESS) {
    // Refused by the home: that is its answer.
    const uint64_t port = request.port;
    finish(request, status);
    return give_credit(port);
  }
  if (request.silent) finish(request, DRAGON_SUCCESS);
}

void Asking::on_credit(const Message& message) {
  const auto port = ports_.find(message.port);
  if (port == ports_.end()) return;
  port->second.credit = std::min(kWindow, port->second.credit + message.what);
  drain_queue(port->second);
}

void Asking::on_failed(const Message& message) {
  const auto port = ports_.find(message.port);
  if (port == ports_.end()) return;
  if (ends_port(message.status)) gateway_.fail_port(message.port, message.status);
}

void Asking::on_writable(NodeIndex peer) {
  for (auto& [id, port] : ports_) {
    if (port.node == peer) drain_queue(port);
  }
}

void Asking::on_cancels() {
  for (Request& request : requests_) {
    if (request.open && !request.cancelled && gateway_.cancelled(request.id)) cancel(request);
  }
  close_ports();
}

void Asking::cancel(Request& request) {
  request.cancelled = true;
  const auto port = ports_.find(request.port);
  if (!request.sent && port != ports_.end()) {
    std::erase(port->second.queue, request.id.index);
    return finish(request, DRAGON_TIMEOUT);
  }
  if (request.answered || request.landing) return;
  Message message;
  message.kind = MessageKind::kCancel;
  message.op = request.op;
  message.request = wire_id(request);
  message.port = request.port;
  outbox_.send(request.node, message);
}

void Asking::on_dead(NodeIndex peer) {
  for (auto& [id, port] : ports_) {
    if (port.node != peer) continue;
    port.status = DRAGON_NODE_GONE;
    port.queue.clear();
    port.held.clear();
    gateway_.fail_port(id, DRAGON_NODE_GONE);
  }
  for (Request& request : requests_) {
    if (!request.open || request.node != peer || request.offered) continue;
    if (request.landing && request.answered) continue;  // on_landed comes
    finish(request, DRAGON_NODE_GONE);
  }
}

void Asking::drop_kept(Port& port) {
  for (const Kept& kept : port.kept) kept.pool->free(kept.memory.id);
  port.kept.clear();
}

void Asking::close_port(uint64_t port_id, bool died) {
  const auto found = ports_.find(port_id);
  if (found == ports_.end()) return;
  Port& port = found->second;
  // The home takes them in this order; its window is no longer of interest.
  while (!port.queue.empty()) {
    Request& request = requests_[port.queue.front()];
    port.queue.pop_front();
    if (gateway_.detached(request.id)) {
      transmit(request);
    } else {
      finish(request, DRAGON_CLOSED);
    }
  }
  const std::deque<uint32_t> held = std::move(port.held);
  port.held.clear();
  for (const uint32_t index : held) finish(requests_[index], DRAGON_CLOSED);
  drop_kept(port);
  if (port.status == DRAGON_SUCCESS) {
    Message message;
    message.op = Op::kClose;
    message.flags = died ? kFlagTry : 0;
    message.port = port_id;
    outbox_.send(port.node, message);
  }
  ports_.erase(found);
}

void Asking::on_tick() {
  ActorTable& actors = gateway_.node().actors();
  for (Request& request : requests_) {
    if (!request.open) continue;
    if (request.landing && !request.answered && land(request)) {
      request.answered = true;
      const Status accepted =
          carrier_.accept(request.node, request.transfer, request.memory.data, token_of(request));
      if (accepted != DRAGON_SUCCESS) on_landed(token_of(request), DRAGON_NODE_GONE);
      continue;
    }
    const bool waits = !gateway_.detached(request.id) && !request.cancelled;
    if (waits && !actors.alive(gateway_.owner(request.id))) cancel(request);
  }
  close_ports();
  gateway_.give_back();
}

void Asking::close_ports() {
  for (const GatewayServer::EndedPort& port : gateway_.ended_ports()) {
    close_port(port.id, port.died);
    gateway_.free_port(port.id);
  }
}

}  // namespace dragon::agent
