#include "event/blocked.h"

#include <algorithm>
#include <map>

#include "channel/channel.h"
#include "channel/lock_object.h"
#include "event/barrier.h"
#include "event/rw_lock.h"
#include "event/semaphore.h"
#include "memory/handle.h"
#include "memory/pool.h"

namespace dragon {

namespace {

constexpr uint64_t kLaneMask = (1ull << kLaneBits) - 1;
constexpr uint64_t kActorMask = (1ull << 31) - 1;  // of a lock's state: its holder

struct Opened {
  ActorId actor = 0;
  Role role = Role::kHolder;
};

// Who has what open, by the object's key.
using OpenMap = std::multimap<uint64_t, Opened>;

OpenMap open_objects(Node& node) {
  OpenMap found;
  for (uint32_t index = 1; index < node.records().committed(); ++index) {
    const Record& record = node.records().at(index);
    if (record.type.load() != static_cast<uint32_t>(RecordType::kOpen)) continue;
    const auto actor = static_cast<ActorId>(record.owner.load());
    const uint32_t role = record.kind.load();
    if (actor == 0 || actor == node.me().id || role >= kRoles) continue;
    found.insert({record.key.load(), {actor, static_cast<Role>(role)}});
  }
  return found;
}

class Asker {
 public:
  explicit Asker(const std::shared_ptr<Node>& node) : node_(node), open_(open_objects(*node)) {}

  BlockedWait ask(const WaitInfo& wait) {
    BlockedWait out;
    out.wait = wait;
    out.name.segment_id = static_cast<uint32_t>(wait.key >> 32);
    const auto index = static_cast<uint32_t>(wait.key) >> kLaneBits;
    const std::shared_ptr<Pool> pool = pool_of(out.name.segment_id);
    if (pool == nullptr) {
      out.others = true;
      return out;
    }
    if (index == 0) {
      out.object = "pool";
      out.operation = "allocate";
      out.wakers = owners(*pool);
    } else {
      AllocationInfo info;
      const bool found = pool->next_allocation(index, info) != 0 &&
                         static_cast<uint32_t>(info.allocation.id) == index;
      if (found) out.name.allocation = info.allocation.id;
      ask_object(found ? &info : nullptr, out);
    }
    make_unique(out.wakers);
    return out;
  }

 private:
  static void make_unique(std::vector<ActorId>& actors) {
    std::sort(actors.begin(), actors.end());
    actors.erase(std::unique(actors.begin(), actors.end()), actors.end());
  }

  // Null if the pool has gone.
  std::shared_ptr<Pool> pool_of(uint32_t segment_id) {
    const auto known = pools_.find(segment_id);
    if (known != pools_.end()) return known->second;
    std::shared_ptr<Pool>& pool = pools_[segment_id];
    if (node_->pool(segment_id, pool) != DRAGON_SUCCESS) pool = nullptr;
    return pool;
  }

  uint64_t key_of(const BlockedWait& wait) const { return wait.wait.key & ~kLaneMask; }
  static uint32_t lane_of(const BlockedWait& wait) {
    return static_cast<uint32_t>(wait.wait.key & kLaneMask);
  }

  std::vector<ActorId> holders(uint64_t key) const { return those(key, true, Role::kHolder); }
  std::vector<ActorId> those(uint64_t key, bool any, Role role) const {
    std::vector<ActorId> found;
    const auto [first, last] = open_.equal_range(key);
    for (auto it = first; it != last; ++it) {
      if (any || it->second.role == role) found.push_back(it->second.actor);
    }
    return found;
  }
  // Those in the role, or all that could come to be in it.
  std::vector<ActorId> in_role(uint64_t key, Role role) const {
    std::vector<ActorId> found = those(key, false, role);
    return found.empty() ? holders(key) : found;
  }

  void ask_object(const AllocationInfo* info, BlockedWait& out) {
    if (info == nullptr || info->owner != kOwnerObject) {
      out.others = true;  // gone: its waiters are being told
      return;
    }
    const auto& header = *reinterpret_cast<const ObjectHeader*>(info->allocation.data);
    if (header.destroyed.load() != kObjectAlive) out.others = true;
    switch (static_cast<HandleKind>(header.magic.load() - kObjectMagic)) {
      case HandleKind::kChannel:
        out.object = "channel";
        ask_channel(out);
        break;
      case HandleKind::kLock:
        out.object = "lock";
        out.operation = "acquire";
        ask_lock(*reinterpret_cast<const LockHeader*>(info->allocation.data), out);
        break;
      case HandleKind::kSemaphore:
        out.object = "semaphore";
        out.operation = lane_of(out) == Semaphore::kLaneZero ? "wait for zero" : "acquire";
        out.wakers = holders(key_of(out));
        break;
      case HandleKind::kBarrier:
        out.object = "barrier";
        ask_barrier(*info, out);
        break;
      case HandleKind::kRwLock:
        out.object = "reader-writer lock";
        ask_rw_lock(*info, out);
        break;
      case HandleKind::kCounter:
        out.object = "counter";
        out.wakers = holders(key_of(out));
        break;
      case HandleKind::kEvent:
        out.object = "event";
        out.wakers = holders(key_of(out));
        break;
      case HandleKind::kCondition:
        out.object = "condition";
        out.wakers = holders(key_of(out));
        break;
      case HandleKind::kBroadcast:
        out.object = "broadcast";
        out.wakers = holders(key_of(out));
        break;
      default:
        out.others = true;
        break;
    }
  }

  void ask_channel(BlockedWait& out) const {
    const uint64_t key = key_of(out);
    switch (lane_of(out)) {
      case kLaneIn:
        out.operation = "receive";
        out.wakers = in_role(key, Role::kSender);
        break;
      case kLaneOut:
        out.operation = "send";
        out.wakers = in_role(key, Role::kReceiver);
        break;
      case kLaneFull:
        out.operation = "poll for full";
        out.wakers = in_role(key, Role::kSender);
        break;
      case kLaneEmpty:
        out.operation = "poll for empty";
        out.wakers = in_role(key, Role::kReceiver);
        break;
      default:
        out.operation = "poll";
        out.wakers = holders(key);
        break;
    }
  }

  void ask_lock(const LockHeader& header, BlockedWait& out) const {
    const auto holder = static_cast<ActorId>(header.state.load() & kActorMask);
    if (holder == 0 || !node_->actors().alive(holder)) {
      out.others = true;  // it is free, or comes to be so by itself
    } else {
      out.wakers.push_back(holder);
    }
  }

  // Whoever writes; for a writer whoever reads; for a reader the writers that go first, or whoever
  // reads if no more may.
  void ask_rw_lock(const AllocationInfo& info, BlockedWait& out) const {
    const bool reads = lane_of(out) == RwLock::kLaneRead;
    out.operation = reads ? "read" : "write";
    const auto add = [&](ActorId actor) {
      if (actor != 0 && node_->actors().alive(actor)) out.wakers.push_back(actor);
    };
    add(RwLock::writer_of(info));
    if (!out.wakers.empty()) return;
    if (reads) add_waiting(key_of(out) | RwLock::kLaneWrite, out);
    bool is_full = false;
    const std::vector<ActorId> readers = RwLock::readers_of(info, is_full);
    if (!reads || (is_full && out.wakers.empty())) {
      for (const ActorId actor : readers) add(actor);
    }
    out.others = out.wakers.empty();
  }

  // Those that wait in a queue.
  void add_waiting(uint64_t key, BlockedWait& out) const {
    for (uint32_t index = 1; index < node_->records().committed(); ++index) {
      WaitInfo wait;
      if (node_->lot().info(index, wait) && wait.key == key) out.wakers.push_back(wait.actor);
    }
  }

  // Who has arrived can't bring the others.
  void ask_barrier(const AllocationInfo& info, BlockedWait& out) const {
    std::vector<ActorId> arrived;
    const uint32_t missing = Barrier::missing(info, arrived);
    for (const ActorId actor : holders(key_of(out))) {
      if (std::find(arrived.begin(), arrived.end(), actor) == arrived.end()) {
        out.wakers.push_back(actor);
      }
    }
    out.others = missing == 0 || out.wakers.size() < missing;
  }

  // Owners of allocations, and those who may receive a message that has memory.
  const std::vector<ActorId>& owners(Pool& pool) {
    const auto known = owners_.find(pool.segment_id());
    if (known != owners_.end()) return known->second;
    std::vector<ActorId>& found = owners_[pool.segment_id()];
    AllocationInfo info;
    for (uint32_t index = 1; (index = pool.next_allocation(index, info)) != 0;) {
      if (info.owner == kOwnerObject) continue;
      if ((info.owner & kOwnerMessage) == 0) {
        if (info.owner != node_->me().id) found.push_back(static_cast<ActorId>(info.owner));
        continue;
      }
      const uint64_t channel = info.owner >> kOwnerPositionBits & 0xffffffffull;
      for (const ActorId actor :
           in_role(lane_key({pool.segment_id(), channel}, 0), Role::kReceiver)) {
        found.push_back(actor);
      }
    }
    make_unique(found);
    return found;
  }

  const std::shared_ptr<Node> node_;
  const OpenMap open_;
  std::map<uint32_t, std::shared_ptr<Pool>> pools_;
  std::map<uint32_t, std::vector<ActorId>> owners_;
};

}  // namespace

std::vector<BlockedWait> blocked_waits(const std::shared_ptr<Node>& node) {
  std::vector<BlockedWait> waits;
  if (node->closed()) return waits;
  Asker asker(node);
  for (uint32_t index = 1; index < node->records().committed(); ++index) {
    WaitInfo wait;
    if (!node->lot().info(index, wait) || wait.actor == node->me().id) continue;
    if (node->actors().alive(wait.actor)) waits.push_back(asker.ask(wait));
  }
  return waits;
}

}  // namespace dragon
