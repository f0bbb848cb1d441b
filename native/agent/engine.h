// The protocol engine of one node's agent: events in, calls of the carrier and answers out.
//
// Goals: no clock, no socket, no thread: the same events over the same channels give the same
// calls, so that the simulator replays them.
// Non-goals: when to look (agent.h).
#pragma once

#include <map>
#include <memory>

#include "agent/asking.h"
#include "agent/home.h"

namespace dragon::agent {

class Engine : private OfferEnd {
 public:
  // `nodes`: host id to index, of every node of the run but this one.
  Engine(const std::shared_ptr<Node>& node, GatewayServer& gateway, Carrier& carrier,
         std::map<uint64_t, NodeIndex> nodes);

  // Takes what clients have put into the gateway; how much that was.
  size_t take_requests();
  void on_frame(NodeIndex peer, const uint8_t* bytes, size_t length);
  void on_offer(NodeIndex peer, const uint8_t* bytes, size_t length, uint64_t transfer,
                uint64_t transfer_bytes);
  void on_sent(uint64_t token, Status status) override;
  void on_landed(uint64_t token, Status status);
  void on_writable(NodeIndex peer);
  void on_dead(NodeIndex peer);
  // The doorbell rang.
  void on_wakes();
  void on_tick();
  // After each round of events.
  void flush() { home_.flush(); }
  // Whether on_tick has anything to look at.
  bool idle() const { return asking_.idle() && home_.idle(); }
  // Frames that were no messages.
  uint64_t garbage() const { return garbage_; }

 private:
  GatewayServer& gateway_;
  Carrier& carrier_;
  const std::map<uint64_t, NodeIndex> nodes_;
  Outbox outbox_;
  Asking asking_;
  Home home_;
  uint64_t garbage_ = 0;
};

}  // namespace dragon::agent
