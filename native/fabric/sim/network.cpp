#include "fabric/sim/network.h"

#include <algorithm>

#include "fabric/sim/sim_fabric.h"
#include "sync/deadline.h"

namespace dragon::fabric {

std::unique_ptr<SimFabric> SimNetwork::attach(NodeIndex index) {
  auto fabric = std::make_unique<SimFabric>(*this, index);
  const std::lock_guard lock(mutex_);
  nodes_[index] = fabric.get();
  return fabric;
}

SimFabric* SimNetwork::find(NodeIndex index) {
  const auto found = nodes_.find(index);
  return found == nodes_.end() ? nullptr : found->second;
}

uint64_t SimNetwork::now_ns() const {
  return options_.is_real_time ? dragon::now_ns() : virtual_ns_;
}

uint64_t SimNetwork::next_ns() {
  uint64_t next = UINT64_MAX;
  for (const auto& [index, node] : nodes_) {
    if (!node->items_.empty()) next = std::min(next, node->items_.top().at_ns);
  }
  return next == UINT64_MAX ? next : std::max(next, virtual_ns_);
}

// Both ends learn of it, except for `but_not`.
void SimNetwork::end(const Pair& nodes, NodeIndex but_not) {
  const auto found = connections_.find(nodes);
  if (found == connections_.end() || !found->second.is_up) return;
  found->second.is_up = false;
  const uint64_t generation = found->second.generation;
  for (const auto& [self, peer] : {nodes, Pair{nodes.second, nodes.first}}) {
    SimFabric* node = self == but_not ? nullptr : find(self);
    if (node == nullptr) continue;
    node->put(SimFabric::What::kLost, peer, now_ns(), generation, {});
  }
}

void SimNetwork::join(NodeIndex a, NodeIndex b) {
  Connection& connection = connections_[pair(a, b)];
  if (connection.is_up) return;
  connection.is_up = true;
  ++connection.generation;
  for (const auto& [self, peer] : {Pair{a, b}, Pair{b, a}}) {
    find(self)->put(SimFabric::What::kConnected, peer, now_ns(), connection.generation, {});
  }
}

void SimNetwork::crash(NodeIndex index) {
  const std::lock_guard lock(mutex_);
  SimFabric* node = find(index);
  if (node == nullptr) return;
  node->is_gone_ = true;
  nodes_.erase(index);
  for (auto& [nodes, connection] : connections_) {
    if (nodes.first == index || nodes.second == index) end(nodes, index);
  }
}

void SimNetwork::break_connection(NodeIndex a, NodeIndex b) {
  const std::lock_guard lock(mutex_);
  end(pair(a, b), kNodesMax);
}

void SimNetwork::cut(NodeIndex a, NodeIndex b) {
  const std::lock_guard lock(mutex_);
  cuts_.insert(pair(a, b));
}

void SimNetwork::heal(NodeIndex a, NodeIndex b) {
  const std::lock_guard lock(mutex_);
  // What a reliable connection lost meanwhile would never be sent again on it.
  if (cuts_.erase(pair(a, b)) > 0 && options_.is_reliable) end(pair(a, b), kNodesMax);
}

void SimNetwork::heal_all() {
  while (!cuts_.empty()) heal(cuts_.begin()->first, cuts_.begin()->second);
}

}  // namespace dragon::fabric
