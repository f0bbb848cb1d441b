// One node's end of a simulated network.
#pragma once

#include <cstdint>
#include <map>
#include <queue>
#include <set>
#include <vector>

#include "fabric/fabric.h"
#include "fabric/sim/network.h"

namespace dragon::fabric {

class SimFabric final : public Fabric {
 public:
  SimFabric(SimNetwork& network, NodeIndex index);
  ~SimFabric() override;

  NodeIndex self() const override { return index_; }
  bool is_reliable() const override { return network_.options_.is_reliable; }
  void connect(NodeIndex peer) override;
  void disconnect(NodeIndex peer) override;
  Status send(NodeIndex peer, const OutPacket* packets, size_t count) override;
  Status post_landing(NodeIndex peer, uint64_t key, void* memory, uint64_t bytes) override;
  void drop_landing(uint64_t key) override { landings_.erase(key); }
  Status add_memory(void* base, uint64_t bytes) override;
  void remove_memory(void* base) override { memory_.erase(static_cast<uint8_t*>(base)); }
  Status watch(int fd, uint64_t token) override;
  void unwatch(int fd) override;
  void wait(uint64_t until_ns) override;
  bool next_event(FabricEvent& out) override;
  const FabricCounters& counters() const override { return counters_; }

 private:
  friend class SimNetwork;
  enum class What : uint8_t { kConnected, kLost, kPacket, kFlush, kTry };
  struct Item {
    uint64_t at_ns = 0;
    uint64_t order = 0;
    What what = What::kPacket;
    NodeIndex peer = 0;
    uint64_t generation = 0;  // of the connection
    std::vector<uint8_t> bytes;
    bool operator<(const Item& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : order > other.order;
    }
  };
  struct Landing {
    NodeIndex peer = 0;
    uint8_t* memory = nullptr;
    uint64_t bytes = 0;
  };

  void put(What what, NodeIndex peer, uint64_t at_ns, uint64_t generation,
           std::vector<uint8_t> bytes);
  void ring();
  void launch(NodeIndex peer, const OutPacket& packet);
  bool take(Item& item, FabricEvent& out);
  bool take_packet(FabricEvent& out);
  bool take_try(const Item& item);
  bool take_flush(const Item& item, FabricEvent& out);
  bool knows(const void* memory, uint64_t bytes) const;

  SimNetwork& network_;
  const NodeIndex index_;
  bool is_gone_ = false;
  std::priority_queue<Item> items_;
  std::map<NodeIndex, uint64_t> up_;  // peers with a connection: its generation
  std::set<NodeIndex> wanted_;        // peers that are being connected to
  std::map<NodeIndex, std::vector<OutPacket>> held_;
  std::map<uint64_t, Landing> landings_;
  std::map<uint8_t*, uint64_t> memory_;
  std::map<int, uint64_t> watched_;
  std::vector<uint64_t> readable_;
  Item current_;
  FabricCounters counters_;
  int epoll_fd_ = -1;
  int bell_fd_ = -1;
};

}  // namespace dragon::fabric
