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
  const Status status = Pool::attach(node->node(), handle.data, handle.length, pool);
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
  AllocationInfo found;
  const Status status = lossless ? pool_->find(id, found) : DRAGON_OBJECT_DESTROYED;
  if (status != DRAGON_SUCCESS) return status_value(env, status);
  node_->keep(pool_);
  return AllocationFace::name(env, pool_, id);
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

Napi::Value AllocationFace::name(Napi::Env env, const std::shared_ptr<Pool>& pool, uint64_t id) {
  Napi::Object object = classes(env).allocation.New({});
  AllocationFace* face = Unwrap(object);
  face->pool_ = pool;
  face->id_ = id;
  return object;
}

Napi::Value AllocationFace::attach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(env, DRAGON_CLOSED);
  Bytes bytes;
  if (!bytes_of(info[1], bytes)) return status_value(env, DRAGON_BAD_HANDLE);
  Handle handle;
  Status status = decode_handle_for(node->node()->identity(), HandleKind::kAllocation, bytes.data,
                                    bytes.length, handle);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  std::shared_ptr<Pool> pool;
  status = node->node()->pool(handle.segment_id, pool);
  AllocationInfo found;
  if (status == DRAGON_SUCCESS) status = pool->find(handle.allocation, found);
  if (status != DRAGON_SUCCESS) return failure(env, status);
  node->keep(pool);
  return name(env, pool, handle.allocation);
}

Status AllocationFace::find(uint64_t offset, uint64_t length, AllocationInfo& out) {
  const std::shared_ptr<Pool> pool = pool_.lock();
  if (pool == nullptr) return DRAGON_CLOSED;
  const Status status = pool->find(id_, out);
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t bytes = out.allocation.bytes;
  return offset > bytes || length > bytes - offset ? DRAGON_INVALID_ARGUMENT : DRAGON_SUCCESS;
}

Napi::Value AllocationFace::id(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), id_);
}

Napi::Value AllocationFace::byte_length(const Napi::CallbackInfo& info) {
  AllocationInfo found;
  const Status status = find(0, 0, found);
  const uint64_t bytes = status == DRAGON_SUCCESS ? found.allocation.bytes : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

Napi::Value AllocationFace::read(const Napi::CallbackInfo& info) {
  const uint64_t offset = static_cast<uint64_t>(number_of(info[0], 0));
  const uint64_t length = static_cast<uint64_t>(number_of(info[1], 0));
  AllocationInfo found;
  const Status status = find(offset, length, found);
  if (status != DRAGON_SUCCESS) return status_value(info.Env(), status);
  return copy_of(info.Env(), found.allocation.data + offset, length);
}

Napi::Value AllocationFace::write(const Napi::CallbackInfo& info) {
  Bytes bytes;
  if (!bytes_of(info[0], bytes)) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  const uint64_t offset = static_cast<uint64_t>(number_of(info[1], 0));
  AllocationInfo found;
  const Status status = find(offset, bytes.length, found);
  if (status == DRAGON_SUCCESS && bytes.length > 0) {
    std::memcpy(found.allocation.data + offset, bytes.data, bytes.length);
  }
  return status_value(info.Env(), status);
}

Napi::Value AllocationFace::serialize(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Pool> pool = pool_.lock();
  if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  HandleBytes handle;
  pool->serialize(id_, handle);
  return copy_of(info.Env(), handle);
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
