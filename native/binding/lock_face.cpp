// The face of user locks.
#include "binding/lock_face.h"

#include "binding/classes.h"
#include "binding/face.h"
#include "binding/managed_face.h"
#include "binding/pool_face.h"

namespace dragon::binding {

void LockFace::init(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "NativeLock",
                  {
                      InstanceMethod<&LockFace::arm>("arm"),
                      InstanceMethod<&LockFace::try_acquire>("tryAcquire"),
                      InstanceMethod<&LockFace::acquire_sync>("acquireSync"),
                      InstanceMethod<&LockFace::release>("release"),
                      InstanceMethod<&LockFace::release_if>("releaseIf"),
                      InstanceMethod<&LockFace::words>("words"),
                      InstanceMethod<&LockFace::wake>("wake"),
                      InstanceAccessor<&LockFace::locked>("locked"),
                      InstanceAccessor<&LockFace::held_here>("heldHere"),
                      InstanceAccessor<&LockFace::owner_died>("ownerDied"),
                      InstanceAccessor<&LockFace::sequence>("sequence"),
                      InstanceMethod<&LockFace::serialize>("serialize"),
                      InstanceMethod<&LockFace::destroy>("destroy"),
                      InstanceMethod<&LockFace::lend>("lend"),
                      InstanceMethod<&LockFace::cancel_lent>("cancelLent"),
                      InstanceMethod<&LockFace::close>("close"),
                  });
  classes(env).lock = Napi::Persistent(constructor);
  exports.Set("createLock", Napi::Function::New<LockFace::create>(env));
  exports.Set("attachLock", Napi::Function::New<LockFace::attach>(env));
}

LockFace* LockFace::of(const Napi::Value& value) {
  return face_of<LockFace>(value, classes(value.Env()).lock);
}

LockFace::LockFace(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LockFace>(info) {}

Napi::Value LockFace::create(const Napi::CallbackInfo& info) {
  PoolFace* pool = PoolFace::of(info[0]);
  if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  std::unique_ptr<LockObject> lock;
  const Status status = LockObject::create(pool->pool(), info[1].ToBoolean(), lock);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), pool->node(), std::move(lock), 0);
}

Napi::Value LockFace::attach(const Napi::CallbackInfo& info) {
  NodeFace* node = NodeFace::of(info[0]);
  if (node == nullptr || node->node() == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  Bytes handle;
  if (!bytes_of(info[1], handle)) return status_value(info.Env(), DRAGON_BAD_HANDLE);
  std::unique_ptr<LockObject> lock;
  RecordId adopted = 0;
  const Status status = LockObject::attach(node->node(), handle.data, handle.length,
                                           info[2].ToBoolean(), adopted, lock);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return make(info.Env(), node, std::move(lock), adopted);
}

Napi::Value LockFace::make(Napi::Env env, NodeFace* node, std::unique_ptr<LockObject> lock,
                           RecordId adopted) {
  Napi::Object object = classes(env).lock.New({});
  LockFace* face = Unwrap(object);
  face->node_ = node;
  face->lock_ = std::move(lock);
  face->adopted_ = adopted;
  return object;
}

Napi::Value LockFace::arm(const Napi::CallbackInfo& info) {
  if (closed()) return Napi::Number::New(info.Env(), -double{DRAGON_CLOSED});
  return node_->arm(info.Env(), lock_->place(), lock_);
}

Napi::Value LockFace::try_acquire(const Napi::CallbackInfo& info) {
  return status_value(
      info.Env(),
      closed() ? DRAGON_CLOSED : lock_->try_acquire(info[0].ToBoolean(), info[1].ToBoolean()));
}

Napi::Value LockFace::acquire_sync(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  return status_value(info.Env(), lock_->acquire(deadline_of(info[0])));
}

Napi::Value LockFace::release(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), closed() ? DRAGON_CLOSED : lock_->release());
}

Napi::Value LockFace::release_if(const Napi::CallbackInfo& info) {
  if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
  const auto sequence = static_cast<uint32_t>(number_of(info[0], 0));
  return status_value(info.Env(), lock_->release_if(sequence));
}

// [header, word of the pool], for src/core/lock-words.ts.
Napi::Value LockFace::words(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed()) return status_value(env, DRAGON_CLOSED);
  if (header_ == nullptr) {
    const auto& table = node_->leases();
    header_ = std::make_shared<Window>(table, lock_, lock_->words(), sizeof(LockHeader));
    auto* word = const_cast<Word32*>(lock_->pool_destroyed());
    pool_destroyed_ = std::make_shared<Window>(table, lock_, word, sizeof(*word));
  }
  Napi::Array out = Napi::Array::New(env);
  out.Set(0u, header_->buffer(env));
  out.Set(1u, pool_destroyed_->buffer(env));
  return out;
}

Napi::Value LockFace::wake(const Napi::CallbackInfo& info) {
  return status_value(info.Env(), closed() ? DRAGON_CLOSED : lock_->wake());
}

Napi::Value LockFace::locked(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), !closed() && lock_->locked());
}

Napi::Value LockFace::held_here(const Napi::CallbackInfo& info) {
  const bool held = !closed() && lock_->holder() == node_->node()->me().id;
  return Napi::Boolean::New(info.Env(), held);
}

Napi::Value LockFace::owner_died(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), !closed() && lock_->owner_died());
}

Napi::Value LockFace::sequence(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), closed() ? 0 : lock_->sequence());
}

Napi::Value LockFace::serialize(const Napi::CallbackInfo& info) {
  return serialize_object(info.Env(), lock_.get());
}

Napi::Value LockFace::destroy(const Napi::CallbackInfo& info) {
  return destroy_object(info.Env(), lock_.get());
}

Napi::Value LockFace::lend(const Napi::CallbackInfo& info) {
  return lend_object_face(info, closed() ? nullptr : lock_.get());
}

void LockFace::cancel_lent(const Napi::CallbackInfo& info) {
  cancel_lent_face(info, closed() ? nullptr : lock_.get());
}

void LockFace::close(const Napi::CallbackInfo& info) {
  if (closed()) return;
  for (Window* window : {header_.get(), pool_destroyed_.get()}) {
    if (window != nullptr) window->detach(info.Env());
  }
  if (adopted_ != 0) lock_->close_handle(adopted_);
  lock_->close();
  lock_ = nullptr;
}

}  // namespace dragon::binding
