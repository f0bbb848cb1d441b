// A worker's use of memory.
#include <algorithm>
#include <cstring>

#include "memory/memory_view.h"
#include "proof/worker.h"

namespace dragon::proof {

namespace {

constexpr size_t kKeptMax = 4;

}  // namespace

void Worker::allocate(const Op& op, Patience patience) {
  if (kept_.size() == kKeptMax) return free_one(op, patience);
  // Nobody could help one that waits for ever: what is kept is given back by its owner only.
  const Patience brief = patience == Patience::kLong ? Patience::kShort : patience;
  Kept kept;
  const Status status = pool_->allocate(op.number + 1, AllocationType::kData,
                                        deadline_of(brief, op.number), kept.allocation);
  expect(status, "allocate");
  if (status != DRAGON_SUCCESS) return;
  kept.stamp = message_id(process_ + kProcesses, static_cast<uint32_t>(++stamps_));
  fill_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp);
  kept_.push_back(kept);
}

void Worker::free_one(const Op& op, Patience) {
  if (kept_.empty()) return;
  const size_t which = op.number % kept_.size();
  const Kept kept = kept_[which];
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(which));
  if (!has_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp)) {
    fail("somebody wrote into an allocation of this process");
  }
  if (pool_->free(kept.allocation.id) != DRAGON_SUCCESS) {
    fail("somebody freed an allocation of this process");
  }
}

// What is left of the bytes stays as it was.
void Worker::resize(const Op& op, Patience patience) {
  if (kept_.empty()) return allocate(op, patience);
  Kept& kept = kept_[op.number % kept_.size()];
  const uint64_t bytes = 1 + uint64_t{op.number} * 7 % 4'000;
  const Status status = pool_->resize(kept.allocation.id, bytes);
  expect(status, "resize");
  const uint64_t left = std::min(kept.allocation.bytes, bytes);
  if (!has_pattern(kept.allocation.data, left, kept.stamp)) fail("a resize changed the bytes");
  AllocationInfo info;
  expect(pool_->find(kept.allocation.id, info), "find what was resized");
  if (status == DRAGON_SUCCESS) kept.allocation.bytes = bytes;
  if (info.allocation.bytes != kept.allocation.bytes) fail("a resize to another size");
  fill_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp);
}

void Worker::view(const Op& op, Patience patience) {
  if (kept_.empty()) return allocate(op, patience);
  const Kept& kept = kept_[op.number % kept_.size()];
  const uint64_t offset = op.number % kept.allocation.bytes;
  MemoryView all;
  MemoryView part;
  MemoryView again;
  expect(MemoryView::of(pool_, kept.allocation.id, all), "view");
  expect(all.clone(offset / 2, all.bytes() - offset / 2, again), "a part of a view");
  expect(again.clone(offset - offset / 2, all.bytes() - offset, part), "a part of a part");
  HandleBytes handle;
  part.serialize(handle);
  expect(MemoryView::attach(node_, handle, kHandleBytes, again), "attach to a view");
  uint8_t* data = nullptr;
  expect(again.data(data), "the bytes of a view");
  for (uint64_t at = 0; at < again.bytes(); ++at) {
    if (data[at] != pattern_byte(kept.stamp, offset + at)) fail("a view of other bytes");
  }
  MemoryView copy;
  const Status copied = part.copy_to(pool_, Deadline::once(), copy);
  expect(copied, "copy a view");
  if (copied != DRAGON_SUCCESS) return;
  bool equal = false;
  expect(copy.equal(again, equal), "compare views");
  if (!equal) fail("a copy that is not equal");
  expect(copy.free(), "free a copy");
  if (copy.bytes() > 0 && copy.data(data) != DRAGON_OBJECT_DESTROYED) {
    fail("a view of what was freed");
  }
}

// The bytes were others' to read only.
void Worker::end_loan() {
  const Kept lent = lent_.front();
  lent_.erase(lent_.begin());
  if (!has_pattern(lent.allocation.data, lent.allocation.bytes, lent.stamp)) {
    fail("somebody wrote into what was lent to be read");
  }
  if (pool_->free(lent.allocation.id) != DRAGON_SUCCESS) {
    fail("somebody freed what was lent to be read");
  }
}

// The bytes are there as long as this share is, and nobody changes them.
void Worker::end_share() {
  const Kept kept = shares_.front();
  shares_.erase(shares_.begin());
  AllocationInfo info;
  if (pool_->find_bytes(kept.allocation.id, info) != DRAGON_SUCCESS) {
    fail("somebody freed a share of this process");
  }
  if (info.allocation.bytes != kept.allocation.bytes ||
      !has_pattern(info.allocation.data, kept.allocation.bytes, kept.stamp)) {
    fail("somebody changed what is shared");
  }
  if (pool_->free(kept.allocation.id) != DRAGON_SUCCESS) fail("a share that can't be freed");
}

}  // namespace dragon::proof
