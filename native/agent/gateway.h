// The client's end of the gateway: how a process hands requests to its node's agent.
//
// Goals: a submit makes no system call while the agent is awake; killed at any instruction a client
// leaves nothing that the agent does not give back; the agent's death ends every wait.
// Non-goals: what requests mean (remote_channel.h), who carries them out (engine.h).
#pragma once

#include <cstdint>
#include <memory>

#include "agent/gateway_layout.h"
#include "channel/region.h"
#include "memory/pool.h"

namespace dragon::agent {

// A slot in one of its uses.
struct SlotId {
  uint32_t index = 0;
  uint64_t generation = 0;
};

class Gateway {
 public:
  // NOT_FOUND if the node has no agent; AGENT_GONE if it has ended.
  static Status attach(const std::shared_ptr<Node>& node, std::shared_ptr<Gateway>& out);

  // A slot for the caller to fill; WOULD_BLOCK while there is none.
  Status try_claim(SlotId& out);
  Status claim(Deadline deadline, SlotId& out);
  GatewaySlot& slot(SlotId id) const { return header_->slots[id.index]; }
  // Makes an allocation of this actor's the slot's. NOT_OWNER.
  Status give(SlotId id, Pool& pool, uint64_t allocation);
  // Hands a filled slot over. `detached`: nobody will wait, the agent frees it.
  Status submit(SlotId id, bool detached);
  // SUCCESS when the answer is there, AGENT_GONE when there will be none.
  Status try_answer(SlotId id);
  Status await(SlotId id, Deadline deadline, WaitMode wait = WaitMode::kAdaptive);
  // Asks for an early end of a submitted request, whose answer says what became of it.
  void cancel(SlotId id);
  // Nobody will wait any more. False if the answer has come just now.
  bool detach(SlotId id);
  // Makes the answer's allocation this actor's. OBJECT_DESTROYED if it is gone.
  Status take(SlotId id, std::shared_ptr<Pool>& pool, Allocation& out);
  // After the answer, or instead of a submit.
  void release(SlotId id);
  // Whether a detached request has come to its end.
  bool ended(SlotId id) const { return slot_generation(slot(id).owner.load()) != id.generation; }

  // Ports.
  Status open_port(uint64_t& out);
  // What was submitted through it before still counts.
  void close_port(uint64_t port);
  // Why a send through the port that nobody waited for has failed: told once, but for what is for
  // ever.
  Status port_status(uint64_t port);

  // Where to wait for an answer, and for a free slot.
  WaitPlace place(SlotId id) const;
  WaitPlace room() const;
  // Whether the agent lives; `probe` asks the kernel.
  bool agent_lives(bool probe) const;
  // Memory that the agent sees.
  const std::shared_ptr<Pool>& pool() const { return pool_; }
  Node& node() const { return *node_; }
  const std::shared_ptr<Node>& node_pointer() const { return node_; }

 private:
  Gateway() = default;
  bool put(uint32_t index);

  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Region> region_;
  GatewayHeader* header_ = nullptr;
  uint32_t next_ = 0;
  uint32_t next_port_ = 0;
};

// Where the waiters for slot `index` stand.
WaitPlace slot_place(const ObjectName& gateway, GatewayHeader& header, uint32_t index);
WaitPlace room_place(const ObjectName& gateway, GatewayHeader& header);

}  // namespace dragon::agent
