// One node's agent: its attachment, its gateway, its links, and the loop that drives them.
//
// Goals: one thread that waits in one place, for its doorbell, its sockets and its timers; nothing
// in it waits for a channel. Non-goals: where nodes are (control.h).
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "agent/engine.h"
#include "agent/shell/links_carrier.h"
#include "fabric/links.h"

namespace dragon::agent {

struct AgentOptions {
  std::string dir;  // the node's runtime directory
  NodeIndex index = 0;
  uint64_t pool_limit_bytes = 0;        // of the gateway's pool; 0: the default of pools
  std::map<uint64_t, NodeIndex> nodes;  // host id to index, without this one
};

class Agent {
 public:
  // Attaches to the node and makes its gateway, so that processes find it from now on.
  static Status open(const AgentOptions& options, std::unique_ptr<fabric::Fabric> fabric,
                     std::unique_ptr<Agent>& out);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  // Until `stop`.
  void run();
  // From any thread.
  void stop();

 private:
  Agent() = default;
  bool turn();
  void take_events();
  void on_event(const fabric::LinkEvent& event);
  uint64_t wake_ns() const;

  std::unique_ptr<fabric::Fabric> fabric_;
  std::unique_ptr<fabric::Links> links_;
  std::unique_ptr<LinksCarrier> carrier_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<GatewayServer> gateway_;
  std::unique_ptr<Engine> engine_;
  int stop_fd_ = -1;
  bool asleep_ = false;
  uint64_t next_tick_ns_ = 0;
  std::atomic<bool> stopping_{false};
};

}  // namespace dragon::agent
