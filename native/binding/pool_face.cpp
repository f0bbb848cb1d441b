// The faces of memory pools and of allocations.
#include "binding/pool_face.h"

#include "binding/classes.h"
#include "binding/face.h"

namespace dragon::binding {

void PoolFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativePool",
                  {
                      InstanceMethod<&PoolFace::arm>("arm"),
                      InstanceMethod<&PoolFace::try_allocate>("tryAllocate"),
                      InstanceMethod<&PoolFace::allocate_sync>("allocateSync"),
                      InstanceMethod<&PoolFace::find>("find"),
                      InstanceMethod<&PoolFace::list>("list"),
                      InstanceMethod<&PoolFace::trim>("trim"),
                      InstanceAccessor<&PoolFace::placement>("placement"),
                      InstanceMethod<&PoolFace::stats>("stats"),
                      InstanceMethod<&PoolFace::audit>("audit"),
                      InstanceMethod<&PoolFace::serialize>("serialize"),
                      InstanceMethod<&PoolFace::destroy>("destroy"),
                      InstanceMethod<&PoolFace::close>("close"),
                  });
  classes(env).pool = Napi::Persistent(constructor);
  exports.Set("createPool", Napi::Function::New<PoolFace::create>(env));
  exports.Set("attachPool", Napi::Function::New<PoolFace::attach>(env));
}

PoolFace* PoolFace::of(const Napi::Value& value) {
  PoolFace* face = face_of<PoolFace>(value, classes(value.Env()).pool);
  return face == nullptr || face->pool_ == nullptr ? nullptr : face;
}

PoolFace::PoolFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PoolFace>(info) {}

Napi::Value PoolFace::create(const Napi::CallbackInfo& info) {
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  PoolOptions options;
  options.limit_bytes = static_cast<uint64_t>(number_of(info[1], 0));
  const double initial = number_of(info[2], 0);
  if (initial > 0) options.initial_bytes = static_cast<uint64_t>(initial);
  const double growth = number_of(info[3], 0);
  if (growth > 0) options.growth_bytes = static_cast<uint64_t>(growth);
  options.numa_node = static_cast<int>(number_of(info[4], -1));
  options.huge_pages = info[5].ToBoolean();
  options.populate = info[6].ToBoolean();
  std::shared_ptr<Pool> pool;
  const Status status = Pool::create(node->node(), options, pool);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), node, std::move(pool));
}

Napi::Value PoolFace::attach(const Napi::CallbackInfo& info) {
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  Bytes handle;
  if (!bytes_of(info[1], handle)) return status_value(info.Env(), DRAGON_BAD_HANDLE);
  std::shared_ptr<Pool> pool;
  const Status status = info[2].ToBoolean()
                            ? Pool::attach_read_only(node->node(), handle.data, handle.length, pool)
                            : Pool::attach(node->node(), handle.data, handle.length, pool);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), node, std::move(pool));
}

Napi::Value PoolFace::make(Napi::Env env, NodeFace* node, std::shared_ptr<Pool> pool) {
  Napi::Object object = classes(env).pool.New({});
  PoolFace* face = Unwrap(object);
  face->node_ = node;
  face->pool_ = std::move(pool);
  return object;
}

Napi::Value PoolFace::arm(const Napi::CallbackInfo& info) {
  if (pool_ == nullptr) return Napi::Number::New(info.Env(), -double{DRAGON_CLOSED});
  return node_->arm(info.Env(), pool_->place(), pool_);
}

Napi::Value PoolFace::try_allocate(const Napi::CallbackInfo& info) {
  return allocate(info, Deadline::once());
}

Napi::Value PoolFace::allocate_sync(const Napi::CallbackInfo& info) {
  return allocate(info, deadline_of(info[2]));
}

Napi::Value PoolFace::allocate(const Napi::CallbackInfo& info, Deadline deadline) {
  const Napi::Env env = info.Env();
  if (pool_ == nullptr) return status_value(env, DRAGON_CLOSED);
  const double bytes = number_of(info[0], -1);
  if (!(bytes > 0)) return status_value(env, DRAGON_INVALID_ARGUMENT);
  if (bytes > 9e15) return status_value(env, DRAGON_TOO_LARGE);
  Allocation allocation;
  const Status status =
      pool_->allocate(static_cast<uint64_t>(bytes), AllocationType::kData, deadline, allocation);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  return AllocationFace::make(env, node_, pool_, allocation);
}

// The live allocation of an id, or a status.
Napi::Value PoolFace::find(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (pool_ == nullptr) return status_value(env, DRAGON_CLOSED);
  if (!info[0].IsBigInt()) return status_value(env, DRAGON_INVALID_ARGUMENT);
  bool lossless = false;
  const uint64_t id = info[0].As<Napi::BigInt>().Uint64Value(&lossless);
  MemoryView found;
  const Status status = lossless ? MemoryView::of(pool_, id, found) : DRAGON_OBJECT_DESTROYED;
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  node_->keep(pool_);
  return AllocationFace::name(env, found);
}

Napi::Value PoolFace::list(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  if (pool_ == nullptr) return list;
  AllocationInfo found;
  for (uint32_t index = 1; (index = pool_->next_allocation(index, found)) != 0;) {
    const Napi::HandleScope scope(env);
    const bool has_actor = found.owner < kOwnerObject;
    Napi::Object object = Napi::Object::New(env);
    object.Set("id", Napi::BigInt::New(env, found.allocation.id));
    object.Set("byteLength", static_cast<double>(found.allocation.bytes));
    object.Set("type", static_cast<double>(found.type));
    object.Set("actorId", has_actor ? static_cast<double>(found.owner) : 0.0);
    list.Set(list.Length(), object);
  }
  return list;
}

Napi::Value PoolFace::trim(const Napi::CallbackInfo& info) {
  const uint64_t bytes = pool_ == nullptr ? 0 : pool_->trim();
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

// NUMA node, then 0 for small pages, 1 for pages that may be joined, 2 for huge ones.
Napi::Value PoolFace::placement(const Napi::CallbackInfo& info) {
  const PoolPlacement placement = pool_ == nullptr ? PoolPlacement{} : pool_->placement();
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, static_cast<double>(placement.numa_node));
  pair.Set(1u, static_cast<double>(placement.pages));
  return pair;
}

Napi::Value PoolFace::stats(const Napi::CallbackInfo& info) {
  const PoolStats stats = pool_ == nullptr ? PoolStats{} : pool_->stats();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("limitBytes", static_cast<double>(stats.limit_bytes));
  object.Set("committedBytes", static_cast<double>(stats.committed_bytes));
  object.Set("usedBytes", static_cast<double>(stats.used_bytes));
  object.Set("requestedBytes", static_cast<double>(stats.requested_bytes));
  object.Set("freeBytes", static_cast<double>(stats.free_bytes));
  object.Set("cachedBytes", static_cast<double>(stats.cached_bytes));
  object.Set("largestFreeBytes", static_cast<double>(stats.largest_free_bytes));
  object.Set("highWaterBytes", static_cast<double>(stats.high_water_bytes));
  object.Set("allocations", static_cast<double>(stats.allocations));
  object.Set("waiters", static_cast<double>(stats.waiters));
  return object;
}

Napi::Value PoolFace::audit(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), pool_ == nullptr ? "" : pool_->audit());
}

Napi::Value PoolFace::serialize(const Napi::CallbackInfo& info) {
  if (pool_ == nullptr) return info.Env().Undefined();
  HandleBytes handle;
  pool_->serialize(handle);
  return copy_of(info.Env(), handle);
}

Napi::Value PoolFace::destroy(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), pool_ == nullptr ? DRAGON_CLOSED : pool_->destroy());
}

void PoolFace::close(const Napi::CallbackInfo&) {
  pool_ = nullptr;
}

void AllocationFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativeAllocation",
                  {
                      InstanceAccessor<&AllocationFace::id>("id"),
                      InstanceAccessor<&AllocationFace::byte_length>("byteLength"),
                      InstanceAccessor<&AllocationFace::owned>("owned"),
                      InstanceMethod<&AllocationFace::buffer>("buffer"),
                      InstanceMethod<&AllocationFace::read>("read"),
                      InstanceMethod<&AllocationFace::write>("write"),
                      InstanceMethod<&AllocationFace::serialize>("serialize"),
                      InstanceMethod<&AllocationFace::free>("free"),
                      InstanceMethod<&AllocationFace::resize>("resize"),
                      InstanceMethod<&AllocationFace::detach>("detach"),
                      InstanceMethod<&AllocationFace::hash>("hash"),
                      InstanceMethod<&AllocationFace::equals>("equals"),
                      InstanceMethod<&AllocationFace::is_same>("isSame"),
                      InstanceMethod<&AllocationFace::copy_to>("copyTo"),
                      InstanceMethod<&AllocationFace::copy>("copy"),
                      InstanceMethod<&AllocationFace::clear>("clear"),
                      InstanceMethod<&AllocationFace::share>("share"),
                  });
  classes(env).allocation = Napi::Persistent(constructor);
  exports.Set("attachAllocation", Napi::Function::New<AllocationFace::attach>(env));
}

AllocationFace::AllocationFace(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<AllocationFace>(info) {}

AllocationFace* AllocationFace::of(const Napi::Value& value) {
  return face_of<AllocationFace>(value, classes(value.Env()).allocation);
}

Napi::Value AllocationFace::make(Napi::Env env, NodeFace* node, const std::shared_ptr<Pool>& pool,
                                 const Allocation& memory) {
  Napi::Object object = classes(env).allocation.New({});
  AllocationFace* face = Unwrap(object);
  face->pool_ = pool;
  face->id_ = memory.id;
  face->lease_ = std::make_shared<Lease>(node->leases(), pool, memory);
  return object;
}

void AllocationFace::own_again(NodeFace* node) {
  const std::shared_ptr<Pool> pool = pool_.lock();
  AllocationInfo info;
  if (pool == nullptr || pool->find_bytes(id_, info) != DRAGON_SUCCESS) return;
  lease_ = std::make_shared<Lease>(node->leases(), pool, info.allocation);
}

Napi::Value AllocationFace::name(Napi::Env env, const MemoryView& view) {
  Napi::Object object = classes(env).allocation.New({});
  AllocationFace* face = Unwrap(object);
  face->pool_ = view.pool();
  face->id_ = view.id();
  face->offset_ = view.offset();
  face->bytes_ = view.bytes();
  return object;
}

// share(node, holders): what another holder has of the memory, of which this object is one, too.
Napi::Value AllocationFace::share(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NodeFace* node = NodeFace::of(info[0]);
  const double holders = number_of(info[1], 0);
  if (node == nullptr || !(holders >= 1 && holders <= 4096)) {
    return status_value(env, DRAGON_INVALID_ARGUMENT);
  }
  const std::shared_ptr<Pool> pool = pool_.lock();
  if (lease_ == nullptr || pool == nullptr) return status_value(env, DRAGON_NOT_OWNER);
  Allocation further;
  const Status status = lease_->share(static_cast<uint32_t>(holders), further);
  id_ = lease_->id();
  if (status != DRAGON_SUCCESS) return failure(env, status);
  return make(env, node, pool, further);
}

Napi::Value AllocationFace::attach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(env, DRAGON_CLOSED);
  Bytes bytes;
  if (!bytes_of(info[1], bytes)) return status_value(env, DRAGON_BAD_HANDLE);
  MemoryView view;
  const Status status = MemoryView::attach(node->node(), bytes.data, bytes.length, view);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  node->keep(view.pool());
  return name(env, view);
}

Status AllocationFace::view(MemoryView& out) const {
  const std::shared_ptr<Pool> pool = pool_.lock();
  if (pool == nullptr) return DRAGON_CLOSED;
  MemoryView whole;
  const Status status = MemoryView::of(pool, id_, whole);
  return status == DRAGON_SUCCESS ? whole.clone(offset_, bytes_, out) : status;
}

Status AllocationFace::part(const Napi::Value& offset, const Napi::Value& length,
                            MemoryView& out) const {
  MemoryView all;
  const Status status = view(all);
  if (status != DRAGON_SUCCESS) return status;
  const double from = number_of(offset, 0);
  const double bytes = number_of(length, static_cast<double>(all.bytes()) - from);
  if (!(from >= 0 && bytes >= 0 && from + bytes <= 9e15)) return DRAGON_INVALID_ARGUMENT;
  return all.clone(static_cast<uint64_t>(from), static_cast<uint64_t>(bytes), out);
}

Napi::Value AllocationFace::id(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), id_);
}

Napi::Value AllocationFace::byte_length(const Napi::CallbackInfo& info) {
  MemoryView all;
  const uint64_t bytes = view(all) == DRAGON_SUCCESS ? all.bytes() : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

Napi::Value AllocationFace::read(const Napi::CallbackInfo& info) {
  MemoryView bytes;
  uint8_t* data = nullptr;
  Status status = part(info[0], info[1], bytes);
  if (status == DRAGON_SUCCESS) status = bytes.data(data);
  if (status != DRAGON_SUCCESS) return status_value(info.Env(), status);
  const Napi::Value copy = copy_of(info.Env(), data, bytes.bytes());
  // Freed meanwhile? Then these may be somebody else's.
  status = bytes.data(data);
  return status == DRAGON_SUCCESS ? copy : status_value(info.Env(), status);
}

Napi::Value AllocationFace::write(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes bytes;
  if (!bytes_of(info[0], bytes)) return status_value(env, DRAGON_INVALID_ARGUMENT);
  MemoryView place;
  uint8_t* data = nullptr;
  Status status = part(info[1], Napi::Number::New(env, static_cast<double>(bytes.length)), place);
  if (status == DRAGON_SUCCESS && place.pool()->read_only()) status = DRAGON_NOT_SUPPORTED;
  if (status == DRAGON_SUCCESS) status = place.data(data);
  if (status == DRAGON_SUCCESS && bytes.length > 0) {
    std::memcpy(data, bytes.data, bytes.length);
  }
  return status_value(env, status);
}

Napi::Value AllocationFace::serialize(const Napi::CallbackInfo& info) {
  MemoryView named;
  const Status status = part(info[0], info[1], named);
  if (status != DRAGON_SUCCESS) return status_value(info.Env(), status);
  HandleBytes handle;
  named.serialize(handle);
  return copy_of(info.Env(), handle);
}

Napi::Value AllocationFace::hash(const Napi::CallbackInfo& info) {
  MemoryView all;
  uint64_t hash = 0;
  Status status = view(all);
  if (status == DRAGON_SUCCESS) status = all.hash(hash);
  if (status != DRAGON_SUCCESS) return status_value(info.Env(), status);
  return Napi::BigInt::New(info.Env(), hash);
}

Napi::Value AllocationFace::equals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const AllocationFace* other = of(info[0]);
  if (other == nullptr) return status_value(env, DRAGON_INVALID_ARGUMENT);
  MemoryView mine;
  MemoryView theirs;
  bool equal = false;
  Status status = view(mine);
  if (status == DRAGON_SUCCESS) status = other->view(theirs);
  if (status == DRAGON_SUCCESS) status = mine.equal(theirs, equal);
  return status == DRAGON_SUCCESS ? Napi::Boolean::New(env, equal) : status_value(env, status);
}

Napi::Value AllocationFace::is_same(const Napi::CallbackInfo& info) {
  const AllocationFace* other = of(info[0]);
  const bool same = other != nullptr && id_ == other->id_ && pool_.lock() == other->pool_.lock();
  return Napi::Boolean::New(info.Env(), same);
}

Napi::Value AllocationFace::copy_to(const Napi::CallbackInfo& info) {
  const AllocationFace* other = of(info[0]);
  if (other == nullptr) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  MemoryView mine;
  MemoryView theirs;
  Status status = view(mine);
  if (status == DRAGON_SUCCESS) status = other->view(theirs);
  return status_value(info.Env(), status == DRAGON_SUCCESS ? mine.copy_to(theirs) : status);
}

// copy(pool, timeoutMs): a new allocation of this process with the same bytes, or a status.
Napi::Value AllocationFace::copy(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const PoolFace* pool = PoolFace::of(info[0]);
  if (pool == nullptr) return status_value(env, DRAGON_CLOSED);
  const double timeout_ms = number_of(info[1], 0);
  const Deadline deadline =
      timeout_ms == 0 ? Deadline::once() : Deadline::from_timeout_ms(timeout_ms);
  MemoryView mine;
  MemoryView made;
  Allocation memory;
  Status status = view(mine);
  if (status == DRAGON_SUCCESS) status = mine.copy_to(pool->pool(), deadline, made);
  if (status == DRAGON_SUCCESS) status = made.data(memory.data);
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  memory.id = made.id();
  memory.bytes = made.bytes();
  return make(env, pool->node(), pool->pool(), memory);
}

Napi::Value AllocationFace::clear(const Napi::CallbackInfo& info) {
  MemoryView all;
  const double start = number_of(info[0], 0);
  const double stop = number_of(info[1], 9e15);
  Status status = view(all);
  if (!(start >= 0 && stop >= 0)) status = DRAGON_INVALID_ARGUMENT;
  if (status == DRAGON_SUCCESS) {
    status = all.clear(static_cast<uint64_t>(start), static_cast<uint64_t>(stop));
  }
  return status_value(info.Env(), status);
}

Napi::Value AllocationFace::owned(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), lease_ != nullptr && lease_->is_held());
}

Napi::Value AllocationFace::buffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (lease_ == nullptr) return status_value(env, DRAGON_NOT_OWNER);
  if (!lease_->is_held()) return status_value(env, DRAGON_OBJECT_DESTROYED);
  return lease_->buffer(env);
}

Napi::Value AllocationFace::free(const Napi::CallbackInfo& info) {
  if (lease_ != nullptr) return status_value(info.Env(), lease_->free(info.Env()));
  const std::shared_ptr<Pool> pool = pool_.lock();
  return status_value(info.Env(), pool == nullptr ? DRAGON_CLOSED : pool->free(id_));
}

Napi::Value AllocationFace::resize(const Napi::CallbackInfo& info) {
  if (lease_ == nullptr) return status_value(info.Env(), DRAGON_NOT_OWNER);
  const double bytes = number_of(info[0], -1);
  if (!(bytes > 0)) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  if (bytes > 9e15) return status_value(info.Env(), DRAGON_TOO_LARGE);
  return status_value(info.Env(), lease_->resize(info.Env(), static_cast<uint64_t>(bytes)));
}

Napi::Value AllocationFace::detach(const Napi::CallbackInfo& info) {
  if (lease_ == nullptr) return status_value(info.Env(), DRAGON_SUCCESS);
  return status_value(info.Env(), lease_->forget(info.Env()));
}

}  // namespace dragon::binding
