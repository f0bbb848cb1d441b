// Bytes of several holders.
//
// Each holder owns a share: a small allocation that names the hub of the bytes. The hub lists the
// shares, and belongs to nobody, as do the bytes. No count is kept: the bytes are in use while one
// of the listed shares is still allocated, so a death at any instruction leaves nothing to mend.
// Who frees a share, or gives back what an actor had, looks whether any is left.
#include <string.h>

#include "memory/pool.h"

namespace dragon {

namespace {

constexpr uint32_t kHoldersMax = 4096;

struct ShareHub {
  Word64 changes;  // up after each new entry
  // Then the entries: ids of shares, or 0.
};

constexpr uint64_t hub_bytes(uint32_t holders) {
  return sizeof(ShareHub) + holders * sizeof(Word64);
}

// The hub as its descriptor says; its bytes are somebody else's if it was freed meanwhile, so
// nothing in them is trusted.
struct HubView {
  explicit HubView(const Allocation& memory)
      : hub(*reinterpret_cast<ShareHub*>(memory.data)),
        entries(reinterpret_cast<Word64*>(memory.data + sizeof(ShareHub))),
        count(static_cast<uint32_t>((memory.bytes - sizeof(ShareHub)) / sizeof(Word64))) {}
  ShareHub& hub;
  Word64* entries;
  uint32_t count;
};

}  // namespace

Status Pool::find_bytes(uint64_t id, AllocationInfo& out) const {
  const Status status = find(id, out);
  if (status != DRAGON_SUCCESS || out.type != AllocationType::kShare) return status;
  AllocationInfo hub;
  AllocationInfo bytes;
  Status found = find(out.tag, hub);
  if (found == DRAGON_SUCCESS) found = find(hub.tag, bytes);
  if (found != DRAGON_SUCCESS) return found;
  out.allocation.data = bytes.allocation.data;
  out.allocation.bytes = bytes.allocation.bytes;
  return DRAGON_SUCCESS;
}

// The owner of the bytes changes last: until then they go with this actor.
Status Pool::share(uint64_t id, uint32_t holders, uint64_t& share) {
  AllocationInfo info;
  Status status = changeable();
  if (status == DRAGON_SUCCESS) status = find(id, info);
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t me = node_->me().id;
  if (info.owner != me) return DRAGON_NOT_OWNER;
  const bool valid = holders > 0 && holders <= kHoldersMax && info.type == AllocationType::kData;
  if (!valid) return DRAGON_INVALID_ARGUMENT;
  Allocation hub;
  Allocation first;
  status = try_allocate(hub_bytes(holders), AllocationType::kHub, hub, id);
  if (status != DRAGON_SUCCESS) return status;
  ::memset(hub.data, 0, hub.bytes);
  status = try_allocate(1, AllocationType::kShare, first, hub.id);
  if (status != DRAGON_SUCCESS) {
    free(hub.id);
    return status;
  }
  HubView(hub).entries[0].store(first.id);
  change_owner(hub.id, me, kOwnerObject);
  change_owner(id, me, kOwnerObject);
  share = first.id;
  return DRAGON_SUCCESS;
}

// This actor's share is allocated until the new one is listed, and `changes` is up before it can be
// freed: who looks meanwhile sees the one, the other, or the change.
Status Pool::share_again(uint64_t share, uint64_t& further) {
  AllocationInfo mine;
  AllocationInfo hub;
  Status status = changeable();
  if (status == DRAGON_SUCCESS) status = find(share, mine);
  if (status != DRAGON_SUCCESS) return status;
  if (mine.type != AllocationType::kShare) return DRAGON_INVALID_ARGUMENT;
  if (mine.owner != node_->me().id) return DRAGON_NOT_OWNER;
  status = find(mine.tag, hub);
  if (status != DRAGON_SUCCESS) return status;
  Allocation made;
  status = try_allocate(1, AllocationType::kShare, made, hub.allocation.id);
  if (status != DRAGON_SUCCESS) return status;
  const HubView view(hub.allocation);
  for (uint32_t index = 0; index < view.count; ++index) {
    uint64_t listed = view.entries[index].load();
    if (listed != 0 && exists(listed)) continue;
    if (!view.entries[index].cas_seq(listed, made.id)) continue;
    view.hub.changes.fetch_add(1);
    further = made.id;
    return DRAGON_SUCCESS;
  }
  free(made.id);
  return DRAGON_STATE;
}

// The hub of a live share, else 0.
uint64_t Pool::hub_of(uint32_t index, uint32_t generation) const {
  if (!heap_.known(index)) return 0;
  const BlockDescriptor& block = heap_.block(index);
  const uint64_t state = block.state.load();
  const bool is_share = state_of(state) == BlockState::kLive &&
                        type_of(state) == AllocationType::kShare &&
                        generation_of(state) == generation;
  return is_share ? block.tag.load() : 0;
}

// The bytes first: after a death in between the hub is still there to be found. Ids have
// generations, so it does no harm if two see that no share is left.
void Pool::end_sharing(uint64_t hub) {
  AllocationInfo info;
  if (find(hub, info) != DRAGON_SUCCESS || info.type != AllocationType::kHub) return;
  if (info.owner != kOwnerObject) return;  // not yet shared
  const HubView view(info.allocation);
  uint64_t changes = 0;
  do {
    changes = view.hub.changes.load_seq();
    for (uint32_t index = 0; index < view.count; ++index) {
      const uint64_t listed = view.entries[index].load_seq();
      if (listed != 0 && exists(listed)) return;
    }
  } while (view.hub.changes.load_seq() != changes);
  free(info.tag);
  free(hub);
}

}  // namespace dragon
