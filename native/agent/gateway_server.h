// The agent's end of the gateway.
//
// Goals: takes what was submitted in its order; answers; gives back what dead clients left.
// Non-goals: carrying requests out (engine.h). Nothing here waits.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "agent/gateway.h"

namespace dragon::agent {

class GatewayServer {
 public:
  // Makes the gateway in a pool of this actor's node and makes it known there. EXISTS if the node
  // has had an agent.
  static Status create(const std::shared_ptr<Pool>& pool, std::unique_ptr<GatewayServer>& out);
  ~GatewayServer();

  // The next slot that was submitted, taken; false if there is none.
  bool next(SlotId& out);
  GatewaySlot& slot(SlotId id) const { return header_->slots[id.index]; }
  ActorId owner(SlotId id) const { return slot_owner(slot(id).owner.load()); }
  bool detached(SlotId id) const { return (slot(id).owner.load() & kDetached) != 0; }
  // The answer is in the slot: tells the client, or frees the slot if nobody waits. False if
  // nobody does; then the slot is free, and its allocation was freed if it was the agent's.
  bool finish(SlotId id, Status status);
  // Whether clients have asked for cancellations, or closed ports, since the last call.
  bool cancels();
  bool cancelled(SlotId id) const { return slot(id).cancel.load() != 0; }

  // A pool of this node. It stays attached while a slot names it: an attachment that ends takes
  // along what its actor owns.
  Status pool_of(uint32_t segment, std::shared_ptr<Pool>& out);
  // The allocation that the slot names; OBJECT_DESTROYED if it is not this actor's.
  Status source(SlotId id, std::shared_ptr<Pool>& pool, Allocation& out);
  // Frees it.
  void free_source(SlotId id);

  // Those that were closed, and those whose client died.
  struct EndedPort {
    uint64_t id = 0;
    bool died = false;
  };
  std::vector<EndedPort> ended_ports() const;
  // 0 once it is closed.
  ActorId port_owner(uint64_t port) const;
  void fail_port(uint64_t port, Status status);
  void free_port(uint64_t port);

  // Frees what dead clients had claimed, submitted or not taken, and leaves pools that no slot
  // names. Ports and requests that the engine has are its own business.
  void give_back();

  const std::shared_ptr<Pool>& pool() const { return pool_; }
  Node& node() const { return pool_->node(); }

 private:
  GatewayServer() = default;
  void free_slot(uint32_t index, uint64_t word);
  void drop_allocation(GatewaySlot& slot);

  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Region> region_;
  std::map<uint32_t, std::shared_ptr<Pool>> pools_;
  GatewayHeader* header_ = nullptr;
  uint64_t head_ = 0;
  uint32_t cancels_ = 0;
};

}  // namespace dragon::agent
