// The switch between virtual nodes: what is on its way, and what goes wrong with it.
//
// A connection carries packets with a delay each. In a reliable network they keep their order and
// are lost only with their connection, as with TCP; else each may be lost, doubled or overtaken,
// and arrive after its connection is gone.
//
// Goals: in virtual time one seed gives one run, bit for bit; the same calls in real time, where
// nodes run in threads of their own.
// Non-goals: bandwidth.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "fabric/fabric.h"
#include "fabric/sim/random.h"

namespace dragon::fabric {

class SimFabric;

struct SimOptions {
  uint64_t seed = 1;
  bool is_reliable = true;
  bool is_real_time = false;
  bool checks_memory = false;  // refuse memory that was not added
  double loss = 0;             // of packets; not if reliable
  double duplicate = 0;
  double hold = 0;  // of sends that are WOULD_BLOCK for a while
  uint64_t delay_ns_min = 10'000;
  uint64_t delay_ns_max = 100'000;
};

class SimNetwork {
 public:
  explicit SimNetwork(const SimOptions& options) : options_(options), random_(options.seed) {}
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // A node's end of the network. One at a time for each index; a crash makes room for the next.
  std::unique_ptr<SimFabric> attach(NodeIndex index);
  // The node is gone as if it had been killed. Its fabric answers nothing any more.
  void crash(NodeIndex index);
  // The connection between two nodes breaks, if there is one.
  void break_connection(NodeIndex a, NodeIndex b);
  // While cut, nothing passes between the two, and nobody is told.
  void cut(NodeIndex a, NodeIndex b);
  void heal(NodeIndex a, NodeIndex b);
  void heal_all();

  // The clock: virtual, or the machine's.
  uint64_t now_ns() const;
  // When the next thing happens somewhere; UINT64_MAX: never. Virtual time only.
  uint64_t next_ns();
  void advance(uint64_t now_ns) { virtual_ns_ = now_ns; }

  SimOptions& options() { return options_; }
  SimRandom& random() { return random_; }

 private:
  friend class SimFabric;
  using Pair = std::pair<NodeIndex, NodeIndex>;
  struct Connection {
    uint64_t generation = 0;
    bool is_up = false;
    uint64_t busy_until_ns[2] = {0, 0};  // of each direction
  };

  static Pair pair(NodeIndex a, NodeIndex b) { return a < b ? Pair{a, b} : Pair{b, a}; }
  SimFabric* find(NodeIndex index);
  uint64_t delay() {
    const uint64_t spread = options_.delay_ns_max - options_.delay_ns_min + 1;
    return options_.delay_ns_min + random_.below(spread);
  }
  void end(const Pair& nodes, NodeIndex but_not);
  void join(NodeIndex a, NodeIndex b);

  SimOptions options_;
  SimRandom random_;
  std::mutex mutex_;
  uint64_t virtual_ns_ = 1;
  uint64_t next_order_ = 0;
  std::map<NodeIndex, SimFabric*> nodes_;
  std::map<Pair, Connection> connections_;
  std::set<Pair> cuts_;
};

}  // namespace dragon::fabric
