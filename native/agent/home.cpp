#include "agent/home.h"

#include <vector>

namespace dragon::agent {

namespace {

constexpr uint64_t kLandingToken = 1ull << 62;
constexpr uint64_t kOfferToken = 1ull << 61;

}  // namespace

HomePort* Home::port_of(NodeIndex peer, uint64_t id) {
  const auto found = ports_.find({peer, id});
  return found == ports_.end() ? nullptr : found->second.get();
}

void Home::note(const PortName& name, HomePort& port) {
  touched_.insert(name);
  if (port.parked()) {
    parked_.insert(name);
  } else {
    parked_.erase(name);
  }
}

void Home::answer_error(NodeIndex peer, const Message& to, Status status) {
  Message message = to;
  message.kind = to.request == 0 ? MessageKind::kFailed : MessageKind::kAnswer;
  message.flags = 0;
  message.bytes = 0;
  message.status = status;
  outbox_.send(peer, message);
}

void Home::on_request(NodeIndex peer, const Message& message, const uint8_t* payload,
                      size_t bytes) {
  if (message.op == Op::kAttach) return attach(peer, message, payload, bytes);
  HomePort* port = port_of(peer, message.port);
  if (port == nullptr) return answer_error(peer, message, DRAGON_CLOSED);
  if (message.op == Op::kClose) {
    port->close((message.flags & kFlagTry) != 0);
  } else {
    port->request(message, payload, bytes);
  }
  note({peer, message.port}, *port);
}

void Home::attach(NodeIndex peer, const Message& message, const uint8_t* handle, size_t bytes) {
  std::unique_ptr<Channel> channel;
  RecordId adopted = 0;
  if (port_of(peer, message.port) != nullptr) return answer_error(peer, message, DRAGON_EXISTS);
  const bool adopts = (message.flags & kFlagAdopt) != 0;
  const Status status = Channel::attach(node_, handle, bytes, adopts, adopted, channel);
  if (status != DRAGON_SUCCESS) return answer_error(peer, message, status);
  uint8_t info[kInfoBytes];
  encode_info(channel->info(), info);
  auto port =
      std::make_unique<HomePort>(*this, outbox_, carrier_, peer, message.port, std::move(channel));
  Message answer = message;
  answer.kind = MessageKind::kAnswer;
  answer.flags = 0;
  answer.bytes = sizeof info;
  answer.what = adopted == 0 ? 0 : port->remember(adopted);
  ports_[{peer, message.port}] = std::move(port);
  outbox_.send(peer, answer, info, sizeof info);
}

void Home::on_offered(NodeIndex peer, const Message& message, uint64_t transfer) {
  HomePort* port = port_of(peer, message.port);
  if (port == nullptr || message.op != Op::kSend) {
    return carrier_.refuse(peer, transfer, DRAGON_OBJECT_DESTROYED);
  }
  port->offered(message, transfer);
  note({peer, message.port}, *port);
}

void Home::on_cancel(NodeIndex peer, const Message& message) {
  HomePort* port = port_of(peer, message.port);
  if (port == nullptr) return answer_error(peer, message, DRAGON_TIMEOUT);
  port->cancel(message.request);
  note({peer, message.port}, *port);
}

uint64_t Home::landing_of(HomePort& port) {
  const uint64_t token = kLandingToken | ++tokens_;
  landings_[token] = &port;
  return token;
}

uint64_t Home::offering(const std::shared_ptr<Pool>& pool, uint64_t allocation) {
  const uint64_t token = kOfferToken | ++tokens_;
  offerings_[token] = {pool, allocation};
  return token;
}

bool Home::on_landed(uint64_t token, Status status) {
  if ((token & kLandingToken) == 0) return false;
  const auto found = landings_.find(token);
  if (found == landings_.end()) return true;
  HomePort& port = *found->second;
  landings_.erase(found);
  port.landed(token, status);
  note({port.from(), port.id()}, port);
  return true;
}

bool Home::on_sent(uint64_t token, Status) {
  if ((token & kOfferToken) == 0) return false;
  const auto found = offerings_.find(token);
  if (found == offerings_.end()) return true;
  found->second.pool->free(found->second.allocation);
  offerings_.erase(found);
  return true;
}

void Home::on_dead(NodeIndex peer) {
  for (auto at = ports_.begin(); at != ports_.end();) {
    if (at->first.first != peer) {
      ++at;
      continue;
    }
    at->second->close(true);
    parked_.erase(at->first);
    touched_.erase(at->first);
    HomePort* gone = at->second.get();
    std::erase_if(landings_, [&](const auto& one) { return one.second == gone; });
    at = ports_.erase(at);
  }
}

void Home::on_wakes() {
  const std::vector<PortName> waiting(parked_.begin(), parked_.end());
  for (const PortName& name : waiting) {
    HomePort* port = port_of(name.first, name.second);
    if (port == nullptr || !port->woken()) continue;
    port->run();
    note(name, *port);
  }
}

void Home::on_tick() {
  const std::vector<PortName> waiting(parked_.begin(), parked_.end());
  for (const PortName& name : waiting) {
    HomePort* port = port_of(name.first, name.second);
    if (port == nullptr) continue;
    port->run();
    note(name, *port);
  }
}

void Home::flush() {
  const std::set<PortName> touched = std::move(touched_);
  touched_.clear();
  for (const PortName& name : touched) {
    HomePort* port = port_of(name.first, name.second);
    if (port == nullptr) continue;
    port->flush_credit();
    if (!port->finished()) continue;
    std::erase_if(landings_, [&](const auto& one) { return one.second == port; });
    parked_.erase(name);
    ports_.erase(name);
  }
}

}  // namespace dragon::agent
