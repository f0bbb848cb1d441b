#include "channel/region.h"

namespace dragon {

Status Region::create(const std::shared_ptr<Pool>& pool, uint64_t bytes,
                      std::unique_ptr<Region>& out) {
  if (bytes == 0) return DRAGON_INVALID_ARGUMENT;
  if (bytes > pool->limit_bytes()) return DRAGON_TOO_LARGE;
  std::unique_ptr<Region> region(new Region());
  Status status = region->begin_create(pool, HandleKind::kRegion, sizeof(RegionHeader) + bytes);
  if (status != DRAGON_SUCCESS) return status;
  region->header_as<RegionHeader>().bytes.store(bytes);
  status = region->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(region);
  return status;
}

Status Region::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                      bool adopt, RecordId& adopted, std::unique_ptr<Region>& out) {
  std::unique_ptr<Region> region(new Region());
  const Status status =
      region->attach_to(node, HandleKind::kRegion, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(region);
  return status;
}

}  // namespace dragon
