#include "sync/record.h"

#include "sync/node_segment.h"

namespace dragon {

namespace {

// Records looked at before the area is extended instead, so that a claim stays cheap however many
// records are in use.
constexpr uint32_t kProbesMax = 256;

}  // namespace

Status RecordArea::claim(uint32_t owner, RecordId& out) {
  for (;;) {
    const uint32_t limit = committed();
    const uint32_t probes = limit < kRecordsMax && limit > kProbesMax ? kProbesMax : limit;
    for (uint32_t probe = 0; probe < probes; ++probe) {
      if (cursor_ == 0 || cursor_ >= limit) cursor_ = 1;
      const uint32_t index = cursor_++;
      Record& record = at(index);
      uint64_t word = record.owner.load();
      if (static_cast<uint32_t>(word) != 0 || !record.owner.cas(word, word | owner)) continue;
      out = id_of(index);
      return DRAGON_SUCCESS;
    }
    if (limit >= kRecordsMax) return DRAGON_TOO_MANY_RECORDS;
    const Status status = extend(limit);
    if (status != DRAGON_SUCCESS) return status;
    cursor_ = limit;
  }
}

void RecordArea::release(RecordId id) {
  Record& record = of(id);
  record.type.store(static_cast<uint32_t>(RecordType::kNone));
  record.state.store(0);
  const uint64_t word = record.owner.load();
  record.owner.store((word & kRecordGenerationMask) + kRecordGenerationOne);
  cursor_ = index_of(id);
}

Record& RecordArea::at(uint32_t index) const {
  return segment_->record(index);
}

bool RecordArea::current(RecordId id) const {
  const uint32_t index = index_of(id);
  if (index == 0 || index >= committed() || id_of(index) != id) return false;
  return static_cast<uint32_t>(at(index).owner.load()) != 0;
}

RecordId RecordArea::id_of(uint32_t index) const {
  return at(index).owner.load() >> 34 << 32 | index;
}

uint32_t RecordArea::committed() const {
  return segment_->header().records_committed.load();
}

Status RecordArea::extend(uint32_t committed) {
  const uint64_t offset = kRecordsOffset + sizeof(Record) * committed;
  const Status status = segment_->mapping().commit(offset, sizeof(Record) * kRecordsCommitStep);
  // If another actor was faster, its step is as good.
  if (status == DRAGON_SUCCESS) {
    segment_->header().records_committed.replace(committed, committed + kRecordsCommitStep);
  }
  return status;
}

}  // namespace dragon
