// A few nodes over a simulated network, whose traffic is checked: every frame arrives once and in
// order or its link has died, and every transfer ends, with the right bytes if it succeeded.
#pragma once

#include <doctest/doctest.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "fabric/links.h"
#include "fabric/sim/network.h"
#include "fabric/sim/sim_fabric.h"

namespace dragon::fabric::test {

constexpr uint64_t kMs = 1'000'000;
// What a receiver may hold beyond its credit: one packet's frames.
constexpr uint64_t kOvershoot = 192u << 10;

struct TestFrame {
  uint64_t era;  // how often the sender has lost the receiver
  uint64_t number;
};

struct Transfer {
  std::unique_ptr<uint8_t[]> memory;
  uint64_t bytes = 0;
  NodeIndex peer = 0;
};

// Bytes that tell their transfer and their place: a few steps for each, since tests are compiled
// without optimization.
inline std::unique_ptr<uint8_t[]> pattern(uint64_t token, uint64_t bytes) {
  auto made = std::make_unique<uint8_t[]>(bytes + sizeof(uint64_t));
  for (uint64_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    const uint64_t word = token * 0x9e3779b97f4a7c15 + at;
    ::memcpy(made.get() + at, &word, sizeof(word));
  }
  return made;
}

// One node: what it has sent and received, by peer.
class TestNode {
 public:
  TestNode(SimNetwork& network, NodeIndex index, LinksOptions options)
      : index_(index), options_(options), fabric_(network.attach(index)) {
    links_ = std::make_unique<Links>(*fabric_, options);
  }

  Links& links() { return *links_; }
  NodeIndex index() const { return index_; }

  Status send(NodeIndex peer, uint32_t extra) {
    Peer& to = peers_[peer];
    const TestFrame frame{to.era, to.sent};
    const std::vector<uint8_t> more(extra, static_cast<uint8_t>(to.sent));
    const Piece pieces[] = {{&frame, sizeof(frame)}, {more.data(), more.size()}};
    const Status status = links_->send(peer, pieces, 2);
    if (status == DRAGON_SUCCESS) ++to.sent;
    if (status == DRAGON_WOULD_BLOCK) to.is_blocked = true;
    return status;
  }
  Status offer(NodeIndex peer, uint64_t bytes) {
    const uint64_t token = ++tokens_ << 8 | index_;
    Transfer transfer{pattern(token, bytes), bytes, peer};
    TransferId id = 0;
    const Status status =
        links_->offer(peer, {&token, sizeof(token)}, transfer.memory.get(), bytes, token, id);
    if (status != DRAGON_SUCCESS) return status;
    outgoing_[token] = std::move(transfer);
    ids_[token] = id;
    return status;
  }
  void cancel_one() {
    if (outgoing_.empty()) return;
    const auto& [token, transfer] = *outgoing_.begin();
    links_->cancel(transfer.peer, ids_[token]);
  }
  void consume_all(NodeIndex peer) {
    links_->consume(peer, peers_[peer].unconsumed);
    peers_[peer].unconsumed = 0;
  }
  void consume_all() {
    for (auto& [peer, state] : peers_) consume_all(peer);
  }

  // Takes all events, answers offers, and sends what has come of it.
  void turn(uint64_t now_ns) {
    links_->wait(now_ns, 0);
    LinkEvent event;
    while (links_->next_event(now_ns, event)) on_event(event);
    links_->flush(now_ns);
  }

  uint64_t received(NodeIndex peer) { return peers_[peer].received; }
  uint64_t sent(NodeIndex peer) { return peers_[peer].sent; }
  uint64_t deaths(NodeIndex peer) { return peers_[peer].era; }
  bool is_up(NodeIndex peer) { return peers_[peer].is_up; }
  // Whether all that was sent, and not reported as lost, was sent to the peer that is there now.
  bool is_certain(NodeIndex peer) { return !peers_[peer].is_doubtful; }
  void on_crash_of(NodeIndex peer) { peers_[peer].is_doubtful = true; }
  bool is_blocked(NodeIndex peer) { return peers_[peer].is_blocked; }
  size_t open_transfers() const { return outgoing_.size() + landing_.size(); }
  uint64_t landed = 0;
  uint64_t sent_transfers = 0;
  uint64_t failed_transfers = 0;
  uint32_t refuse_every = 0;  // of offers

 private:
  struct Peer {
    uint64_t era = 0;        // of what is sent
    uint64_t sent = 0;       // in that era
    uint64_t heard_era = 0;  // of what is received
    uint64_t received = 0;   // in that era
    bool is_over = false;    // the era heard of ended here
    bool is_up = false;
    bool is_blocked = false;
    bool is_doubtful = false;
    uint64_t unconsumed = 0;
  };

  void on_event(const LinkEvent& event) {
    Peer& peer = peers_[event.peer];
    switch (event.kind) {
      case LinkEvent::Kind::kUp:
        REQUIRE(!peer.is_up);
        peer.is_up = true;
        break;
      case LinkEvent::Kind::kDown:
        on_down(event.peer, peer);
        break;
      case LinkEvent::Kind::kFrame:
        on_frame(event, peer);
        break;
      case LinkEvent::Kind::kOffer:
        on_offer(event, peer);
        break;
      case LinkEvent::Kind::kLanded:
        on_landed(event);
        break;
      case LinkEvent::Kind::kSent:
        REQUIRE(outgoing_.erase(event.token) == 1);
        ++(event.status == DRAGON_SUCCESS ? sent_transfers : failed_transfers);
        break;
      case LinkEvent::Kind::kWritable:
        REQUIRE(peer.is_blocked);
        peer.is_blocked = false;
        break;
      default:
        FAIL("no other event is expected");
    }
  }
  void on_down(NodeIndex index, Peer& peer) {
    for (const auto& [token, transfer] : outgoing_) REQUIRE(transfer.peer != index);
    for (const auto& [token, transfer] : landing_) REQUIRE(transfer.peer != index);
    ++peer.era;
    peer.sent = 0;
    peer.is_up = false;
    peer.is_doubtful = false;
    peer.is_over = true;
    peer.unconsumed = 0;
  }
  void on_frame(const LinkEvent& event, Peer& peer) {
    TestFrame frame;
    REQUIRE(event.length >= sizeof(frame));
    ::memcpy(&frame, event.bytes, sizeof(frame));
    REQUIRE(peer.is_up);
    if (peer.is_over || frame.era != peer.heard_era) {
      if (peer.is_over) REQUIRE(frame.number == 0);
      peer.is_over = false;
      peer.heard_era = frame.era;
      peer.received = 0;
    }
    REQUIRE(frame.number == peer.received);
    for (uint32_t i = sizeof(frame); i < event.length; ++i) {
      REQUIRE(event.bytes[i] == static_cast<uint8_t>(frame.number));
    }
    ++peer.received;
    hold(event, peer);
  }
  void hold(const LinkEvent& event, Peer& peer) {
    REQUIRE(event.cost == event.length + kFrameCost +
                              (event.kind == LinkEvent::Kind::kOffer ? kOfferHeadBytes : 0));
    peer.unconsumed += event.cost;
    REQUIRE(peer.unconsumed <= options_.credit_bytes + kOvershoot);
  }
  void on_offer(const LinkEvent& event, Peer& peer) {
    uint64_t token = 0;
    REQUIRE(event.length == sizeof(token));
    ::memcpy(&token, event.bytes, sizeof(token));
    hold(event, peer);
    if (refuse_every != 0 && ++offers_ % refuse_every == 0) {
      links_->refuse(event.peer, event.transfer, DRAGON_OUT_OF_MEMORY);
      return;
    }
    Transfer transfer{std::make_unique<uint8_t[]>(event.transfer_bytes + 1), event.transfer_bytes,
                      event.peer};
    const uint64_t mine = next_landing_++;
    REQUIRE(links_->accept(event.peer, event.transfer, transfer.memory.get(), mine) ==
            DRAGON_SUCCESS);
    landing_[mine] = std::move(transfer);
    tokens_of_[mine] = token;
  }
  void on_landed(const LinkEvent& event) {
    const auto found = landing_.find(event.token);
    REQUIRE(found != landing_.end());
    if (event.status == DRAGON_SUCCESS) {
      const uint64_t bytes = found->second.bytes;
      const auto expected = pattern(tokens_of_[event.token], bytes);
      REQUIRE(::memcmp(found->second.memory.get(), expected.get(), bytes) == 0);
      ++landed;
    } else {
      ++failed_transfers;
    }
    landing_.erase(found);
  }

  const NodeIndex index_;
  const LinksOptions options_;
  std::map<NodeIndex, Peer> peers_;
  std::map<uint64_t, Transfer> outgoing_;  // by token
  std::map<uint64_t, TransferId> ids_;
  std::map<uint64_t, Transfer> landing_;
  std::map<uint64_t, uint64_t> tokens_of_;
  uint64_t tokens_ = 0;
  uint64_t next_landing_ = 1;
  uint32_t offers_ = 0;
  // The memory above is referred to by these until they are gone.
  std::unique_ptr<SimFabric> fabric_;
  std::unique_ptr<Links> links_;
};

// Nodes that run in virtual time.
class World {
 public:
  explicit World(const SimOptions& options, const LinksOptions& links = {}, NodeIndex count = 2)
      : network_(options), options_(links) {
    for (NodeIndex index = 0; index < count; ++index) start(index);
  }

  SimNetwork& network() { return network_; }
  TestNode& node(NodeIndex index) { return *nodes_[index]; }
  NodeIndex count() const { return static_cast<NodeIndex>(nodes_.size()); }

  void crash(NodeIndex index) {
    network_.crash(index);
    nodes_[index].reset();
    start(index);
    for (auto& [other, node] : nodes_) node->on_crash_of(index);
  }
  // Lets time pass, event by event.
  void run(uint64_t for_ns) {
    const uint64_t until = network_.now_ns() + for_ns;
    while (true) {
      for (auto& [index, node] : nodes_) node->turn(network_.now_ns());
      uint64_t next = network_.next_ns();
      for (auto& [index, node] : nodes_) next = std::min(next, node->links().next_timer_ns());
      next = std::max(next, network_.now_ns());
      if (next > until) break;
      network_.advance(next);
    }
    network_.advance(until);
  }

 private:
  void start(NodeIndex index) {
    options_.incarnation += 1'000'000;
    nodes_[index] = std::make_unique<TestNode>(network_, index, options_);
  }

  SimNetwork network_;
  LinksOptions options_;
  std::map<NodeIndex, std::unique_ptr<TestNode>> nodes_;
};

}  // namespace dragon::fabric::test
