// For tests: nodes with an engine each, and carriers between them that a thread drives, in random
// order from a seed.
#pragma once

#include <string.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "agent/engine.h"
#include "agent/remote_channel.h"
#include "channel/channel_fixture.h"

namespace dragon::test {

using agent::NodeIndex;
using agent::RemoteChannel;

constexpr uint64_t kRunId = 77;
constexpr uint64_t host_of(NodeIndex node) {
  return 1000 + node;
}

// One frame, offer or end of a transfer on its way.
struct Parcel {
  enum class Kind { kFrame, kOffer, kSent, kLanded };
  Kind kind = Kind::kFrame;
  NodeIndex from = 0;
  std::vector<uint8_t> bytes;
  uint64_t transfer = 0;
  uint64_t transfer_bytes = 0;
  uint64_t token = 0;
  Status status = DRAGON_SUCCESS;
};

class Wires;

// One node's end.
class LoopCarrier : public agent::Carrier {
 public:
  LoopCarrier(Wires& wires, NodeIndex self) : wires_(wires), self_(self) {}
  Status send(NodeIndex peer, const void* header, size_t header_bytes, const void* payload,
              size_t payload_bytes) override;
  Status offer(NodeIndex peer, const void* header, size_t header_bytes, const void* memory,
               uint64_t bytes, uint64_t token) override;
  Status accept(NodeIndex peer, uint64_t transfer, void* memory, uint64_t token) override;
  void refuse(NodeIndex peer, uint64_t transfer, Status status) override;
  void abandon(NodeIndex peer, uint64_t transfer) override;
  void watch(NodeIndex, bool) override {}

 private:
  Wires& wires_;
  const NodeIndex self_;
};

struct Transfer {
  NodeIndex from = 0;
  NodeIndex to = 0;
  const uint8_t* memory = nullptr;
  uint64_t bytes = 0;
  uint64_t token = 0;
  bool accepted = false;
};

// All ends: a queue for each pair of nodes.
class Wires {
 public:
  using Pair = std::pair<NodeIndex, NodeIndex>;
  std::map<Pair, std::deque<Parcel>> queues;
  std::map<uint64_t, Transfer> transfers;
  uint64_t next_transfer = 1;
  size_t room = SIZE_MAX;  // parcels on their way from one node to another
  std::map<Pair, bool> blocked;

  void put(NodeIndex from, NodeIndex to, Parcel parcel) {
    parcel.from = from;
    queues[{from, to}].push_back(std::move(parcel));
  }
};

inline Status LoopCarrier::send(NodeIndex peer, const void* header, size_t header_bytes,
                                const void* payload, size_t payload_bytes) {
  if (wires_.queues[{self_, peer}].size() >= wires_.room) {
    wires_.blocked[{self_, peer}] = true;
    return DRAGON_WOULD_BLOCK;
  }
  Parcel parcel;
  const auto* head = static_cast<const uint8_t*>(header);
  const auto* rest = static_cast<const uint8_t*>(payload);
  parcel.bytes.assign(head, head + header_bytes);
  if (payload_bytes > 0) parcel.bytes.insert(parcel.bytes.end(), rest, rest + payload_bytes);
  wires_.put(self_, peer, std::move(parcel));
  return DRAGON_SUCCESS;
}

inline Status LoopCarrier::offer(NodeIndex peer, const void* header, size_t header_bytes,
                                 const void* memory, uint64_t bytes, uint64_t token) {
  const uint64_t id = wires_.next_transfer++;
  wires_.transfers[id] = {self_, peer, static_cast<const uint8_t*>(memory), bytes, token, false};
  Parcel parcel;
  parcel.kind = Parcel::Kind::kOffer;
  const auto* head = static_cast<const uint8_t*>(header);
  parcel.bytes.assign(head, head + header_bytes);
  parcel.transfer = id;
  parcel.transfer_bytes = bytes;
  wires_.put(self_, peer, std::move(parcel));
  return DRAGON_SUCCESS;
}

inline Status LoopCarrier::accept(NodeIndex peer, uint64_t transfer, void* memory, uint64_t token) {
  const auto found = wires_.transfers.find(transfer);
  if (found == wires_.transfers.end()) return DRAGON_NOT_FOUND;
  ::memcpy(memory, found->second.memory, found->second.bytes);
  Parcel landed;
  landed.kind = Parcel::Kind::kLanded;
  landed.token = token;
  wires_.put(peer, self_, std::move(landed));
  Parcel sent;
  sent.kind = Parcel::Kind::kSent;
  sent.token = found->second.token;
  wires_.put(self_, peer, std::move(sent));
  wires_.transfers.erase(found);
  return DRAGON_SUCCESS;
}

inline void LoopCarrier::refuse(NodeIndex peer, uint64_t transfer, Status status) {
  const auto found = wires_.transfers.find(transfer);
  if (found == wires_.transfers.end()) return;
  Parcel sent;
  sent.kind = Parcel::Kind::kSent;
  sent.token = found->second.token;
  sent.status = status;
  wires_.put(self_, peer, std::move(sent));
  wires_.transfers.erase(found);
}

inline void LoopCarrier::abandon(NodeIndex, uint64_t) {}

// A node with its broker, its agent's attachment, and an engine.
struct AgentNode {
  AgentNode(Wires& wires, NodeIndex index, NodeIndex count)
      : carrier(wires, index),
        services(std::make_unique<ServiceThread>(dir.path(),
                                                 NodeOptions{"", host_of(index), kRunId, true})) {
    check_ok(Node::attach(dir.path(), {}, node));
    PoolOptions options;
    options.limit_bytes = 64ull << 20;
    options.initial_bytes = 2ull << 20;
    check_ok(Pool::create(node, options, pool));
    check_ok(agent::GatewayServer::create(pool, gateway));
    std::map<uint64_t, NodeIndex> nodes;
    for (NodeIndex other = 0; other < count; ++other) {
      if (other != index) nodes[host_of(other)] = other;
    }
    engine = std::make_unique<agent::Engine>(node, *gateway, carrier, nodes);
  }
  ~AgentNode() {
    engine.reset();
    gateway.reset();
    pool.reset();
    leave(node);
    node.reset();
    services.reset();
  }

  TemporaryDirectory dir;
  LoopCarrier carrier;
  std::unique_ptr<ServiceThread> services;
  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  std::unique_ptr<agent::GatewayServer> gateway;
  std::unique_ptr<agent::Engine> engine;
};

// A process's attachment to a node, with a pool of its own and the gateway.
struct Client {
  explicit Client(const std::string& dir) {
    check_ok(Node::attach(dir, {}, node));
    PoolOptions options;
    options.limit_bytes = 64ull << 20;
    options.initial_bytes = 1ull << 20;
    check_ok(Pool::create(node, options, pool));
    check_ok(agent::Gateway::attach(node, gateway));
  }
  ~Client() {
    gateway.reset();
    pool.reset();
    leave(node);
  }
  std::unique_ptr<RemoteChannel> attach(const HandleBytes& handle, bool adopt = false) const {
    std::unique_ptr<RemoteChannel> out;
    uint32_t adopted = 0;
    check_ok(RemoteChannel::attach(gateway, handle, sizeof handle, adopt, adopted, out));
    return out;
  }
  std::unique_ptr<RemoteChannel> attach(const Channel& channel) const {
    HandleBytes handle;
    channel.serialize(handle);
    return attach(handle);
  }

  std::shared_ptr<Node> node;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<agent::Gateway> gateway;
};

// The engines of all nodes, stepped by a thread or by the test.
class Cluster {
 public:
  explicit Cluster(NodeIndex count, uint64_t seed = 1) : random_(seed) {
    for (NodeIndex index = 0; index < count; ++index) {
      nodes.push_back(std::make_unique<AgentNode>(wires, index, count));
    }
  }
  ~Cluster() { stop(); }

  void start() {
    stopping_ = false;
    thread_ = std::thread([this] {
      while (!stopping_) {
        const NodeIndex dying = to_kill.exchange(kNobody);
        if (dying != kNobody) kill(dying);
        if (!step()) ::usleep(50);
      }
    });
  }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // One node's turn, chosen by the seed; whether anything was done.
  bool step() {
    bool did = false;
    for (uint32_t tries = 0; tries < 2 * nodes.size(); ++tries) {
      const auto self = static_cast<NodeIndex>(random_() % nodes.size());
      if (turn(self)) did = true;
    }
    return did;
  }
  void settle() {
    for (uint32_t quiet = 0; quiet < 16;) quiet = step() ? 0 : quiet + 1;
  }
  // All that is on its way from and to the node is lost, and the others hear of its death.
  void kill(NodeIndex dead) {
    for (auto& [pair, queue] : wires.queues) {
      if (pair.first != dead && pair.second != dead) continue;
      queue.clear();
    }
    for (NodeIndex other = 0; other < nodes.size(); ++other) {
      if (other == dead) continue;
      for (auto at = wires.transfers.begin(); at != wires.transfers.end();) {
        const Transfer& one = at->second;
        if (one.from == other && one.to == dead) {
          nodes[other]->engine->on_sent(one.token, DRAGON_NODE_GONE);
        }
        const bool gone = one.from == dead || one.to == dead;
        at = gone ? wires.transfers.erase(at) : std::next(at);
      }
      nodes[other]->engine->on_dead(dead);
    }
    dead_ = dead;
  }

  Wires wires;
  std::vector<std::unique_ptr<AgentNode>> nodes;
  // For the thread: who is to die, and who does nothing.
  static constexpr NodeIndex kNobody = UINT32_MAX;
  std::atomic<NodeIndex> to_kill{kNobody};
  std::atomic<NodeIndex> frozen{kNobody};

 private:
  bool turn(NodeIndex self) {
    if (self == dead_ || self == frozen) return false;
    AgentNode& one = *nodes[self];
    bool did = one.engine->take_requests() > 0;
    for (NodeIndex from = 0; from < nodes.size(); ++from) {
      auto& queue = wires.queues[{from, self}];
      const size_t share = queue.empty() ? 0 : 1 + random_() % queue.size();
      for (size_t i = 0; i < share; ++i) {
        const Parcel parcel = std::move(queue.front());
        queue.pop_front();
        deliver(*one.engine, parcel);
        did = true;
      }
      const Wires::Pair back{self, from};
      if (wires.blocked[back] && wires.queues[back].size() < wires.room) {
        wires.blocked[back] = false;
        one.engine->on_writable(from);
      }
    }
    one.node->bell().drain();
    one.engine->on_wakes();
    if (random_() % 16 == 0) one.engine->on_tick();
    one.engine->flush();
    return did;
  }
  static void deliver(agent::Engine& engine, const Parcel& parcel) {
    switch (parcel.kind) {
      case Parcel::Kind::kFrame:
        return engine.on_frame(parcel.from, parcel.bytes.data(), parcel.bytes.size());
      case Parcel::Kind::kOffer:
        return engine.on_offer(parcel.from, parcel.bytes.data(), parcel.bytes.size(),
                               parcel.transfer, parcel.transfer_bytes);
      case Parcel::Kind::kSent:
        return engine.on_sent(parcel.token, parcel.status);
      case Parcel::Kind::kLanded:
        return engine.on_landed(parcel.token, parcel.status);
    }
  }

  std::mt19937_64 random_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  NodeIndex dead_ = kNobody;
};

}  // namespace dragon::test
