#include "memory/segment.h"

#include <fcntl.h>

#include <utility>

namespace dragon {

Status Segment::create(const NodeIdentity& identity, uint64_t metadata_bytes, uint64_t limit_bytes,
                       Segment& out, PageKind* wish) {
  PageKind pages = wish == nullptr ? PageKind::kSmall : *wish;
  Mapping mapping;
  uint64_t bytes = metadata_bytes + limit_bytes;
  if (pages == PageKind::kHuge) {
    const Status huge = Mapping::create_huge("dragon-pool", bytes, mapping);
    if (huge != DRAGON_SUCCESS) pages = PageKind::kTransparent;
  }
  if (pages == PageKind::kHuge) {
    bytes = mapping.bytes();
  } else {
    const Status status = Mapping::create("dragon-pool", bytes, mapping);
    if (status != DRAGON_SUCCESS) return status;
    if (pages == PageKind::kTransparent && !mapping.join_pages()) pages = PageKind::kSmall;
  }
  const Status status = mapping.commit(0, kPageBytes);
  if (status != DRAGON_SUCCESS) return status;
  out.mapping_ = std::make_shared<const Mapping>(std::move(mapping));
  write_segment_header(out.header(), SegmentKind::kPool, bytes, identity, limit_bytes);
  if (wish != nullptr) *wish = pages;
  return DRAGON_SUCCESS;
}

Status Segment::read_only(Segment& out) const {
  const int fd = ::fcntl(mapping_->fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return DRAGON_SYSTEM;
  Mapping mapping;
  Status status = Mapping::attach(fd, mapping);
  if (status == DRAGON_SUCCESS) status = mapping.protect(metadata_bytes(), limit_bytes());
  if (status == DRAGON_SUCCESS) out.mapping_ = std::make_shared<const Mapping>(std::move(mapping));
  return status;
}

Status Segment::attach(int fd, const NodeIdentity& identity, Segment& out) {
  Mapping mapping;
  const Status status = Mapping::attach(fd, mapping);
  if (status != DRAGON_SUCCESS) return status;
  const auto& header = *reinterpret_cast<const SegmentHeader*>(mapping.base());
  if (check_segment_header(header, SegmentKind::kPool, mapping.bytes()) != DRAGON_SUCCESS) {
    return DRAGON_LAYOUT;
  }
  const bool ours =
      header.host_id.load() == identity.host_id && header.runtime_id.load() == identity.runtime_id;
  if (!ours || header.limit_bytes.load() > mapping.bytes() - kPageBytes) return DRAGON_LAYOUT;
  out.mapping_ = std::make_shared<const Mapping>(std::move(mapping));
  return DRAGON_SUCCESS;
}

std::shared_ptr<const Mapping> SegmentCache::find(uint32_t segment_id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto found = mappings_.find(segment_id);
  if (found == mappings_.end()) return nullptr;
  std::shared_ptr<const Mapping> mapping = found->second.lock();
  if (mapping == nullptr) mappings_.erase(found);
  return mapping;
}

void SegmentCache::remember(const Segment& segment) {
  const std::lock_guard<std::mutex> guard(mutex_);
  mappings_[segment.id()] = segment.shared_mapping();
}

}  // namespace dragon
