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
    napi_get_reference_value(env, each->second->buffer_, &own);
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
  napi_value value = nullptr;
  if (buffer_ != nullptr) {
    napi_get_reference_value(env, buffer_, &value);
    if (value != nullptr) return {env, value};
  }
  auto* hint = new std::shared_ptr<Lease>(shared_from_this());
  const napi_status made =
      napi_create_external_arraybuffer(env, memory_.data, memory_.bytes, finalize, hint, &value);
  if (made != napi_ok) {
    delete hint;
    return env.Undefined();
  }
  if (buffer_ != nullptr) napi_delete_reference(env, buffer_);
  napi_create_reference(env, value, 0, &buffer_);
  pool_->show(memory_.id);
  shown_ = true;
  table_->shown_.emplace(memory_.data, this);
  table_->bytes_[pool_.get()] += memory_.bytes;
  weight_ = weight_of(memory_.bytes, pool_->limit_bytes());
  int64_t total = 0;
  napi_adjust_external_memory(env, weight_, &total);
  return {env, value};
}

// Runs on the environment's own thread, in its event loop or at its end.
void Lease::finalize(napi_env env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Lease>> lease(static_cast<std::shared_ptr<Lease>*>(hint));
  (*lease)->hide(env);
}

void Lease::hide(napi_env env) {
  if (!shown_) return;
  shown_ = false;
  pool_->hide(memory_.id);
  const auto [first, last] = table_->shown_.equal_range(memory_.data);
  table_->shown_.erase(
      std::find_if(first, last, [this](const auto& each) { return each.second == this; }));
  const auto bytes = table_->bytes_.find(pool_.get());
  bytes->second -= memory_.bytes;
  if (bytes->second == 0) table_->bytes_.erase(bytes);
  int64_t total = 0;
  napi_adjust_external_memory(env, -weight_, &total);
  if (buffer_ != nullptr) napi_delete_reference(env, buffer_);
  buffer_ = nullptr;
}

bool Lease::can_hide(Napi::Env env) const {
  if (!shown_) return true;
  napi_value value = nullptr;
  bool detached = true;
  napi_get_reference_value(env, buffer_, &value);
  if (value != nullptr) napi_is_detached_arraybuffer(env, value, &detached);
  return !detached;
}

// False if the bytes were moved elsewhere.
bool Lease::detach_buffer(Napi::Env env) {
  if (!shown_) return true;
  if (!can_hide(env)) return false;
  napi_value value = nullptr;
  napi_get_reference_value(env, buffer_, &value);
  if (napi_detach_arraybuffer(env, value) != napi_ok) return false;
  hide(env);
  return true;
}

Status Lease::resize(Napi::Env env, uint64_t bytes) {
  if (!held_) return DRAGON_OBJECT_DESTROYED;
  if (!can_hide(env)) return DRAGON_STATE;
  const Status status = pool_->resize(memory_.id, bytes);
  if (status != DRAGON_SUCCESS) return status;
  detach_buffer(env);
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
    if (shown_) {
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
  if (!detach_buffer(env)) return DRAGON_STATE;
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
