// Allocations that JavaScript holds: through an object, through external ArrayBuffers over exactly
// their bytes or over parts of them, or both. Whatever lets go last gives the allocation back.
//
// Goals: an ArrayBuffer never shows bytes that are not its own any more: giving back, sending
// away and closing the node detach it first. A program that never returns to its event loop, where
// finalizers run, can't fill a pool with payloads that it has dropped: from a share of the pool
// on, received payloads are to be copied (`has_room`).
// Non-goals: allocations that others own; those are read and written by copy.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "memory/pool.h"

namespace dragon::binding {

// Payloads from here on are not copied: below, a copy costs less than an external ArrayBuffer.
constexpr uint64_t kZeroCopyBytesMin = 16384;

class Lease;

// What else shows memory of the node to JavaScript.
class Shown {
 public:
  virtual void hide(Napi::Env env) = 0;

 protected:
  ~Shown() = default;
};

// The leases of one node attachment.
class LeaseTable {
 public:
  // Whether a received payload may be lent to JavaScript.
  bool has_room(const Pool& pool, uint64_t bytes) const;
  // The lease that the ArrayBuffer is of, if any, and where in its bytes that begins. Several may
  // show the same bytes, each by its own.
  std::shared_ptr<Lease> find(Napi::Env env, const Napi::ArrayBuffer& buffer,
                              uint64_t& offset) const;
  // Detaches this ArrayBuffer alone; its memory is given back if nothing else holds it. NOT_FOUND
  // for one that is of no lease, STATE if the bytes were moved away from it, or to it from another.
  Status release(Napi::Env env, const Napi::ArrayBuffer& buffer);
  void add(Shown* shown) { others_.insert(shown); }
  void remove(Shown* shown) { others_.erase(shown); }
  // The node is being left: nothing may show or hold its memory any more.
  void end_all(Napi::Env env);

 private:
  friend class Lease;
  // One ArrayBuffer.
  struct View {
    std::shared_ptr<Lease> lease;  // none once it was detached
    napi_ref buffer = nullptr;     // weak; none once it was detached
    const uint8_t* data = nullptr;
  };
  View* find_view(Napi::Env env, const Napi::ArrayBuffer& buffer) const;
  bool was_moved(Napi::Env env, const Napi::ArrayBuffer& buffer) const;

  std::unordered_set<Shown*> others_;
  std::unordered_set<Lease*> held_;
  std::unordered_multimap<const void*, View*> shown_;
  std::unordered_map<const Pool*, uint64_t> bytes_;  // shown, by pool
};

class Lease : public std::enable_shared_from_this<Lease> {
 public:
  Lease(std::shared_ptr<LeaseTable> table, std::shared_ptr<Pool> pool, const Allocation& memory);
  ~Lease();

  // The ArrayBuffer, made by the first call.
  Napi::Value buffer(Napi::Env env);
  // An ArrayBuffer over some of the bytes, another one with each call; undefined without such
  // bytes.
  Napi::Value part(Napi::Env env, uint64_t offset, uint64_t bytes);
  // Detaches all ArrayBuffers and frees the allocation. STATE if the bytes were moved to another
  // ArrayBuffer, OBJECT_DESTROYED if they were given back before.
  Status free(Napi::Env env);
  // Detaches all ArrayBuffers that still are what they were. The memory is given back with the
  // last of what holds this lease: at once if there were no others.
  void let_go(Napi::Env env);
  // Changes the size of the allocation where it lies, and detaches the ArrayBuffer.
  Status resize(Napi::Env env, uint64_t bytes);
  // Detaches the ArrayBuffer; the allocation is no longer this lease's.
  Status forget(Napi::Env env);
  // Makes the memory one of several holders, this lease first, and `further` another's part in it.
  Status share(uint32_t holders, Allocation& further);
  bool is_held() const { return held_; }
  uint64_t id() const { return memory_.id; }
  // False once the bytes were moved to an ArrayBuffer of another identity.
  bool can_hide(Napi::Env env) const;

  // Only while it is held.
  const Pool& pool() const { return *pool_; }

 private:
  friend class LeaseTable;
  using View = LeaseTable::View;

  static void finalize(napi_env env, void* data, void* hint);
  View* show(Napi::Env env, uint64_t offset, uint64_t bytes, napi_value& out);
  bool detach_buffers(Napi::Env env);
  void detach(Napi::Env env, View* view, napi_value buffer);
  void drop(napi_env env, View* view);
  void hide(napi_env env);

  const std::shared_ptr<LeaseTable> table_;
  std::shared_ptr<Pool> pool_;  // while it is held or shown
  Allocation memory_;
  bool held_ = true;     // it is for this lease to free
  View* all_ = nullptr;  // the one that shows all bytes, among:
  std::unordered_set<View*> views_;
  int64_t weight_ = 0;  // what the collector was told beyond the bytes
};

// The bytes of a received payload as a Uint8Array without a copy.
Napi::Value lend_payload(Napi::Env env, const std::shared_ptr<LeaseTable>& table,
                         const std::shared_ptr<Pool>& pool, const Allocation& payload);

}  // namespace dragon::binding
