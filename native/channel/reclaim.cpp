#include "channel/reclaim.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "channel/channel.h"
#include "channel/lock_object.h"

namespace dragon {

namespace {

struct OpenRecord {
  RecordId id;
  uint64_t allocation;
};

using RecordsBySegment = std::map<uint32_t, std::vector<OpenRecord>>;

// What an actor has open, by pool; also what it was closing when it died. A reference that it has
// lent is taken back first, or belongs to whoever adopted it just now.
RecordsBySegment open_records_of(RecordArea& records, ActorId actor) {
  RecordsBySegment found;
  for (uint32_t index = 1; index < records.committed(); ++index) {
    Record& record = records.at(index);
    uint64_t owner = record.owner.load();
    if (static_cast<ActorId>(owner) != actor) continue;
    if ((owner & kRecordLent) != 0 && !record.owner.cas(owner, owner & ~kRecordLent)) continue;
    const auto type = static_cast<RecordType>(record.type.load());
    if (type != RecordType::kOpen && type != RecordType::kClosed) continue;
    const auto segment_id = static_cast<uint32_t>(record.key.load() >> 32);
    found[segment_id].push_back({records.id_of(index), record.allocation.load()});
  }
  return found;
}

// Gives back everything that an actor owns. Every step may be cut short and repeated.
class Returner {
 public:
  Returner(const std::shared_ptr<Node>& node, ActorId actor, ReclaimReport& report)
      : node_(*node), keep_(node), actor_(actor), report_(report) {}

  void run() {
    for (uint32_t number = 0; number < kStripes; ++number) {
      RobustMutex& mutex = node_.segment().stripe(number).mutex;
      if (mutex.holder() != actor_) continue;
      mutex.lock(node_.me());
      mutex.unlock();
      ++report_.locks;
    }
    const RecordsBySegment open = open_records_of(node_.records(), actor_);
    // Objects before the allocations of any pool: a channel's payload may lie in another one.
    for (const auto& [segment_id, records] : open) return_objects(segment_id, records);
    for (const auto& [segment_id, records] : open) return_pool(segment_id, records);
    report_.records += node_.lot().give_back(actor_);
  }

 private:
  void return_objects(uint32_t segment_id, const std::vector<OpenRecord>& records) {
    std::shared_ptr<Pool> pool;
    if (node_.pool(segment_id, pool) != DRAGON_SUCCESS) return;
    if (pool->mutex_holder() == actor_) ++report_.locks;
    if (actor_ != node_.me().id) pool->recover_from(actor_);
    pool->give_back_cached(actor_);
    std::set<uint64_t> objects;
    for (const OpenRecord& record : records) {
      if (record.allocation == 0) continue;
      return_object(pool, record, objects.insert(record.allocation).second);
    }
  }

  void return_pool(uint32_t segment_id, const std::vector<OpenRecord>& records) {
    std::shared_ptr<Pool> pool;
    report_.records += static_cast<uint32_t>(records.size());
    if (node_.pool(segment_id, pool) != DRAGON_SUCCESS) {
      // The pool is gone with everything in it.
      for (const OpenRecord& record : records) node_.records().release(record.id);
      node_.drop_segment(segment_id);
      return;
    }
    return_allocations(*pool);
    for (const OpenRecord& record : records) {
      if (record.allocation != 0) close_record(*pool, record);
    }
    // What was freed just now stands in this actor's magazines.
    if (actor_ == node_.me().id) pool->give_back_cached(actor_);
    // The pool's own record last: while it stands, a repetition finds the pool.
    for (const OpenRecord& record : records) {
      bool last = false;
      if (record.allocation == 0) close_object(node_, record.id, *pool, true, last);
      if (last) node_.drop_segment(segment_id);
    }
    pool->trim();
  }

  void return_object(const std::shared_ptr<Pool>& pool, const OpenRecord& open, bool first) {
    AllocationInfo info;
    if (pool->find(open.allocation, info) != DRAGON_SUCCESS || info.owner != kOwnerObject) return;
    if (info.type == AllocationType::kLock && first && LockObject::give_back(info, actor_)) {
      ++report_.locks;
      return;
    }
    // Between two calls an actor has nothing in a channel but a slot, nor has one that leaves.
    if (info.type != AllocationType::kChannel || actor_ == node_.me().id) return;
    report_.slots += Channel::give_back(pool, info, node_.records().of(open.id), actor_);
  }

  void return_allocations(Pool& pool) {
    AllocationInfo info;
    for (uint32_t index = 1; (index = pool.next_allocation(index, info)) != 0;) {
      if (info.type == AllocationType::kHub) pool.end_sharing(info.allocation.id);
      if (info.owner != actor_) continue;
      if (info.type == AllocationType::kChunk && belongs_to_channel(pool, info)) {
        pool.change_owner(info.allocation.id, actor_, kOwnerObject);
        continue;
      }
      take_apart(pool, info);
      ++report_.allocations;
    }
  }

  static bool belongs_to_channel(Pool& pool, const AllocationInfo& chunk) {
    AllocationInfo channel;
    if (pool.find(chunk.tag, channel) != DRAGON_SUCCESS) return false;
    return channel.type == AllocationType::kChannel &&
           Channel::has_part(channel, chunk.allocation.id);
  }

  void close_record(Pool& pool, const OpenRecord& record) {
    ObjectGate gate(pool, record.allocation);
    bool last = false;
    close_object(node_, record.id, gate, true, last);
    if (!last) return;
    const uint64_t before = pool.stats().allocations;
    gate.end();
    report_.allocations +=
        static_cast<uint32_t>(before - std::min(before, pool.stats().allocations));
  }

  Node& node_;
  const std::shared_ptr<Node> keep_;
  const ActorId actor_;
  ReclaimReport& report_;
};

}  // namespace

Status reclaim(const std::shared_ptr<Node>& node, ActorId dead, ReclaimReport& out) {
  if (node->closed()) return DRAGON_CLOSED;
  // One reclamation at a time. After a reclaimer that died the next one simply begins again.
  RobustMutex& mutex = node->segment().header().reclaim_mutex;
  mutex.lock(node->me());
  const Status status = node->actors().begin_reclaim(dead);
  if (status == DRAGON_SUCCESS) {
    Returner(node, dead, out).run();
    // It may have died between publishing and ringing, for anybody.
    node->lot().wake_everyone();
    node->bell().remove_name(dead);
    node->actors().leave(dead);
  }
  mutex.unlock();
  return status;
}

void leave(const std::shared_ptr<Node>& node) {
  if (node->closed()) return;
  ReclaimReport report;
  Returner(node, node->me().id, report).run();
  node->lot().wake_everyone();  // for ends of streams and locks that it held
  node->close(true);
}

}  // namespace dragon
