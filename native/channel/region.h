// Regions: bytes of a pool that any number of processes have open, and read and write at once.
//
// Goals: zero when it begins, whatever lay there before; given back when the last process has
// closed it or died, also after `destroy`, which only keeps others from attaching. The bytes begin
// on a cache line, so that aligned words in them are aligned in memory.
// Non-goals: order between those who write; that is the business of locks.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

struct RegionHeader {
  ObjectHeader object;
  Word64 bytes;
  Word64 spare[3];
};
static_assert(sizeof(RegionHeader) == 64);

class Region : public ManagedObject {
 public:
  ~Region() override { close(); }

  // TOO_LARGE beyond what the pool could ever give, INVALID_ARGUMENT for 0 bytes.
  static Status create(const std::shared_ptr<Pool>& pool, uint64_t bytes,
                       std::unique_ptr<Region>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Region>& out);

  // Valid until this attachment is closed, also after `destroy`. nullptr and 0 once it is.
  uint8_t* data() const { return closed() ? nullptr : base() + sizeof(RegionHeader); }
  uint64_t bytes() const { return closed() ? 0 : header_as<RegionHeader>().bytes.load(); }

 protected:
  void wake_all_lanes() override {}  // nobody waits for bytes

 private:
  Region() = default;
};

}  // namespace dragon
