// The asking half of an agent: carries the requests of its own node's clients to other nodes, and
// the answers back.
//
// Sends of a port go in their order, and at most kWindow of them are on the way or parked at the
// channel's node; the rest waits in slots, so the channel's node needs no more memory than that for
// a port. Nothing else waits for a send: a receive through the same port may be what makes room.
//
// Goals: pure: no clock, no socket; every request is finished once.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "agent/carrier.h"
#include "agent/gateway_server.h"

namespace dragon::agent {

class Asking {
 public:
  // `nodes`: host id to index.
  Asking(GatewayServer& gateway, Outbox& outbox, Carrier& carrier,
         const std::map<uint64_t, NodeIndex>& nodes);

  void on_submitted(SlotId id);
  // Clients want an end of requests, or have closed ports.
  void on_cancels();
  void on_answer(NodeIndex peer, const Message& message, const uint8_t* payload, size_t bytes);
  // An answer whose payload is to be fetched.
  void on_offered(NodeIndex peer, const Message& message, uint64_t transfer);
  void on_credit(const Message& message);
  void on_failed(const Message& message);
  void on_sent(uint64_t token, Status status);
  void on_landed(uint64_t token, Status status);
  void on_writable(NodeIndex peer);
  void on_dead(NodeIndex peer);
  // Now and then: ends what belongs to dead clients, tries again what found no memory.
  void on_tick();
  // Whether requests are open or ports are.
  bool idle() const { return open_ == 0 && ports_.empty(); }

 private:
  struct Request {
    SlotId id;
    bool open = false;
    bool sent = false;
    bool cancelled = false;
    bool silent = false;    // nobody waited when it was sent
    bool offered = false;   // its payload is offered and not yet sent
    bool answered = false;  // the answer is there but for the end of the offer or the landing
    Op op = Op::kNone;
    NodeIndex node = 0;
    uint64_t port = 0;
    std::shared_ptr<Pool> pool;  // of the payload's source or landing
    Allocation memory;
    Message answer;         // whose payload lands
    uint64_t transfer = 0;  // of the landing, 0 if it has no memory yet
    bool landing = false;
  };
  struct Kept {  // a message that came for somebody who had given up
    Message message;
    std::shared_ptr<Pool> pool;
    Allocation memory;
  };
  struct Port {
    NodeIndex node = 0;
    uint32_t credit = kWindow;
    std::deque<uint32_t> queue;  // requests
    std::deque<Kept> kept;
    // Receives that are open; and those that wait for what comes for one that was given up.
    std::vector<uint32_t> receives;
    std::deque<uint32_t> held;
    Status status = DRAGON_SUCCESS;
  };

  Request* request_of(const Message& message);
  Request& begin(SlotId id);
  void attach(Request& request);
  void forward(Request& request);
  void transmit(Request& request);
  void drain_queue(Port& port);
  void give_credit(uint64_t port_id);
  void finish(Request& request, Status status);
  void set_payload(Request& request, const Message& message, const uint8_t* payload, size_t bytes);
  void receive(Request& request, Port& port);
  void end_receive(Request& request);
  bool answer_from_kept(Request& request, Port& port);
  void keep(Request& request);
  bool land(Request& request);
  void complete_landed(Request& request);
  void drop_kept(Port& port);
  void close_ports();
  void close_port(uint64_t port_id, bool died);
  void cancel(Request& request);
  std::shared_ptr<Pool> landing_pool(const Request& request) const;
  uint64_t token_of(const Request& request) const {
    return request.id.generation << 16 | request.id.index;
  }
  static uint64_t wire_id(const Request& request) {
    return request.id.generation << 16 | request.id.index | 1ull << 63;
  }

  GatewayServer& gateway_;
  Outbox& outbox_;
  Carrier& carrier_;
  const std::map<uint64_t, NodeIndex>& nodes_;
  std::vector<Request> requests_;
  std::map<uint64_t, Port> ports_;
  std::map<NodeIndex, uint32_t> waiting_for_;  // open requests by node
  uint32_t open_ = 0;
};

}  // namespace dragon::agent
