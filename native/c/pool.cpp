// Pools and allocations.
#include "c/objects.h"

namespace c = dragon::c;

namespace {

dragon_allocation_t described(const dragon::Allocation& allocation) {
  return {allocation.id, allocation.data, allocation.bytes};
}

}  // namespace

dragon_status_t dragon_pool_create(dragon_node_t* node, const dragon_pool_options_t* options,
                                   dragon_pool_t** out) {
  if (node == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  const dragon_pool_options_t given = c::options_of(options, DRAGON_POOL_OPTIONS);
  dragon::PoolOptions wanted;
  wanted.limit_bytes = given.limit_bytes;
  wanted.initial_bytes = given.initial_bytes;
  wanted.growth_bytes = given.growth_bytes;
  wanted.numa_node = given.numa_node;
  wanted.huge_pages = given.huge_pages != 0;
  wanted.populate = given.populate != 0;
  std::shared_ptr<dragon::Pool> pool;
  const dragon_status_t status = dragon::Pool::create(node->node, wanted, pool);
  return c::hand_over(status, std::move(pool), out);
}

dragon_status_t dragon_pool_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                   dragon_pool_t** out) {
  if (node == nullptr || handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  std::shared_ptr<dragon::Pool> pool;
  const dragon_status_t status =
      dragon::Pool::attach(node->node, handle->bytes, sizeof(handle->bytes), pool);
  return c::hand_over(status, std::move(pool), out);
}

dragon_status_t dragon_pool_attach_read_only(dragon_node_t* node, const dragon_handle_t* handle,
                                             dragon_pool_t** out) {
  if (node == nullptr || handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  std::shared_ptr<dragon::Pool> pool;
  const dragon_status_t status =
      dragon::Pool::attach_read_only(node->node, handle->bytes, sizeof(handle->bytes), pool);
  return c::hand_over(status, std::move(pool), out);
}

dragon_status_t dragon_pool_handle(const dragon_pool_t* pool, dragon_handle_t* out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  pool->pool->serialize(out->bytes);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_pool_destroy(dragon_pool_t* pool) {
  return pool == nullptr ? DRAGON_INVALID_ARGUMENT : pool->pool->destroy();
}

void dragon_pool_close(dragon_pool_t* pool) {
  delete pool;
}

dragon_status_t dragon_pool_stats(dragon_pool_t* pool, dragon_pool_stats_t* out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (pool->pool->node().closed()) return DRAGON_CLOSED;
  const dragon::PoolStats stats = pool->pool->stats();
  const size_t size = out->size < sizeof(*out) ? out->size : sizeof(*out);
  const dragon_pool_stats_t all = {
      out->size,        stats.limit_bytes,        stats.committed_bytes,  stats.used_bytes,
      stats.free_bytes, stats.largest_free_bytes, stats.high_water_bytes, stats.allocations,
      stats.waiters,    stats.requested_bytes,    stats.cached_bytes};
  ::memcpy(out, &all, size);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_allocate(dragon_pool_t* pool, uint64_t bytes, int64_t timeout_ms,
                                dragon_allocation_t* out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::Allocation allocation;
  const dragon_status_t status = pool->pool->allocate(bytes, dragon::AllocationType::kData,
                                                      c::deadline_of(timeout_ms), allocation);
  if (status == DRAGON_SUCCESS) *out = described(allocation);
  return status;
}

dragon_status_t dragon_free(dragon_pool_t* pool, uint64_t id) {
  return pool == nullptr ? DRAGON_INVALID_ARGUMENT : pool->pool->free(id);
}

dragon_status_t dragon_resize(dragon_pool_t* pool, uint64_t id, uint64_t bytes) {
  return pool == nullptr ? DRAGON_INVALID_ARGUMENT : pool->pool->resize(id, bytes);
}

dragon_status_t dragon_allocation_find(const dragon_pool_t* pool, uint64_t id,
                                       dragon_allocation_t* out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::AllocationInfo info;
  const dragon_status_t status = pool->pool->find_bytes(id, info);
  if (status == DRAGON_SUCCESS) *out = described(info.allocation);
  return status;
}

dragon_status_t dragon_share(dragon_pool_t* pool, uint64_t id, uint32_t holders, uint64_t* share) {
  if (pool == nullptr || share == nullptr) return DRAGON_INVALID_ARGUMENT;
  return pool->pool->share(id, holders, *share);
}

dragon_status_t dragon_share_again(dragon_pool_t* pool, uint64_t share, uint64_t* further) {
  if (pool == nullptr || further == nullptr) return DRAGON_INVALID_ARGUMENT;
  return pool->pool->share_again(share, *further);
}

dragon_status_t dragon_allocation_handle(const dragon_pool_t* pool, uint64_t id,
                                         dragon_handle_t* out) {
  if (pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  pool->pool->serialize(id, out->bytes);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_allocation_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                         dragon_pool_t** pool, dragon_allocation_t* out) {
  if (node == nullptr || handle == nullptr || pool == nullptr || out == nullptr) {
    return DRAGON_INVALID_ARGUMENT;
  }
  dragon::Handle named;
  dragon_status_t status =
      dragon::decode_handle_for(node->node->identity(), dragon::HandleKind::kAllocation,
                                handle->bytes, sizeof(handle->bytes), named);
  std::shared_ptr<dragon::Pool> found;
  if (status == DRAGON_SUCCESS) status = node->node->pool(named.segment_id, found);
  dragon::AllocationInfo info;
  if (status == DRAGON_SUCCESS) status = found->find(named.allocation, info);
  status = c::hand_over(status, std::move(found), pool);
  if (status == DRAGON_SUCCESS) *out = described(info.allocation);
  return status;
}
