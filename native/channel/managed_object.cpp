#include "channel/managed_object.h"

#include <string.h>

#include <algorithm>

#include "channel/channel.h"

namespace dragon {

namespace {

AllocationType type_for(HandleKind kind) {
  switch (kind) {
    case HandleKind::kChannel:
      return AllocationType::kChannel;
    case HandleKind::kLock:
      return AllocationType::kLock;
    case HandleKind::kCounter:
      return AllocationType::kCounter;
    case HandleKind::kSemaphore:
    case HandleKind::kBarrier:
    case HandleKind::kEvent:
    case HandleKind::kCondition:
    case HandleKind::kBroadcast:
    case HandleKind::kRwLock:
    case HandleKind::kTaskBoard:
      return AllocationType::kEvent;
    case HandleKind::kRegion:
      return AllocationType::kRegion;
    case HandleKind::kPool:
    case HandleKind::kAllocation:
    case HandleKind::kDescriptor:
      break;
  }
  return AllocationType::kData;
}

}  // namespace

void take_apart(Pool& pool, const AllocationInfo& object) {
  if (object.type == AllocationType::kChannel) take_apart_channel(pool, object);
  pool.free(object.allocation.id);
}

ObjectHeader* ObjectGate::header() {
  AllocationInfo info;
  if (pool_.find(allocation_, info) != DRAGON_SUCCESS) return nullptr;
  const bool reachable = info.owner == kOwnerObject || info.owner == pool_.node().me().id;
  return reachable ? reinterpret_cast<ObjectHeader*>(info.allocation.data) : nullptr;
}

void ObjectGate::on_last_close() {
  pool_.change_owner(allocation_, kOwnerObject, pool_.node().me().id);
}

void ObjectGate::end() {
  AllocationInfo info;
  const bool there = pool_.find(allocation_, info) == DRAGON_SUCCESS;
  if (there && info.owner == pool_.node().me().id) take_apart(pool_, info);
}

Status ManagedObject::begin_create(const std::shared_ptr<Pool>& pool, HandleKind kind,
                                   uint64_t bytes) {
  Allocation allocation;
  const Status status = pool->try_allocate(bytes, type_for(kind), allocation);
  if (status != DRAGON_SUCCESS) return status;
  ::memset(allocation.data, 0, bytes);
  use(pool);
  id_ = allocation.id;
  kind_ = kind;
  base_ = allocation.data;
  return DRAGON_SUCCESS;
}

// Pointers to what each call looks at.
void ManagedObject::use(const std::shared_ptr<Pool>& pool) {
  pool_ = pool;
  node_ = &pool->node();
  pool_destroyed_ = &pool->header()->destroyed;
}

// First the record, then the owner: an object that belongs to itself is always open somewhere.
Status ManagedObject::end_create() {
  object().magic.store(kObjectMagic + static_cast<uint32_t>(kind_));
  ObjectGate gate(*pool_, id_);
  const Status status = open_object(node(), name(), Role::kHolder, gate, record_);
  if (status == DRAGON_SUCCESS) {
    pool_->change_owner(id_, node().me().id, kOwnerObject);
  } else {
    pool_->free(id_);
    base_ = nullptr;
  }
  return status;
}

Status ManagedObject::attach_to(const std::shared_ptr<Node>& node, HandleKind kind,
                                const uint8_t* bytes, size_t length, bool adopt,
                                RecordId& adopted) {
  Handle handle;
  adopted = 0;
  if (node->closed()) return DRAGON_CLOSED;
  Status status = decode_handle_for(node->identity(), kind, bytes, length, handle);
  if (status != DRAGON_SUCCESS) return status;
  if (handle.allocation == 0 || (adopt && handle.lent_record == 0)) return DRAGON_BAD_HANDLE;
  std::shared_ptr<Pool> pool;
  status = node->pool(handle.segment_id, pool);
  if (status != DRAGON_SUCCESS) return status;
  use(pool);
  id_ = handle.allocation;
  kind_ = kind;
  AllocationInfo info;
  status = pool_->find(id_, info);
  if (status != DRAGON_SUCCESS) return status;
  if (info.type != type_for(kind)) return DRAGON_BAD_HANDLE;
  ObjectGate gate(*pool_, id_);
  status = open_object(*node, name(), Role::kHolder, gate, record_);
  if (status != DRAGON_SUCCESS) return status;
  base_ = info.allocation.data;
  if (object().magic.load() != kObjectMagic + static_cast<uint32_t>(kind)) {
    close();
    return DRAGON_BAD_HANDLE;
  }
  if (adopt) {
    status = adopt_object(*node, name(), static_cast<Role>(handle.role), handle.lent_record);
    if (status != DRAGON_SUCCESS) {
      close();
      return status;
    }
    adopted = handle.lent_record;
    handles_.push_back(adopted);
  }
  return DRAGON_SUCCESS;
}

void ManagedObject::look_at(const std::shared_ptr<Pool>& pool, const AllocationInfo& object) {
  use(pool);
  id_ = object.allocation.id;
  base_ = object.allocation.data;
}

void ManagedObject::serialize(HandleBytes& out) const {
  Handle handle;
  handle.kind = kind_;
  handle.host_id = node().identity().host_id;
  handle.runtime_id = node().identity().runtime_id;
  handle.segment_id = pool_->segment_id();
  handle.allocation = id_;
  encode_handle(handle, out);
}

Status ManagedObject::open_handle(Role role, RecordId& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  ObjectGate gate(*pool_, id_);
  const Status opened = open_object(node(), name(), role, gate, out);
  if (opened == DRAGON_SUCCESS) handles_.push_back(out);
  return opened;
}

void ManagedObject::close_handle(RecordId record) {
  const auto found = std::find(handles_.begin(), handles_.end(), record);
  if (found == handles_.end()) return;
  handles_.erase(found);
  // After the end of the attachment the records are the reclamation's.
  if (!node().closed()) close_record(record);
}

Status ManagedObject::lend(Role role, HandleBytes& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  ObjectGate gate(*pool_, id_);
  RecordId record = 0;
  const Status lent = lend_object(node(), name(), role, gate, record);
  if (lent != DRAGON_SUCCESS) return lent;
  Handle handle;
  handle.kind = kind_;
  handle.role = static_cast<uint8_t>(role);
  handle.host_id = node().identity().host_id;
  handle.runtime_id = node().identity().runtime_id;
  handle.segment_id = pool_->segment_id();
  handle.allocation = id_;
  handle.lent_record = record;
  encode_handle(handle, out);
  return DRAGON_SUCCESS;
}

Status ManagedObject::entrust_lent(const uint8_t* bytes, size_t length) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  Handle handle;
  const Status named = decode_handle_for(node().identity(), kind_, bytes, length, handle);
  if (named != DRAGON_SUCCESS) return named;
  return handle.allocation == id_ ? entrust_object(node(), handle.lent_record) : DRAGON_BAD_HANDLE;
}

bool ManagedObject::cancel_lent(const uint8_t* bytes, size_t length) {
  Handle handle;
  if (pool_ == nullptr || node().closed()) return false;
  if (decode_handle_for(node().identity(), kind_, bytes, length, handle) != DRAGON_SUCCESS) {
    return false;
  }
  if (handle.allocation != id_ || !take_back_lent(node(), handle.lent_record)) return false;
  close_record(handle.lent_record);
  return true;
}

Status ManagedObject::destroy() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (!object().destroyed.replace(kObjectAlive, kObjectDestroyed)) return DRAGON_OBJECT_DESTROYED;
  wake_all_lanes();
  drop_contents();
  return DRAGON_SUCCESS;
}

bool ManagedObject::destroyed() const {
  return base_ == nullptr || object().destroyed.load() != kObjectAlive || pool_->destroyed();
}

void ManagedObject::close() {
  if (base_ == nullptr) return;
  if (record_ != 0 && !node().closed()) {
    before_close();
    while (!handles_.empty()) close_handle(handles_.back());
    close_record(record_);
  }
  base_ = nullptr;
}

uint32_t ManagedObject::count(Role role) const {
  return base_ == nullptr ? 0 : object().counts[static_cast<uint32_t>(role)].load();
}

bool ManagedObject::ever(Role role) const {
  return (object().ever.load() & 1u << static_cast<uint32_t>(role)) != 0;
}

WaitPlace ManagedObject::place(uint32_t lane) const {
  return {lane_key(name(), lane), &object().hint, 1u << lane};
}

void ManagedObject::wake_lanes(uint32_t lanes) {
  const uint32_t waiting = ParkingLot::waiters(object().hint);
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    if ((waiting & 1u << lane) != 0) node().lot().wake_all(place(lane));
  }
}

void ManagedObject::close_record(RecordId record) {
  ObjectGate gate(*pool_, id_);
  bool last = false;
  close_object(node(), record, gate, false, last);
  if (last) {
    gate.end();
  } else if (base_ != nullptr && record != record_) {
    wake_all_lanes();  // senders or receivers may have become none
  }
}

}  // namespace dragon
