#include "binding/lease.h"

#include <algorithm>
#include <vector>

namespace dragon::binding {

namespace {

// What one process may hold of a pool in received payloads: a quarter, and no more than this.
constexpr uint64_t kShownBytesMax = 256ull << 20;
constexpr uint64_t kShownShare = 4;
// V8 looks for garbage after this many bytes outside its heap. Where half of what can be held is
// less than that, bytes weigh more.
constexpr uint64_t kCollectorStepBytes = 64ull << 20;
constexpr uint64_t kWeightMax = 256;

uint64_t shown_bytes_max(uint64_t limit_bytes) {
  return std::min(limit_bytes / kShownShare, kShownBytesMax);
}

int64_t weight_of(uint64_t bytes, uint64_t limit_bytes) {
  const uint64_t most = std::max<uint64_t>(shown_bytes_max(limit_bytes), 1);
  const uint64_t factor = std::clamp<uint64_t>(2 * kCollectorStepBytes / most, 1, kWeightMax);
  return static_cast<int64_t>(bytes * (factor - 1));
}

// nullptr once it was collected.
napi_value own_buffer(napi_env env, napi_ref reference) {
  napi_value value = nullptr;
  napi_get_reference_value(env, reference, &value);
  return value;
}

bool is_attached(napi_env env, napi_value buffer) {
  bool detached = true;
  if (buffer != nullptr) napi_is_detached_arraybuffer(env, buffer, &detached);
  return !detached;
}

bool is_same(napi_env env, napi_value one, napi_value other) {
  bool same = false;
  if (one != nullptr) napi_strict_equals(env, one, other, &same);
  return same;
}

}  // namespace

bool LeaseTable::has_room(const Pool& pool, uint64_t bytes) const {
  const auto found = bytes_.find(&pool);
  const uint64_t shown = found == bytes_.end() ? 0 : found->second;
  return shown + bytes <= shown_bytes_max(pool.limit_bytes());
}

LeaseTable::View* LeaseTable::find_view(Napi::Env env, const Napi::ArrayBuffer& buffer) const {
  const auto [first, last] = shown_.equal_range(const_cast<Napi::ArrayBuffer&>(buffer).Data());
  for (auto each = first; each != last; ++each) {
    if (is_same(env, own_buffer(env, each->second->buffer), buffer)) return each->second;
  }
  return nullptr;
}

std::shared_ptr<Lease> LeaseTable::find(Napi::Env env, const Napi::ArrayBuffer& buffer,
                                        uint64_t& offset) const {
  const View* view = find_view(env, buffer);
  if (view == nullptr) return nullptr;
  offset = static_cast<uint64_t>(view->data - static_cast<uint8_t*>(view->lease->memory_.data));
  return view->lease;
}

Status LeaseTable::release(Napi::Env env, const Napi::ArrayBuffer& buffer) {
  View* view = find_view(env, buffer);
  if (view == nullptr) return was_moved(env, buffer) ? DRAGON_STATE : DRAGON_NOT_FOUND;
  const std::shared_ptr<Lease> lease = view->lease;
  lease->detach(env, view, buffer);
  return DRAGON_SUCCESS;
}

// Whether the ArrayBuffer is one that bytes were moved from or to.
bool LeaseTable::was_moved(Napi::Env env, const Napi::ArrayBuffer& buffer) const {
  if (buffer.IsDetached()) {
    return std::any_of(shown_.begin(), shown_.end(), [&](const auto& each) {
      return is_same(env, own_buffer(env, each.second->buffer), buffer);
    });
  }
  const auto [first, last] = shown_.equal_range(const_cast<Napi::ArrayBuffer&>(buffer).Data());
  return std::any_of(first, last, [&](const auto& each) {
    return !is_attached(env, own_buffer(env, each.second->buffer));
  });
}

void LeaseTable::end_all(Napi::Env env) {
  // Bytes that were moved to another ArrayBuffer stay mapped for it.
  const std::unordered_set<Lease*> held = std::move(held_);
  for (Lease* each : held) {
    const std::shared_ptr<Lease> lease = each->weak_from_this().lock();
    if (lease != nullptr) lease->forget(env);
  }
  const std::unordered_set<Shown*> others = std::move(others_);
  for (Shown* shown : others) shown->hide(env);
}

Lease::Lease(std::shared_ptr<LeaseTable> table, std::shared_ptr<Pool> pool,
             const Allocation& memory)
    : table_(std::move(table)), pool_(std::move(pool)), memory_(memory) {
  table_->held_.insert(this);
}

Lease::~Lease() {
  table_->held_.erase(this);
  if (held_) pool_->free(memory_.id);
}

Napi::Value Lease::buffer(Napi::Env env) {
  napi_value value = all_ == nullptr ? nullptr : own_buffer(env, all_->buffer);
  // A first one, or one after it was collected, whose finalizer may be still to come.
  if (value == nullptr) all_ = show(env, 0, memory_.bytes, value);
  return value == nullptr ? env.Undefined() : Napi::Value(env, value);
}

Napi::Value Lease::part(Napi::Env env, uint64_t offset, uint64_t bytes) {
  if (!held_ || offset > memory_.bytes || bytes > memory_.bytes - offset) return env.Undefined();
  napi_value value = nullptr;
  show(env, offset, bytes, value);
  return value == nullptr ? env.Undefined() : Napi::Value(env, value);
}

// nullptr without a new ArrayBuffer.
Lease::View* Lease::show(Napi::Env env, uint64_t offset, uint64_t bytes, napi_value& out) {
  auto view = std::make_unique<View>();
  view->lease = shared_from_this();
  view->data = static_cast<uint8_t*>(memory_.data) + offset;
  const napi_status made = napi_create_external_arraybuffer(env, const_cast<uint8_t*>(view->data),
                                                            bytes, finalize, view.get(), &out);
  if (made != napi_ok) return nullptr;
  napi_create_reference(env, out, 0, &view->buffer);
  if (views_.empty()) {
    pool_->show(memory_.id);
    table_->bytes_[pool_.get()] += memory_.bytes;
    weight_ = weight_of(memory_.bytes, pool_->limit_bytes());
    int64_t total = 0;
    napi_adjust_external_memory(env, weight_, &total);
  }
  table_->shown_.emplace(view->data, view.get());
  views_.insert(view.get());
  return view.release();
}

// Runs on the environment's own thread, in its event loop or at its end. Of one that was detached
// there is nothing left to do.
void Lease::finalize(napi_env env, void*, void* hint) {
  const std::unique_ptr<View> view(static_cast<View*>(hint));
  const std::shared_ptr<Lease> lease = view->lease;
  if (lease != nullptr) lease->drop(env, view.get());
}

// The view no longer holds or shows anything; the caller holds the lease.
void Lease::drop(napi_env env, View* view) {
  napi_delete_reference(env, view->buffer);
  view->buffer = nullptr;
  const auto [first, last] = table_->shown_.equal_range(view->data);
  table_->shown_.erase(
      std::find_if(first, last, [view](const auto& each) { return each.second == view; }));
  views_.erase(view);
  if (all_ == view) all_ = nullptr;
  view->lease = nullptr;
  if (views_.empty()) hide(env);
}

void Lease::detach(Napi::Env env, View* view, napi_value buffer) {
  napi_detach_arraybuffer(env, buffer);
  drop(env, view);
}

// Nothing shows the bytes any more.
void Lease::hide(napi_env env) {
  pool_->hide(memory_.id);
  const auto bytes = table_->bytes_.find(pool_.get());
  bytes->second -= memory_.bytes;
  if (bytes->second == 0) table_->bytes_.erase(bytes);
  int64_t total = 0;
  napi_adjust_external_memory(env, -weight_, &total);
}

bool Lease::can_hide(Napi::Env env) const {
  return std::all_of(views_.begin(), views_.end(), [env](const View* view) {
    return is_attached(env, own_buffer(env, view->buffer));
  });
}

void Lease::let_go(Napi::Env env) {
  const std::shared_ptr<Lease> self = shared_from_this();
  const std::vector<View*> views(views_.begin(), views_.end());
  for (View* view : views) {
    const napi_value buffer = own_buffer(env, view->buffer);
    if (is_attached(env, buffer)) detach(env, view, buffer);
  }
}

// False if the bytes were moved elsewhere.
bool Lease::detach_buffers(Napi::Env env) {
  if (!can_hide(env)) return false;
  let_go(env);
  return true;
}

Status Lease::resize(Napi::Env env, uint64_t bytes) {
  if (!held_) return DRAGON_OBJECT_DESTROYED;
  if (!can_hide(env)) return DRAGON_STATE;
  const Status status = pool_->resize(memory_.id, bytes);
  if (status != DRAGON_SUCCESS) return status;
  detach_buffers(env);
  memory_.bytes = bytes;
  return status;
}

Status Lease::share(uint32_t holders, Allocation& further) {
  if (!held_) return DRAGON_OBJECT_DESTROYED;
  AllocationInfo info;
  Status status = pool_->find(memory_.id, info);
  if (status != DRAGON_SUCCESS) return status;
  if (info.type != AllocationType::kShare) {
    uint64_t share = 0;
    status = pool_->share(memory_.id, holders, share);
    if (status != DRAGON_SUCCESS) return status;
    if (!views_.empty()) {
      pool_->hide(memory_.id);
      pool_->show(share);
    }
    memory_.id = share;
  }
  further = memory_;
  return pool_->share_again(memory_.id, further.id);
}

Status Lease::forget(Napi::Env env) {
  if (!held_) return DRAGON_OBJECT_DESTROYED;
  if (!detach_buffers(env)) return DRAGON_STATE;
  held_ = false;
  table_->held_.erase(this);
  pool_ = nullptr;
  return DRAGON_SUCCESS;
}

Status Lease::free(Napi::Env env) {
  const std::shared_ptr<Pool> pool = pool_;
  const Status status = forget(env);
  return status == DRAGON_SUCCESS ? pool->free(memory_.id) : status;
}

Napi::Value lend_payload(Napi::Env env, const std::shared_ptr<LeaseTable>& table,
                         const std::shared_ptr<Pool>& pool, const Allocation& payload) {
  const auto lease = std::make_shared<Lease>(table, pool, payload);
  const Napi::Value buffer = lease->buffer(env);
  if (!buffer.IsArrayBuffer()) return buffer;
  return Napi::Uint8Array::New(env, payload.bytes, buffer.As<Napi::ArrayBuffer>(), 0);
}

}  // namespace dragon::binding
