#include "binding/lease.h"

#include <algorithm>

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

}  // namespace

bool LeaseTable::has_room(const Pool& pool, uint64_t bytes) const {
  const auto found = bytes_.find(&pool);
  const uint64_t shown = found == bytes_.end() ? 0 : found->second;
  return shown + bytes <= shown_bytes_max(pool.limit_bytes());
}

std::shared_ptr<Lease> LeaseTable::find(Napi::Env env, const Napi::ArrayBuffer& buffer) const {
  const auto [first, last] = shown_.equal_range(const_cast<Napi::ArrayBuffer&>(buffer).Data());
  for (auto each = first; each != last; ++each) {
    napi_value own = nullptr;
    bool same = false;
    const Lease::View* all = each->second->all_;
    if (all != nullptr) napi_get_reference_value(env, all->buffer, &own);
    if (own != nullptr) napi_strict_equals(env, own, buffer, &same);
    if (same) return each->second->weak_from_this().lock();
  }
  return nullptr;
}

void LeaseTable::end_all(Napi::Env env) {
  // Bytes that were moved to another ArrayBuffer stay mapped for it.
  const std::unordered_set<Lease*> held = std::move(held_);
  for (Lease* lease : held) lease->forget(env);
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
  if (all_ == nullptr) all_ = show(env, 0, memory_.bytes);
  if (all_ == nullptr) return env.Undefined();
  napi_value value = nullptr;
  napi_get_reference_value(env, all_->buffer, &value);
  if (value != nullptr) return {env, value};
  // It was collected, and its finalizer is still to come.
  all_ = nullptr;
  return buffer(env);
}

Napi::Value Lease::part(Napi::Env env, uint64_t offset, uint64_t bytes) {
  if (!held_ || offset > memory_.bytes || bytes > memory_.bytes - offset) return env.Undefined();
  const View* view = show(env, offset, bytes);
  napi_value value = nullptr;
  if (view != nullptr) napi_get_reference_value(env, view->buffer, &value);
  if (value == nullptr) return env.Undefined();
  return {env, value};
}

// The caller holds a scope in which the new ArrayBuffer lives on.
Lease::View* Lease::show(Napi::Env env, uint64_t offset, uint64_t bytes) {
  auto view = std::make_unique<View>();
  view->lease = shared_from_this();
  uint8_t* data = static_cast<uint8_t*>(memory_.data) + offset;
  napi_value value = nullptr;
  const napi_status made =
      napi_create_external_arraybuffer(env, data, bytes, finalize, view.get(), &value);
  if (made != napi_ok) return nullptr;
  napi_create_reference(env, value, 0, &view->buffer);
  if (views_.empty()) {
    pool_->show(memory_.id);
    table_->shown_.emplace(memory_.data, this);
    table_->bytes_[pool_.get()] += memory_.bytes;
    weight_ = weight_of(memory_.bytes, pool_->limit_bytes());
    int64_t total = 0;
    napi_adjust_external_memory(env, weight_, &total);
  }
  views_.insert(view.get());
  return view.release();
}

// Runs on the environment's own thread, in its event loop or at its end.
void Lease::finalize(napi_env env, void*, void* hint) {
  const std::unique_ptr<View> view(static_cast<View*>(hint));
  Lease& lease = *view->lease;
  if (view->buffer == nullptr) return;
  napi_delete_reference(env, view->buffer);
  lease.views_.erase(view.get());
  if (lease.all_ == view.get()) lease.all_ = nullptr;
  if (lease.views_.empty()) lease.hide(env);
}

// Nothing shows the bytes any more.
void Lease::hide(napi_env env) {
  pool_->hide(memory_.id);
  const auto [first, last] = table_->shown_.equal_range(memory_.data);
  table_->shown_.erase(
      std::find_if(first, last, [this](const auto& each) { return each.second == this; }));
  const auto bytes = table_->bytes_.find(pool_.get());
  bytes->second -= memory_.bytes;
  if (bytes->second == 0) table_->bytes_.erase(bytes);
  int64_t total = 0;
  napi_adjust_external_memory(env, -weight_, &total);
}

bool Lease::can_hide(Napi::Env env) const {
  return std::all_of(views_.begin(), views_.end(), [env](const View* view) {
    napi_value value = nullptr;
    bool detached = true;
    napi_get_reference_value(env, view->buffer, &value);
    if (value != nullptr) napi_is_detached_arraybuffer(env, value, &detached);
    return !detached;
  });
}

// False if the bytes were moved elsewhere.
bool Lease::detach_buffers(Napi::Env env) {
  if (views_.empty()) return true;
  if (!can_hide(env)) return false;
  for (View* view : views_) {
    napi_value value = nullptr;
    napi_get_reference_value(env, view->buffer, &value);
    napi_detach_arraybuffer(env, value);
    napi_delete_reference(env, view->buffer);
    view->buffer = nullptr;
  }
  views_.clear();
  all_ = nullptr;
  hide(env);
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
