#include "memory/memory_view.h"

#include <string.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace dragon {

namespace {

constexpr uint64_t kHashFactor = 0x9e3779b97f4a7c15;

constexpr uint64_t mix(uint64_t hash, uint64_t word) {
  const uint64_t product = (hash ^ word) * kHashFactor;
  return product ^ product >> 32;
}

static_assert(std::endian::native == std::endian::little);

}  // namespace

uint64_t content_hash(const uint8_t* data, uint64_t bytes) {
  uint64_t hash = mix(0, bytes);
  uint64_t word = 0;
  while (bytes >= sizeof(word)) {
    ::memcpy(&word, data, sizeof(word));
    hash = mix(hash, word);
    data += sizeof(word);
    bytes -= sizeof(word);
  }
  if (bytes == 0) return hash;
  word = 0;
  ::memcpy(&word, data, bytes);
  return mix(hash, word);
}

Status MemoryView::allocate(const std::shared_ptr<Pool>& pool, uint64_t bytes, AllocationType type,
                            uint64_t tag, Deadline deadline, MemoryView& out) {
  if (bytes == 0) {
    out = MemoryView(pool);
    return DRAGON_SUCCESS;
  }
  Allocation allocation;
  const Status status = pool->allocate(bytes, type, deadline, allocation, tag);
  if (status == DRAGON_SUCCESS) out = MemoryView(pool, allocation.id, 0, bytes);
  return status;
}

Status MemoryView::of(const std::shared_ptr<Pool>& pool, uint64_t id, MemoryView& out) {
  AllocationInfo info;
  const Status status = pool->find_bytes(id, info);
  if (status == DRAGON_SUCCESS) out = MemoryView(pool, id, 0, info.allocation.bytes);
  return status;
}

Status MemoryView::attach(const std::shared_ptr<Node>& node, const uint8_t* bytes, size_t length,
                          MemoryView& out) {
  Handle handle;
  Status status =
      decode_handle_for(node->identity(), HandleKind::kAllocation, bytes, length, handle);
  std::shared_ptr<Pool> pool;
  if (status == DRAGON_SUCCESS) status = node->pool(handle.segment_id, pool);
  if (status != DRAGON_SUCCESS) return status;
  if (handle.allocation == 0) {
    out = MemoryView(pool);
    return DRAGON_SUCCESS;
  }
  MemoryView whole;
  status = of(pool, handle.allocation, whole);
  return status == DRAGON_SUCCESS ? whole.clone(handle.view_offset, handle.view_bytes, out)
                                  : status;
}

void MemoryView::serialize(HandleBytes& out) const {
  Handle handle;
  handle.kind = HandleKind::kAllocation;
  handle.host_id = pool_->node().identity().host_id;
  handle.runtime_id = pool_->node().identity().runtime_id;
  handle.segment_id = pool_->segment_id();
  handle.allocation = id_;
  handle.view_offset = offset_;
  handle.view_bytes = bytes_;
  encode_handle(handle, out);
}

Status MemoryView::clone(uint64_t offset, uint64_t bytes, MemoryView& out) const {
  if (offset > bytes_) return DRAGON_INVALID_ARGUMENT;
  const uint64_t rest = bytes_ - offset;
  if (bytes != kRestOfView && bytes > rest) return DRAGON_INVALID_ARGUMENT;
  const Status status = still_there();
  if (status != DRAGON_SUCCESS) return status;
  out = MemoryView(pool_, id_, offset_ + offset, std::min(bytes, rest));
  return DRAGON_SUCCESS;
}

Status MemoryView::set_bytes(uint64_t bytes) {
  AllocationInfo info;
  const Status status = designator() ? DRAGON_SUCCESS : pool_->find_bytes(id_, info);
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t there = info.allocation.bytes;
  if (offset_ > there || bytes > there - offset_) return DRAGON_INVALID_ARGUMENT;
  bytes_ = bytes;
  return DRAGON_SUCCESS;
}

Status MemoryView::resize(uint64_t bytes) {
  if (designator()) {
    return allocate(pool_, bytes, AllocationType::kData, 0, Deadline::once(), *this);
  }
  if (offset_ != 0) return DRAGON_INVALID_ARGUMENT;
  const Status status = pool_->resize(id_, bytes);
  if (status == DRAGON_SUCCESS) bytes_ = bytes;
  return status;
}

Status MemoryView::free() {
  return designator() ? DRAGON_SUCCESS : pool_->free(id_);
}

Status MemoryView::data(uint8_t*& out) const {
  AllocationInfo info;
  const Status status = find(info);
  if (status != DRAGON_SUCCESS) return status;
  out = designator() ? nullptr : info.allocation.data + offset_;
  return DRAGON_SUCCESS;
}

bool MemoryView::same(const MemoryView& other) const {
  if (pool_ == nullptr || other.pool_ == nullptr) return pool_ == other.pool_;
  return pool_->segment_id() == other.pool_->segment_id() && id_ == other.id_ &&
         pool_->node().identity().runtime_id == other.pool_->node().identity().runtime_id;
}

Status MemoryView::equal(const MemoryView& other, bool& out) const {
  uint8_t* mine = nullptr;
  uint8_t* its = nullptr;
  Status status = data(mine);
  if (status == DRAGON_SUCCESS) status = other.data(its);
  if (status != DRAGON_SUCCESS) return status;
  out = bytes_ == other.bytes_ && (bytes_ == 0 || ::memcmp(mine, its, bytes_) == 0);
  status = still_there();
  return status == DRAGON_SUCCESS ? other.still_there() : status;
}

Status MemoryView::hash(uint64_t& out) const {
  uint8_t* mine = nullptr;
  const Status status = data(mine);
  if (status != DRAGON_SUCCESS) return status;
  out = content_hash(mine, bytes_);
  return still_there();
}

Status MemoryView::copy_to(const MemoryView& to) const {
  uint8_t* from = nullptr;
  uint8_t* target = nullptr;
  Status status = data(from);
  if (status == DRAGON_SUCCESS) status = to.data(target);
  if (status != DRAGON_SUCCESS) return status;
  if (to.bytes_ < bytes_) return DRAGON_BUFFER_TOO_SHORT;
  if (to.pool_->read_only()) return DRAGON_NOT_SUPPORTED;
  if (bytes_ != 0) ::memmove(target, from, bytes_);
  status = still_there();
  return status == DRAGON_SUCCESS ? to.still_there() : status;
}

Status MemoryView::copy_to(const std::shared_ptr<Pool>& pool, Deadline deadline,
                           MemoryView& out) const {
  MemoryView copy;
  Status status = still_there();
  if (status == DRAGON_SUCCESS) {
    status = allocate(pool, bytes_, AllocationType::kData, 0, deadline, copy);
  }
  if (status != DRAGON_SUCCESS) return status;
  status = copy_to(copy);
  if (status == DRAGON_SUCCESS) {
    out = copy;
  } else {
    copy.free();
  }
  return status;
}

Status MemoryView::clear(uint64_t start, uint64_t stop) const {
  uint8_t* mine = nullptr;
  const Status status = data(mine);
  if (status != DRAGON_SUCCESS) return status;
  if (start > bytes_) return DRAGON_INVALID_ARGUMENT;
  if (pool_ != nullptr && pool_->read_only()) return DRAGON_NOT_SUPPORTED;
  const uint64_t end = std::min(stop, bytes_);
  if (end > start) ::memset(mine + start, 0, end - start);
  return still_there();
}

// The allocation may have become smaller than the window.
Status MemoryView::find(AllocationInfo& out) const {
  if (designator()) return DRAGON_SUCCESS;
  const Status status = pool_->find_bytes(id_, out);
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t there = out.allocation.bytes;
  const bool inside = offset_ <= there && bytes_ <= there - offset_;
  return inside ? DRAGON_SUCCESS : DRAGON_INVALID_ARGUMENT;
}

Status MemoryView::still_there() const {
  return designator() || pool_->exists(id_) ? DRAGON_SUCCESS : DRAGON_OBJECT_DESTROYED;
}

}  // namespace dragon
