// The face of user locks.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/node_face.h"
#include "binding/window.h"
#include "channel/lock_object.h"

namespace dragon::binding {

class LockFace : public Napi::ObjectWrap<LockFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  static LockFace* of(const Napi::Value& value);
  explicit LockFace(const Napi::CallbackInfo& info);

  // Null once this face is closed.
  LockObject* lock() const { return closed() ? nullptr : lock_.get(); }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info);
  static Napi::Value attach(const Napi::CallbackInfo& info);
  static Napi::Value make(Napi::Env env, NodeFace* node, std::unique_ptr<LockObject> lock,
                          RecordId adopted);

  Napi::Value arm(const Napi::CallbackInfo& info);
  Napi::Value try_acquire(const Napi::CallbackInfo& info);
  Napi::Value acquire_sync(const Napi::CallbackInfo& info);
  Napi::Value release_if(const Napi::CallbackInfo& info);
  Napi::Value release(const Napi::CallbackInfo& info);
  Napi::Value words(const Napi::CallbackInfo& info);
  Napi::Value wake(const Napi::CallbackInfo& info);
  Napi::Value locked(const Napi::CallbackInfo& info);
  Napi::Value held_here(const Napi::CallbackInfo& info);
  Napi::Value owner_died(const Napi::CallbackInfo& info);
  Napi::Value sequence(const Napi::CallbackInfo& info);
  Napi::Value serialize(const Napi::CallbackInfo& info);
  Napi::Value destroy(const Napi::CallbackInfo& info);
  Napi::Value lend(const Napi::CallbackInfo& info);
  void cancel_lent(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  bool closed() const { return lock_ == nullptr || lock_->closed(); }

  // Outlives this face: the TypeScript object that holds the face holds the node too.
  NodeFace* node_ = nullptr;
  std::shared_ptr<LockObject> lock_;
  RecordId adopted_ = 0;
  // The lock's header, and the word of its pool.
  std::shared_ptr<Window> header_;
  std::shared_ptr<Window> pool_destroyed_;
};

}  // namespace dragon::binding
