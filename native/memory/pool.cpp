#include "memory/pool.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "memory/memory_limit.h"

namespace dragon {

namespace {

constexpr uint32_t kDescriptorsStepMin = 1024;
constexpr uint32_t kDescriptorsStepMax = 65536;

}  // namespace

Status Pool::create(const std::shared_ptr<Node>& node, const PoolOptions& options,
                    std::shared_ptr<Pool>& out) {
  const uint64_t limit =
      round_up(options.limit_bytes == 0 ? default_pool_limit_bytes() : options.limit_bytes,
               options.huge_pages ? kHugePageBytes : kPageBytes);
  const uint64_t wanted =
      options.initial_bytes == 0 ? std::min(kExtentBytesMin, limit) : options.initial_bytes;
  if (limit < kPoolLimitBytesMin || limit > kPoolLimitBytesMax || wanted > limit ||
      options.growth_bytes > limit) {
    return DRAGON_INVALID_ARGUMENT;
  }
  if (node->closed()) return DRAGON_CLOSED;
  Segment segment;
  PageKind pages = options.huge_pages ? PageKind::kHuge : PageKind::kSmall;
  Status status =
      Segment::create(node->identity(), metadata_bytes_for(limit), limit, segment, &pages);
  if (status != DRAGON_SUCCESS) return status;
  auto& shared = *reinterpret_cast<PoolHeader*>(segment.mapping().base());
  const Mapping& mapping = segment.mapping();
  if (options.numa_node >= 0) {
    status = mapping.prefer_node(options.numa_node);
    if (status == DRAGON_INVALID_ARGUMENT) return status;
    if (status == DRAGON_SUCCESS) {
      shared.numa_node.store(static_cast<uint32_t>(options.numa_node) + 1);
    }
  }
  shared.pages.store(static_cast<uint32_t>(pages));
  shared.growth_bytes.store(round_up(options.growth_bytes, kPageBytes));
  shared.populate.store(options.populate ? 1 : 0);
  const uint64_t descriptors = sizeof(BlockDescriptor) * kDescriptorsStepMin;
  status = mapping.commit(kDescriptorsOffset, descriptors);
  if (status != DRAGON_SUCCESS) return status;
  shared.heap.descriptors_ready.store(std::min(kDescriptorsStepMin, descriptors_for(limit)));
  shared.heap.descriptors_used.store(1);
  shared.object.magic.store(kObjectMagic + static_cast<uint32_t>(HandleKind::kPool));
  status = node->put_segment(segment);
  if (status == DRAGON_SUCCESS) status = open(node, std::move(segment), false, out);
  if (status != DRAGON_SUCCESS) return status;
  status = out->extend(0, round_up(wanted, kPageBytes));
  if (status != DRAGON_SUCCESS) out.reset();
  return status;
}

Status Pool::attach(const std::shared_ptr<Node>& node, const uint8_t* bytes, size_t length,
                    std::shared_ptr<Pool>& out) {
  Handle handle;
  const Status status =
      decode_handle_for(node->identity(), HandleKind::kPool, bytes, length, handle);
  return status == DRAGON_SUCCESS ? node->pool(handle.segment_id, out) : status;
}

Status Pool::attach_read_only(const std::shared_ptr<Node>& node, const uint8_t* bytes,
                              size_t length, std::shared_ptr<Pool>& out) {
  Handle handle;
  Status status = decode_handle_for(node->identity(), HandleKind::kPool, bytes, length, handle);
  if (status != DRAGON_SUCCESS) return status;
  if (node->closed()) return DRAGON_CLOSED;
  Segment writable;
  Segment segment;
  status = node->get_segment(handle.segment_id, writable);
  if (status == DRAGON_NOT_FOUND) return DRAGON_OBJECT_DESTROYED;
  if (status == DRAGON_SUCCESS) status = writable.read_only(segment);
  return status == DRAGON_SUCCESS ? open(node, std::move(segment), true, out) : status;
}

Status Pool::open(const std::shared_ptr<Node>& node, Segment&& segment, bool read_only,
                  std::shared_ptr<Pool>& out) {
  const std::shared_ptr<Pool> pool(new Pool());
  pool->node_ = node;
  pool->segment_ = std::move(segment);
  pool->segment_id_ = pool->segment_.id();
  auto* blocks =
      reinterpret_cast<BlockDescriptor*>(pool->segment_.mapping().base() + kDescriptorsOffset);
  pool->heap_ = Heap(&pool->shared().heap, blocks);
  pool->magazines_.set_limit(pool->segment_.limit_bytes());
  const Status status = open_object(*node, pool->name(), Role::kHolder, *pool, pool->record_);
  if (status != DRAGON_SUCCESS) return status;
  pool->read_only_ = read_only;
  if (!read_only) node->remember(pool->segment_id_, pool);
  out = pool;
  return DRAGON_SUCCESS;
}

Pool::~Pool() {
  if (record_ == 0 || node_->closed()) return;
  if (!destroyed() && !read_only_) {
    free_own();
    give_back_cached(node_->me().id);
  }
  bool last = false;
  close_object(*node_, record_, *this, false, last);
  if (last) node_->drop_segment(segment_id_);
}

Status Pool::destroy() {
  const Status status = changeable();
  if (status != DRAGON_SUCCESS) return status;
  if (!shared().object.destroyed.replace(kObjectAlive, kObjectDestroyed)) {
    return DRAGON_OBJECT_DESTROYED;
  }
  node_->lot().wake_everyone();  // whoever waits on any object in the pool
  node_->drop_segment(segment_id_);
  return DRAGON_SUCCESS;
}

void Pool::serialize(HandleBytes& out) const {
  serialize(0, out);
}

void Pool::serialize(uint64_t id, HandleBytes& out) const {
  Handle handle;
  handle.kind = id == 0 ? HandleKind::kPool : HandleKind::kAllocation;
  handle.host_id = node_->identity().host_id;
  handle.runtime_id = node_->identity().runtime_id;
  handle.segment_id = segment_id_;
  handle.allocation = id;
  AllocationInfo info;
  if (id != 0 && find(id, info) == DRAGON_SUCCESS) handle.view_bytes = info.allocation.bytes;
  encode_handle(handle, out);
}

// Makes room for a request that the committed data can't hold, outside the lock: the system's
// pages first, then the heap.
Status Pool::grow(uint64_t bytes, uint64_t committed, uint64_t free_at_end) {
  const uint64_t room = segment_.limit_bytes() - committed;
  const uint64_t size = block_bytes_for(bytes);
  const uint64_t needed =
      std::max(round_up(size - std::min(size, free_at_end), kPageBytes), kPageBytes);
  if (room == 0 || needed > room) {
    errno = 0;
    return DRAGON_OUT_OF_MEMORY;
  }
  // In steps that stay small beside what is in use, or the pool would have much that nobody uses.
  const uint64_t growth = shared().growth_bytes.load();
  const uint64_t usual = growth != 0
                             ? growth
                             : std::clamp(committed / kExtentShare / kPageBytes * kPageBytes,
                                          kExtentBytesMin, kExtentBytesMax);
  const uint64_t extent = std::min(std::max(usual, needed), room);
  const Status status = extend(committed, extent);
  // The system may have no such extent left, and yet what is needed.
  return status == DRAGON_OUT_OF_MEMORY && needed < extent ? extend(committed, needed) : status;
}

Status Pool::extend(uint64_t committed, uint64_t extent) {
  const uint64_t offset = segment_.metadata_bytes() + committed;
  const Status status = segment_.mapping().commit(offset, extent);
  if (status != DRAGON_SUCCESS) return status;
  if (shared().populate.load() != 0) segment_.mapping().populate(offset, extent);
  for (;;) {
    MutexGuard held = guard(Deadline::once());
    if (!held.held()) return DRAGON_WOULD_BLOCK;
    // If another was faster, its extent may do; the caller looks.
    if (heap_.header().committed_bytes.load() != committed) return DRAGON_SUCCESS;
    if (heap_.extend(extent) == DRAGON_SUCCESS) return DRAGON_SUCCESS;
    const uint32_t ready = heap_.header().descriptors_ready.load();
    held.unlock();
    const Status added = add_descriptors(ready);
    if (added != DRAGON_SUCCESS) return added;
  }
}

Status Pool::add_descriptors(uint32_t ready) {
  const uint32_t most = descriptors_for(segment_.limit_bytes());
  const uint32_t step = std::clamp(ready, kDescriptorsStepMin, kDescriptorsStepMax);
  const uint32_t target = std::min(most, ready + step);
  if (target <= ready) {
    errno = 0;
    return DRAGON_OUT_OF_MEMORY;
  }
  const Status status =
      segment_.mapping().commit(kDescriptorsOffset + sizeof(BlockDescriptor) * ready,
                                sizeof(BlockDescriptor) * (target - ready));
  if (status == DRAGON_SUCCESS) shared().heap.descriptors_ready.replace(ready, target);
  return status;
}

Status Pool::find(uint64_t id, AllocationInfo& out) const {
  const uint32_t index = block_index(id);
  if (!heap_.live(index, block_generation(id))) return DRAGON_OBJECT_DESTROYED;
  const BlockDescriptor& block = heap_.block(index);
  out.allocation.id = id;
  out.allocation.bytes = block.bytes.load();
  out.allocation.data = segment_.data() + block.offset.load();
  out.owner = block.owner.load();
  out.tag = block.tag.load();
  out.type = type_of(block.state.load());
  // Freed while we looked? Then what we read may be of the next use.
  return heap_.live(index, block_generation(id)) ? DRAGON_SUCCESS : DRAGON_OBJECT_DESTROYED;
}

Status Pool::change_owner(uint64_t id, uint64_t from, uint64_t to) {
  if (read_only_) return DRAGON_NOT_SUPPORTED;
  if (!heap_.live(block_index(id), block_generation(id))) return DRAGON_OBJECT_DESTROYED;
  return heap_.block(block_index(id)).owner.cas(from, to) ? DRAGON_SUCCESS : DRAGON_STATE;
}

uint32_t Pool::next_allocation(uint32_t index, AllocationInfo& out) const {
  const uint32_t used = heap_.header().descriptors_used.load();
  for (uint32_t next = std::max(index, 1u); next < used; ++next) {
    const uint64_t state = heap_.block(next).state.load();
    if (state_of(state) != BlockState::kLive) continue;
    const uint64_t id = static_cast<uint64_t>(generation_of(state)) << 32 | next;
    if (find(id, out) == DRAGON_SUCCESS) return next + 1;
  }
  return 0;
}

uint32_t Pool::next_allocation(uint32_t index, AllocationType type, AllocationInfo& out) const {
  uint32_t next = index;
  while ((next = next_allocation(next, out)) != 0 && out.type != type) {
  }
  return next;
}

PoolPlacement Pool::placement() const {
  PoolPlacement placement;
  placement.numa_node = static_cast<int>(shared().numa_node.load()) - 1;
  placement.pages = static_cast<PageKind>(shared().pages.load());
  return placement;
}

uint64_t Pool::trim() {
  if (changeable() != DRAGON_SUCCESS) return 0;
  const HeapHeader& heap = heap_.header();
  if (heap.committed_bytes.load() - heap.held_bytes.load() < 2 * kExtentBytesMin) return 0;
  take_back_cached();
  HeapBlock end;
  uint64_t bytes = 0;
  {
    const MutexGuard held = guard(Deadline::once());
    if (!held.held()) return 0;
    bytes = heap_.free_at_end() / kExtentBytesMin * kExtentBytesMin;
    // One extent stays, so that use at the edge does not commit and punch in turns.
    if (bytes < 2 * kExtentBytesMin) return 0;
    bytes -= kExtentBytesMin;
    if (heap_.take_end(node_->me().id, end) != DRAGON_SUCCESS) return 0;
  }
  const uint64_t block_bytes = heap_.block(end.index).size.load();
  const uint64_t from = segment_.metadata_bytes() + end.offset + block_bytes - bytes;
  const Status punched = segment_.mapping().punch(from, bytes);
  {
    const MutexGuard held = guard(Deadline::never());
    const bool still_last = heap_.header().last_block.load() == end.index;
    heap_.give(end.index, end.generation);
    if (punched != DRAGON_SUCCESS || !still_last) bytes = 0;
    if (bytes != 0) heap_.cut(bytes);
  }
  wake_waiters();
  return bytes;
}

void Pool::recover_from(ActorId dead) {
  // It may have freed blocks without the mutex and not said so any more.
  shared().stale.store(1);
  if (shared().mutex.holder() != dead) return;
  const MutexGuard recovered = guard(Deadline::never());
}

std::string Pool::audit() {
  if (node_->closed()) return "";
  const MutexGuard held = guard(Deadline::never());
  return heap_.audit();
}

MutexGuard Pool::guard(Deadline deadline) {
  PoolHeader& header = shared();
  return MutexGuard(header.mutex, node_->me(), deadline, header.stale, [this] { heap_.rebuild(); });
}

WaitPlace Pool::place(uint32_t lane) const {
  return {lane_key(name(), lane), &shared().object.hint, 1u << lane};
}

bool Pool::destroyed() const {
  return shared().object.destroyed.load() != kObjectAlive;
}

ObjectHeader* Pool::header() {
  return &shared().object;
}

void Pool::on_last_close() {
  shared().object.destroyed.store(kObjectDestroyed);
}

Status Pool::usable() const {
  if (node_->closed()) return DRAGON_CLOSED;
  return destroyed() ? DRAGON_OBJECT_DESTROYED : DRAGON_SUCCESS;
}

Status Pool::changeable() const {
  const Status status = usable();
  return status == DRAGON_SUCCESS && read_only_ ? DRAGON_NOT_SUPPORTED : status;
}

// What this actor owns would be out of reach once its attachment has ended.
void Pool::free_own() {
  AllocationInfo info;
  for (uint32_t index = 1; (index = next_allocation(index, info)) != 0;) {
    if (info.owner == node_->me().id) free(info.allocation.id);
  }
}

}  // namespace dragon
