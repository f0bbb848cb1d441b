#include "agent/gateway_server.h"

#include <string.h>

#include <set>

namespace dragon::agent {

Status GatewayServer::create(const std::shared_ptr<Pool>& pool,
                             std::unique_ptr<GatewayServer>& out) {
  std::unique_ptr<GatewayServer> server(new GatewayServer());
  Status status = Region::create(pool, sizeof(GatewayHeader), server->region_);
  if (status != DRAGON_SUCCESS) return status;
  server->pool_ = pool;
  server->header_ = reinterpret_cast<GatewayHeader*>(server->region_->data());
  ::memset(static_cast<void*>(server->header_), 0, sizeof(GatewayHeader));
  server->header_->agent.store(pool->node().me().id);
  server->header_->magic.store(kGatewayMagic);
  HandleBytes handle;
  server->region_->serialize(handle);
  status = pool->node().segment().set_well_known(kWellKnownGateway, handle);
  if (status == DRAGON_SUCCESS) out = std::move(server);
  return status;
}

GatewayServer::~GatewayServer() {
  if (region_ != nullptr && !region_->closed()) region_->destroy();
}

bool GatewayServer::next(SlotId& out) {
  for (;;) {
    Word64& cell = header_->cells[head_ % kRingCells];
    const auto lap = static_cast<uint32_t>(head_ / kRingCells);
    const uint64_t word = cell.load();
    const auto ref = static_cast<uint32_t>(word);
    if (static_cast<uint32_t>(word >> 32) != lap || ref == 0) return false;
    cell.store(cell_word(lap + 1, 0));
    ++head_;
    Word64& owner = header_->slots[(ref - 1) % kSlots].owner;
    uint64_t found = owner.load();
    while (slot_state(found) == SlotState::kSubmitted) {
      if (!owner.cas(found, with_state(found, SlotState::kTaken))) continue;
      out = {(ref - 1) % kSlots, slot_generation(found)};
      return true;
    }
  }
}

bool GatewayServer::finish(SlotId id, Status status) {
  GatewaySlot& one = slot(id);
  one.status.store(status);
  uint64_t word = one.owner.load();
  ParkingLot& lot = node().lot();
  const WaitPlace place = slot_place(region_->name(), *header_, id.index);
  while ((word & kDetached) == 0 && node().actors().alive(slot_owner(word))) {
    if (!one.owner.cas_seq(word, with_state(word, SlotState::kDone))) continue;
    if ((ParkingLot::waiters_seq(*place.hint) & place.bit) != 0) lot.wake_all(place);
    return true;
  }
  free_slot(id.index, word);
  if ((ParkingLot::waiters(*place.hint) & place.bit) != 0) lot.wake_all(place);
  return false;
}

void GatewayServer::drop_allocation(GatewaySlot& one) {
  const uint64_t allocation = one.allocation.load();
  if (allocation == 0) return;
  std::shared_ptr<Pool> pool;
  AllocationInfo info;
  const bool there = pool_of(one.segment.load(), pool) == DRAGON_SUCCESS &&
                     pool->find(allocation, info) == DRAGON_SUCCESS;
  if (there && info.owner == node().me().id) pool->free(allocation);
  one.allocation.store(0);
}

void GatewayServer::free_slot(uint32_t index, uint64_t word) {
  GatewaySlot& one = header_->slots[index];
  drop_allocation(one);
  // Only a client that detaches changes a taken slot meanwhile.
  while (!one.owner.cas(word, freed(word))) {
  }
  node().lot().signal(room_place(region_->name(), *header_));
}

bool GatewayServer::cancels() {
  const uint32_t now = header_->cancels.load();
  if (now == cancels_) return false;
  cancels_ = now;
  return true;
}

Status GatewayServer::pool_of(uint32_t segment, std::shared_ptr<Pool>& out) {
  std::shared_ptr<Pool>& mine = pools_[segment];
  if (mine == nullptr || mine->destroyed()) {
    const Status status = node().pool(segment, mine);
    if (status != DRAGON_SUCCESS) {
      pools_.erase(segment);
      return status;
    }
  }
  out = mine;
  return DRAGON_SUCCESS;
}

Status GatewayServer::source(SlotId id, std::shared_ptr<Pool>& pool, Allocation& out) {
  const GatewaySlot& one = slot(id);
  Status status = pool_of(one.segment.load(), pool);
  if (status != DRAGON_SUCCESS) return status;
  AllocationInfo info;
  status = pool->find_bytes(one.allocation.load(), info);
  if (status == DRAGON_SUCCESS && info.owner != node().me().id) return DRAGON_OBJECT_DESTROYED;
  out = info.allocation;
  return status;
}

void GatewayServer::free_source(SlotId id) {
  drop_allocation(slot(id));
}

ActorId GatewayServer::port_owner(uint64_t port) const {
  const uint64_t word = header_->ports[port_index(port) % kPorts].owner.load();
  const bool current = port_id(slot_generation(word), port_index(port)) == port &&
                       slot_state(word) == SlotState::kClaimed;
  return current ? slot_owner(word) : 0;
}

std::vector<GatewayServer::EndedPort> GatewayServer::ended_ports() const {
  std::vector<EndedPort> ended;
  for (uint32_t index = 0; index < kPorts; ++index) {
    const uint64_t word = header_->ports[index].owner.load();
    const SlotState state = slot_state(word);
    if (state == SlotState::kFree) continue;
    const bool died = !node().actors().alive(slot_owner(word));
    if (state == SlotState::kClaimed && !died) continue;
    ended.push_back({port_id(slot_generation(word), index), died});
  }
  return ended;
}

void GatewayServer::fail_port(uint64_t port, Status status) {
  if (port_owner(port) != 0) header_->ports[port_index(port)].status.store(status);
}

void GatewayServer::free_port(uint64_t port) {
  Word64& owner = header_->ports[port_index(port) % kPorts].owner;
  const uint64_t word = owner.load();
  const bool current = port_id(slot_generation(word), port_index(port)) == port;
  if (current && slot_state(word) != SlotState::kFree) owner.store(freed(word));
}

void GatewayServer::give_back() {
  std::set<uint32_t> named;
  for (uint32_t index = 0; index < kSlots; ++index) {
    const GatewaySlot& one = header_->slots[index];
    const uint64_t word = one.owner.load();
    const SlotState state = slot_state(word);
    if (state == SlotState::kFree) continue;
    const bool dead = !node().actors().alive(slot_owner(word));
    if (!dead || state == SlotState::kTaken) {
      named.insert({one.segment.load(), one.landing.load()});
    } else {
      // Submitted and not in the ring: its client died in between. The ring was emptied before.
      free_slot(index, word);
    }
  }
  // While a client has the pool open, it may just now make an allocation of it the agent's.
  std::erase_if(pools_, [&](const auto& one) {
    const auto holders = one.second->header()->counts[static_cast<uint32_t>(Role::kHolder)].load();
    return one.second.use_count() == 1 && holders <= 1 && named.count(one.first) == 0;
  });
}

}  // namespace dragon::agent
