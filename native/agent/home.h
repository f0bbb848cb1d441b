// The home half of an agent: what other nodes ask of the channels of this one.
//
// Goals: a full channel, or one without memory, holds up no other, and no other sender of its own;
// when a node dies, all that it had open here is closed.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "agent/home_port.h"

namespace dragon::agent {

class Home : public HomeRoom {
 public:
  Home(std::shared_ptr<Node> node, Outbox& outbox, Carrier& carrier)
      : node_(std::move(node)), outbox_(outbox), carrier_(carrier) {}

  void on_request(NodeIndex peer, const Message& message, const uint8_t* payload, size_t bytes);
  void on_offered(NodeIndex peer, const Message& message, uint64_t transfer);
  void on_cancel(NodeIndex peer, const Message& message);
  // False if the token is not this half's.
  bool on_landed(uint64_t token, Status status);
  bool on_sent(uint64_t token, Status status);
  void on_dead(NodeIndex peer);
  // The doorbell rang: ports whose wait has ended go on.
  void on_wakes();
  // All that wait look, for wakes that were lost with who owed them.
  void on_tick();
  // To be called when a round of events is over.
  void flush();
  bool idle() const { return ports_.empty(); }
  bool waits() const { return !parked_.empty(); }

  uint64_t landing_of(HomePort& port) override;
  uint64_t offering(const std::shared_ptr<Pool>& pool, uint64_t allocation) override;

 private:
  using PortName = std::pair<NodeIndex, uint64_t>;
  struct Offering {
    std::shared_ptr<Pool> pool;
    uint64_t allocation = 0;
  };
  void attach(NodeIndex peer, const Message& message, const uint8_t* handle, size_t bytes);
  HomePort* port_of(NodeIndex peer, uint64_t id);
  void answer_error(NodeIndex peer, const Message& to, Status status);
  void note(const PortName& name, HomePort& port);

  std::shared_ptr<Node> node_;
  Outbox& outbox_;
  Carrier& carrier_;
  std::map<PortName, std::unique_ptr<HomePort>> ports_;
  std::set<PortName> parked_;
  std::set<PortName> touched_;
  std::map<uint64_t, HomePort*> landings_;
  std::map<uint64_t, Offering> offerings_;
  uint64_t tokens_ = 0;
};

}  // namespace dragon::agent
