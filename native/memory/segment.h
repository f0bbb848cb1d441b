// A pool's segment: a mapping whose first bytes are a checked header.
//
// Goals: metadata and data lie apart, each in a range of its own that commits grow, so that a
// user's overrun cannot reach the metadata.
#pragma once

#include <cstdint>

#include "sync/mapping.h"
#include "sync/segment_header.h"
#include "sync/status.h"

namespace dragon {

class Segment {
 public:
  // A segment for `limit_bytes` of data and `metadata_bytes` before it (both whole pages).
  static Status create(const NodeIdentity& identity, uint64_t metadata_bytes, uint64_t limit_bytes,
                       Segment& out);
  // Takes `fd` over, also on failure. LAYOUT for another layout, kind, size, host or runtime.
  static Status attach(int fd, const NodeIdentity& identity, Segment& out);

  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(mapping_.base()); }
  uint32_t id() const { return header().segment_id.load(); }
  void set_id(uint32_t id) const { header().segment_id.store(id); }
  uint64_t limit_bytes() const { return header().limit_bytes.load(); }
  uint64_t metadata_bytes() const { return mapping_.bytes() - limit_bytes(); }
  uint8_t* data() const { return mapping_.base() + metadata_bytes(); }
  const Mapping& mapping() const { return mapping_; }

 private:
  Mapping mapping_;
};

}  // namespace dragon
