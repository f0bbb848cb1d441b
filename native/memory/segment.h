// A pool's segment: a mapping whose first bytes are a checked header.
//
// Goals: metadata and data lie apart, each in a range of its own that commits grow, so that a
// user's overrun cannot reach the metadata.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "sync/mapping.h"
#include "sync/segment_header.h"
#include "sync/status.h"

namespace dragon {

class Segment {
 public:
  // A segment for `limit_bytes` of data and `metadata_bytes` before it (both whole pages).
  // `pages` is a wish that becomes what the segment has; none is small pages.
  static Status create(const NodeIdentity& identity, uint64_t metadata_bytes, uint64_t limit_bytes,
                       Segment& out, PageKind* pages = nullptr);
  // Takes `fd` over, also on failure. LAYOUT for another layout, kind, size, host or runtime.
  static Status attach(int fd, const NodeIdentity& identity, Segment& out);

  // The same file in a mapping of its own whose data can't be written.
  Status read_only(Segment& out) const;

  // One that is mapped in this process already.
  explicit Segment(std::shared_ptr<const Mapping> mapping) : mapping_(std::move(mapping)) {}
  Segment() = default;

  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(mapping_->base()); }
  uint32_t id() const { return header().segment_id.load(); }
  void set_id(uint32_t id) const { header().segment_id.store(id); }
  uint64_t limit_bytes() const { return header().limit_bytes.load(); }
  uint64_t metadata_bytes() const { return mapping_->bytes() - limit_bytes(); }
  uint8_t* data() const { return mapping_->base() + metadata_bytes(); }
  const Mapping& mapping() const { return *mapping_; }
  const std::shared_ptr<const Mapping>& shared_mapping() const { return mapping_; }

 private:
  std::shared_ptr<const Mapping> mapping_;
};

// What the attachments of one process share: a segment is mapped once, however many actors use it.
class SegmentCache {
 public:
  // nullptr if nobody has the segment mapped now.
  std::shared_ptr<const Mapping> find(uint32_t segment_id);
  void remember(const Segment& segment);

 private:
  std::mutex mutex_;
  std::map<uint32_t, std::weak_ptr<const Mapping>> mappings_;
};

}  // namespace dragon
