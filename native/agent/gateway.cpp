#include "agent/gateway.h"

namespace dragon::agent {

namespace {

// A wait that has slept this long asks the kernel whether the agent lives.
constexpr uint64_t kFirstSleepNs = 10'000'000;

}  // namespace

// The region's key with the slot's number where no lane and no segment has bits.
WaitPlace slot_place(const ObjectName& gateway, GatewayHeader& header, uint32_t index) {
  return {object_key(gateway) | static_cast<uint64_t>(index + 1) << 48, &header.slots[index].hint,
          1};
}

WaitPlace room_place(const ObjectName& gateway, GatewayHeader& header) {
  return {object_key(gateway), &header.hint, 1};
}

Status Gateway::attach(const std::shared_ptr<Node>& node, std::shared_ptr<Gateway>& out) {
  HandleBytes handle;
  Status status = node->segment().well_known(kWellKnownGateway, handle);
  if (status != DRAGON_SUCCESS) return status;
  std::shared_ptr<Gateway> gateway(new Gateway());
  RecordId adopted = 0;
  status = Region::attach(node, handle, sizeof handle, false, adopted, gateway->region_);
  if (status == DRAGON_OBJECT_DESTROYED) return DRAGON_AGENT_GONE;
  if (status != DRAGON_SUCCESS) return status;
  if (gateway->region_->bytes() != sizeof(GatewayHeader)) return DRAGON_LAYOUT;
  gateway->header_ = reinterpret_cast<GatewayHeader*>(gateway->region_->data());
  if (gateway->header_->magic.load() != kGatewayMagic) return DRAGON_LAYOUT;
  gateway->node_ = node;
  status = node->pool(gateway->region_->name().segment_id, gateway->pool_);
  if (status != DRAGON_SUCCESS) return status;
  // Actors begin their search at different slots.
  gateway->next_ = hash_key(node->me().id) % kSlots;
  gateway->next_port_ = hash_key(node->me().id) % kPorts;
  if (!gateway->agent_lives(true)) return DRAGON_AGENT_GONE;
  out = std::move(gateway);
  return DRAGON_SUCCESS;
}

bool Gateway::agent_lives(bool probe) const {
  const ActorId agent = header_->agent.load();
  return probe ? node_->actors().probe(agent) : node_->actors().alive(agent);
}

Status Gateway::try_claim(SlotId& out) {
  if (!agent_lives(false)) return DRAGON_AGENT_GONE;
  for (uint32_t tries = 0; tries < kSlots; ++tries) {
    const uint32_t index = next_;
    next_ = (next_ + 1) % kSlots;
    Word64& owner = header_->slots[index].owner;
    uint64_t word = owner.load();
    if (slot_state(word) != SlotState::kFree) continue;
    const uint64_t generation = slot_generation(word);
    if (!owner.cas(word, slot_word(generation, SlotState::kClaimed, node_->me().id))) continue;
    out = {index, generation};
    return DRAGON_SUCCESS;
  }
  return DRAGON_WOULD_BLOCK;
}

Status Gateway::claim(Deadline deadline, SlotId& out) {
  return wait_until(node_->lot(), room(), deadline, true, [&](SleepSteps& steps) {
    const bool slept = steps.next_ns > kFirstSleepNs;
    if (steps.next_ns > kHeldSleepNsMax) steps.next_ns = kHeldSleepNsMax;
    if (slept && !agent_lives(true)) return DRAGON_AGENT_GONE;
    return try_claim(out);
  });
}

Status Gateway::give(SlotId id, Pool& pool, uint64_t allocation) {
  GatewaySlot& mine = slot(id);
  mine.segment.store(pool.segment_id());
  mine.allocation.store(allocation);
  const Status given = pool.change_owner(allocation, node_->me().id, header_->agent.load());
  if (given == DRAGON_SUCCESS) return given;
  mine.allocation.store(0);
  return given == DRAGON_STATE ? DRAGON_NOT_OWNER : given;
}

// Fails only while the ring is full of slots that were put in more than once.
bool Gateway::put(uint32_t index) {
  for (;;) {
    uint64_t position = header_->tail.load();
    Word64& cell = header_->cells[position % kRingCells];
    uint64_t word = cell.load();
    const auto lap = static_cast<uint32_t>(position / kRingCells);
    const auto found = static_cast<uint32_t>(word >> 32);
    if (found == lap && static_cast<uint32_t>(word) == 0) {
      if (!cell.cas(word, cell_word(lap, index + 1))) continue;
      header_->tail.cas(position, position + 1);
      return true;
    }
    if (static_cast<int32_t>(found - lap) < 0) {
      if (header_->tail.load() == position) return false;
      continue;
    }
    header_->tail.cas(position, position + 1);
  }
}

Status Gateway::submit(SlotId id, bool detached) {
  GatewaySlot& mine = slot(id);
  mine.cancel.store(0);
  const uint64_t flag = detached ? kDetached : 0;
  const uint64_t word = slot_word(id.generation, SlotState::kSubmitted, node_->me().id);
  mine.owner.store(word | flag);
  while (!put(id.index)) {
    if (!agent_lives(true)) return DRAGON_AGENT_GONE;
    ::sched_yield();
  }
  node_->bell().ring(header_->agent.load());
  return DRAGON_SUCCESS;
}

Status Gateway::try_answer(SlotId id) {
  const uint64_t word = slot(id).owner.load();
  if (slot_generation(word) != id.generation) return DRAGON_AGENT_GONE;
  if (slot_state(word) == SlotState::kDone) return DRAGON_SUCCESS;
  return agent_lives(false) ? DRAGON_WOULD_BLOCK : DRAGON_AGENT_GONE;
}

Status Gateway::await(SlotId id, Deadline deadline, WaitMode wait) {
  const auto attempt = [&](SleepSteps& steps) {
    const bool slept = steps.next_ns > kFirstSleepNs;
    if (steps.next_ns > kHeldSleepNsMax) steps.next_ns = kHeldSleepNsMax;
    if (slept) agent_lives(true);  // marks a dead one
    return try_answer(id);
  };
  return wait_until(node_->lot(), place(id), deadline, false, attempt, is_not_yet, 0, wait);
}

void Gateway::cancel(SlotId id) {
  slot(id).cancel.store(1);
  header_->cancels.fetch_add(1);
  node_->bell().ring(header_->agent.load());
}

bool Gateway::detach(SlotId id) {
  Word64& owner = slot(id).owner;
  uint64_t word = owner.load();
  while (slot_generation(word) == id.generation && slot_state(word) != SlotState::kDone) {
    if (owner.cas(word, word | kDetached)) return true;
  }
  return false;
}

Status Gateway::take(SlotId id, std::shared_ptr<Pool>& pool, Allocation& out) {
  GatewaySlot& mine = slot(id);
  Status status = node_->pool(mine.segment.load(), pool);
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t allocation = mine.allocation.load();
  AllocationInfo info;
  status = pool->find_bytes(allocation, info);
  if (status != DRAGON_SUCCESS) return status;
  if (pool->change_owner(allocation, header_->agent.load(), node_->me().id) != DRAGON_SUCCESS) {
    return DRAGON_OBJECT_DESTROYED;
  }
  mine.allocation.store(0);
  out = info.allocation;
  return DRAGON_SUCCESS;
}

void Gateway::release(SlotId id) {
  GatewaySlot& mine = slot(id);
  mine.allocation.store(0);
  mine.owner.store(freed(mine.owner.load()));
  node_->lot().signal(room());
}

Status Gateway::open_port(uint64_t& out) {
  for (uint32_t tries = 0; tries < kPorts; ++tries) {
    const uint32_t index = next_port_;
    next_port_ = (next_port_ + 1) % kPorts;
    GatewayPort& port = header_->ports[index];
    uint64_t word = port.owner.load();
    if (slot_state(word) != SlotState::kFree) continue;
    const uint64_t generation = slot_generation(word);
    if (!port.owner.cas(word, slot_word(generation, SlotState::kClaimed, node_->me().id))) continue;
    port.status.store(DRAGON_SUCCESS);
    out = port_id(generation, index);
    return DRAGON_SUCCESS;
  }
  return DRAGON_TOO_MANY_RECORDS;
}

Status Gateway::port_status(uint64_t port) {
  Word32& word = header_->ports[port_index(port)].status;
  uint32_t found = word.load();
  if (found == DRAGON_SUCCESS) return DRAGON_SUCCESS;
  const bool lasts = found == DRAGON_OBJECT_DESTROYED || found == DRAGON_NODE_GONE;
  if (!lasts) word.cas(found, DRAGON_SUCCESS);
  return static_cast<Status>(found);
}

// Needs no slot, so that no lack of them keeps a port open.
void Gateway::close_port(uint64_t port) {
  Word64& owner = header_->ports[port_index(port)].owner;
  uint64_t word = owner.load();
  const bool current = port_id(slot_generation(word), port_index(port)) == port &&
                       slot_state(word) == SlotState::kClaimed;
  if (!current || !owner.cas(word, with_state(word, SlotState::kDone))) return;
  header_->cancels.fetch_add(1);
  node_->bell().ring(header_->agent.load());
}

WaitPlace Gateway::place(SlotId id) const {
  return slot_place(region_->name(), *header_, id.index);
}

WaitPlace Gateway::room() const {
  return room_place(region_->name(), *header_);
}

}  // namespace dragon::agent
