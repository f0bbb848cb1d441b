// A window on an allocation, or a name of a pool where memory is to come from.
//
// A view is a value: copies and clones of it are further windows on the same allocation, which
// lives until somebody frees it, through whichever view or by its id. Afterwards every view of it
// answers OBJECT_DESTROYED. A view of no allocation at all, a *designator*, has 0 bytes and names
// its pool.
//
// Goals: every call is legal on designators and on windows of 0 bytes, and means what it means for
// others: their content is nothing, two of them are equal, and their hash is that of nothing.
// Non-goals: keeping an allocation alive; that is its owner's business.
#pragma once

#include <cstdint>
#include <memory>

#include "memory/pool.h"

namespace dragon {

constexpr uint64_t kRestOfView = UINT64_MAX;

// A hash of bytes that is the same in every process: see MEM-075.
uint64_t content_hash(const uint8_t* data, uint64_t bytes);

class MemoryView {
 public:
  // To be assigned to; has no pool.
  MemoryView() = default;
  // A designator of the pool.
  explicit MemoryView(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  // A view of a new allocation; of 0 bytes a designator, which takes no memory.
  static Status allocate(const std::shared_ptr<Pool>& pool, uint64_t bytes, AllocationType type,
                         uint64_t tag, Deadline deadline, MemoryView& out);
  // The whole of an allocation. OBJECT_DESTROYED if the id names none that lives.
  static Status of(const std::shared_ptr<Pool>& pool, uint64_t id, MemoryView& out);
  // A view that was serialized. OBJECT_DESTROYED; INVALID_ARGUMENT if the allocation has become
  // smaller than the view.
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       MemoryView& out);
  void serialize(HandleBytes& out) const;

  // A part of this view; offsets of parts of parts add. INVALID_ARGUMENT beyond its end.
  Status clone(uint64_t offset, uint64_t bytes, MemoryView& out) const;
  // Moves the end of the window. INVALID_ARGUMENT beyond the end of the allocation.
  Status set_bytes(uint64_t bytes);
  // Changes the allocation itself (Pool::resize), and the window to all of it. A designator
  // becomes a view of a new allocation. INVALID_ARGUMENT unless the view begins where the
  // allocation does.
  Status resize(uint64_t bytes);
  // Frees the whole allocation; nothing for a designator.
  Status free();

  // Where the bytes are, which is nowhere for designators; OBJECT_DESTROYED if it was freed,
  // INVALID_ARGUMENT if it has become smaller than the window. So for every call that looks.
  Status data(uint8_t*& out) const;
  uint64_t bytes() const { return bytes_; }
  uint64_t offset() const { return offset_; }
  // 0 for designators.
  uint64_t id() const { return id_; }
  bool designator() const { return id_ == 0; }
  const std::shared_ptr<Pool>& pool() const { return pool_; }

  // Whether both are windows on one allocation, or name one pool.
  bool same(const MemoryView& other) const;
  Status equal(const MemoryView& other, bool& out) const;
  Status hash(uint64_t& out) const;
  // Copies all of this view to the beginning of another one, which it may overlap.
  // BUFFER_TOO_SHORT if that is smaller.
  Status copy_to(const MemoryView& to) const;
  // A copy in a new allocation, of any pool on this node.
  Status copy_to(const std::shared_ptr<Pool>& pool, Deadline deadline, MemoryView& out) const;
  // Zeroes the bytes from `start` up to `stop`, or up to the end if that is nearer.
  // INVALID_ARGUMENT if `start` lies beyond it.
  Status clear(uint64_t start = 0, uint64_t stop = kRestOfView) const;

 private:
  MemoryView(std::shared_ptr<Pool> pool, uint64_t id, uint64_t offset, uint64_t bytes)
      : pool_(std::move(pool)), id_(id), offset_(offset), bytes_(bytes) {}
  Status find(AllocationInfo& out) const;
  // OBJECT_DESTROYED if it was freed while its bytes were looked at.
  Status still_there() const;

  std::shared_ptr<Pool> pool_;
  uint64_t id_ = 0;
  uint64_t offset_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace dragon
