#include "sync/node_segment.h"

#include <string.h>

#include <utility>

namespace dragon {

Status NodeSegment::create(const NodeIdentity& identity, NodeSegment& out) {
  Mapping mapping;
  Status status = Mapping::create("dragon-node", kNodeSegmentBytes, mapping);
  if (status != DRAGON_SUCCESS) return status;
  status = mapping.commit(0, kActorsOffset + sizeof(ActorSlot) * kActorsCommitStep);
  if (status != DRAGON_SUCCESS) return status;
  status = mapping.commit(kRecordsOffset, sizeof(Record) * kRecordsCommitStep);
  if (status != DRAGON_SUCCESS) return status;
  out.mapping_ = std::make_shared<const Mapping>(std::move(mapping));
  NodeHeader& header = out.header();
  header.actors_committed.store(kActorsCommitStep);
  header.records_committed.store(kRecordsCommitStep);
  header.next_ticket.store(1);
  write_segment_header(header.segment, SegmentKind::kNode, kNodeSegmentBytes, identity, 0);
  return DRAGON_SUCCESS;
}

Status NodeSegment::attach(int fd, NodeSegment& out) {
  Mapping mapping;
  const Status status = Mapping::attach(fd, mapping);
  if (status != DRAGON_SUCCESS) return status;
  const auto& header = *reinterpret_cast<const SegmentHeader*>(mapping.base());
  const Status checked = check_segment_header(header, SegmentKind::kNode, mapping.bytes());
  if (checked != DRAGON_SUCCESS || mapping.bytes() != kNodeSegmentBytes) return DRAGON_LAYOUT;
  out.mapping_ = std::make_shared<const Mapping>(std::move(mapping));
  return DRAGON_SUCCESS;
}

NodeIdentity NodeSegment::identity() const {
  return {header().segment.host_id.load(), header().segment.runtime_id.load()};
}

Status NodeSegment::well_known(uint32_t index, uint8_t (&handle)[64]) const {
  if (index >= kWellKnown) return DRAGON_INVALID_ARGUMENT;
  const auto& entry = array<WellKnownEntry>(kWellKnownOffset, index);
  if (entry.valid.load() != 2) return DRAGON_NOT_FOUND;
  for (size_t word = 0; word < 8; ++word) {
    const uint64_t value = entry.handle[word].load(std::memory_order_relaxed);
    ::memcpy(handle + word * 8, &value, sizeof(value));
  }
  return DRAGON_SUCCESS;
}

Status NodeSegment::set_well_known(uint32_t index, const uint8_t (&handle)[64]) {
  if (index >= kWellKnown) return DRAGON_INVALID_ARGUMENT;
  auto& entry = array<WellKnownEntry>(kWellKnownOffset, index);
  // Only the services set entries, so 1 (being written) is not taken over from a dead writer.
  if (!entry.valid.replace(0, 1)) return DRAGON_EXISTS;
  for (size_t word = 0; word < 8; ++word) {
    uint64_t value = 0;
    ::memcpy(&value, handle + word * 8, sizeof(value));
    entry.handle[word].store(value, std::memory_order_relaxed);
  }
  entry.valid.store(2);
  return DRAGON_SUCCESS;
}

}  // namespace dragon
