// The faces of memory pools and of allocations.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/lease.h"
#include "binding/node_face.h"
#include "memory/memory_view.h"
#include "memory/pool.h"

namespace dragon::binding {

class PoolFace : public Napi::ObjectWrap<PoolFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  static PoolFace* of(const Napi::Value& value);
  explicit PoolFace(const Napi::CallbackInfo& info);

  const std::shared_ptr<Pool>& pool() const { return pool_; }
  NodeFace* node() const { return node_; }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info);
  static Napi::Value attach(const Napi::CallbackInfo& info);
  static Napi::Value make(Napi::Env env, NodeFace* node, std::shared_ptr<Pool> pool);

  Napi::Value arm(const Napi::CallbackInfo& info);
  Napi::Value try_allocate(const Napi::CallbackInfo& info);
  Napi::Value allocate_sync(const Napi::CallbackInfo& info);
  Napi::Value allocate(const Napi::CallbackInfo& info, Deadline deadline);
  Napi::Value find(const Napi::CallbackInfo& info);
  Napi::Value list(const Napi::CallbackInfo& info);
  Napi::Value trim(const Napi::CallbackInfo& info);
  Napi::Value placement(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value audit(const Napi::CallbackInfo& info);
  Napi::Value serialize(const Napi::CallbackInfo& info);
  Napi::Value destroy(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  // Outlives this face: the TypeScript object that holds the face holds the node too.
  NodeFace* node_ = nullptr;
  std::shared_ptr<Pool> pool_;
};

// An allocation that this process made, or one of anybody's that it was given the handle of.
class AllocationFace : public Napi::ObjectWrap<AllocationFace> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  static AllocationFace* of(const Napi::Value& value);
  // Of memory that this process has just allocated.
  static Napi::Value make(Napi::Env env, NodeFace* node, const std::shared_ptr<Pool>& pool,
                          const Allocation& memory);
  // Of memory that is somebody's, or a part of it.
  static Napi::Value name(Napi::Env env, const MemoryView& view);
  explicit AllocationFace(const Napi::CallbackInfo& info);

  // What holds the memory for this object; nullptr if it is somebody else's.
  const std::shared_ptr<Lease>& lease() const { return lease_; }
  uint64_t allocation() const { return id_; }
  std::shared_ptr<Pool> pool() const { return pool_.lock(); }
  // After it was sent and taken back.
  void own_again(NodeFace* node);

 private:
  static Napi::Value attach(const Napi::CallbackInfo& info);

  Napi::Value id(const Napi::CallbackInfo& info);
  Napi::Value byte_length(const Napi::CallbackInfo& info);
  Napi::Value owned(const Napi::CallbackInfo& info);
  Napi::Value buffer(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value serialize(const Napi::CallbackInfo& info);
  Napi::Value free(const Napi::CallbackInfo& info);
  Napi::Value resize(const Napi::CallbackInfo& info);
  Napi::Value detach(const Napi::CallbackInfo& info);
  Napi::Value hash(const Napi::CallbackInfo& info);
  Napi::Value equals(const Napi::CallbackInfo& info);
  Napi::Value is_same(const Napi::CallbackInfo& info);
  Napi::Value copy_to(const Napi::CallbackInfo& info);
  Napi::Value copy(const Napi::CallbackInfo& info);
  Napi::Value clear(const Napi::CallbackInfo& info);
  Napi::Value share(const Napi::CallbackInfo& info);
  Status view(MemoryView& out) const;
  Status part(const Napi::Value& offset, const Napi::Value& length, MemoryView& out) const;

  // Kept alive by the pool's face, which the TypeScript object holds, or by the node's.
  std::weak_ptr<Pool> pool_;
  uint64_t id_ = 0;
  // The part of it that is meant, for memory that was attached; of one's own it is the whole.
  uint64_t offset_ = 0;
  uint64_t bytes_ = kRestOfView;
  std::shared_ptr<Lease> lease_;
};

}  // namespace dragon::binding
