#include "memory/object.h"

#include "memory/node.h"

namespace dragon {

namespace {

constexpr uint32_t word_of(RecordType type) {
  return static_cast<uint32_t>(type);
}

ActorId owner_of(uint64_t word) {
  return static_cast<ActorId>(word);
}

// Holds the stripe of an object. Nothing needs repair after a dead holder: its records are the
// truth, and its reclamation recounts.
class StripeGuard {
 public:
  StripeGuard(Node& node, uint64_t key)
      : mutex_(node.segment().stripe(hash_key(key) % kStripes).mutex) {
    mutex_.lock(node.me());
  }
  StripeGuard(const StripeGuard&) = delete;
  StripeGuard& operator=(const StripeGuard&) = delete;
  ~StripeGuard() { mutex_.unlock(); }

 private:
  RobustMutex& mutex_;
};

bool is_open(const Record& record, uint64_t key, uint64_t allocation) {
  return record.type.load() == word_of(RecordType::kOpen) && record.key.load() == key &&
         record.allocation.load() == allocation && owner_of(record.owner.load()) != 0;
}

void recount(RecordArea& records, const Record& of, ObjectHeader& header) {
  uint32_t counts[kRoles] = {};
  const uint64_t key = of.key.load();
  const uint64_t allocation = of.allocation.load();
  for (uint32_t index = 1; index < records.committed(); ++index) {
    const Record& record = records.at(index);
    const uint32_t role = record.kind.load();
    if (is_open(record, key, allocation) && role < kRoles) ++counts[role];
  }
  for (uint32_t role = 0; role < kRoles; ++role) header.counts[role].store(counts[role]);
}

uint32_t total(const ObjectHeader& header) {
  return header.counts[0].load() + header.counts[1].load() + header.counts[2].load();
}

Status open_record(Node& node, const ObjectName& name, Role role, OpenGate& gate, bool lent,
                   RecordId& out) {
  RecordArea& records = node.records();
  RecordId id = 0;
  const Status status = records.claim(node.me().id, id);
  if (status != DRAGON_SUCCESS) return status;
  Record& record = records.of(id);
  const uint64_t key = object_key(name);
  record.key.store(key);
  record.allocation.store(name.allocation);
  record.kind.store(static_cast<uint32_t>(role));
  record.ticket.store(0);
  record.next.store(0);
  record.previous.store(0);
  record.spare.store(0);
  if (lent) record.owner.store(record.owner.load() | kRecordLent);
  StripeGuard guard(node, key);
  ObjectHeader* header = gate.header();
  if (header == nullptr || header->destroyed.load() != kObjectAlive) {
    records.release(id);
    return DRAGON_OBJECT_DESTROYED;
  }
  record.type.store(word_of(RecordType::kOpen));
  header->counts[static_cast<uint32_t>(role)].fetch_add(1);
  header->ever.fetch_or(1u << static_cast<uint32_t>(role));
  out = id;
  return DRAGON_SUCCESS;
}

}  // namespace

Status open_object(Node& node, const ObjectName& name, Role role, OpenGate& gate, RecordId& out) {
  return open_record(node, name, role, gate, false, out);
}

Status lend_object(Node& node, const ObjectName& name, Role role, OpenGate& gate, RecordId& out) {
  return open_record(node, name, role, gate, true, out);
}

Status close_object(Node& node, RecordId id, OpenGate& gate, bool force_recount, bool& last) {
  RecordArea& records = node.records();
  if (!records.current(id)) return DRAGON_CLOSED;
  Record& record = records.of(id);
  last = false;
  {
    StripeGuard guard(node, record.key.load());
    record.type.store(word_of(RecordType::kClosed));
    if (ObjectHeader* header = gate.header()) {
      Word32& count = header->counts[record.kind.load() % kRoles];
      if (force_recount || count.load() == 0) {
        recount(records, record, *header);
      } else {
        count.fetch_sub(1);
      }
      last = total(*header) == 0;
      if (last) gate.on_last_close();
    }
  }
  records.release(id);
  return DRAGON_SUCCESS;
}

Status adopt_object(Node& node, const ObjectName& name, Role role, RecordId id) {
  RecordArea& records = node.records();
  if (!records.current(id)) return DRAGON_OBJECT_DESTROYED;
  Record& record = records.of(id);
  uint64_t word = record.owner.load();
  // The generation in the owner word makes the swap fail if the record changes hands or meaning
  // after these looks.
  const bool named = records.id_of(RecordArea::index_of(id)) == id &&
                     is_open(record, object_key(name), name.allocation) &&
                     record.kind.load() == static_cast<uint32_t>(role);
  if (!named || (word & kRecordLent) == 0) return DRAGON_OBJECT_DESTROYED;
  const uint64_t mine = (word & kRecordGenerationMask) | node.me().id;
  return record.owner.cas(word, mine) ? DRAGON_SUCCESS : DRAGON_OBJECT_DESTROYED;
}

Status entrust_object(Node& node, RecordId id) {
  ActorInfo maker;
  const bool lives = node.actors().info(0, maker) && maker.state == ActorState::kLive;
  if (!lives) return DRAGON_RUNTIME_GONE;
  RecordArea& records = node.records();
  if (!records.current(id)) return DRAGON_NOT_FOUND;
  Record& record = records.of(id);
  uint64_t word = record.owner.load();
  const bool mine = owner_of(word) == node.me().id && (word & kRecordLent) != 0;
  if (!mine || records.id_of(RecordArea::index_of(id)) != id) return DRAGON_NOT_FOUND;
  const uint64_t theirs = (word & kRecordGenerationMask) | kRecordLent | maker.id;
  return record.owner.cas(word, theirs) ? DRAGON_SUCCESS : DRAGON_NOT_FOUND;
}

bool take_back_lent(Node& node, RecordId id) {
  RecordArea& records = node.records();
  if (!records.current(id)) return false;
  Record& record = records.of(id);
  uint64_t word = record.owner.load();
  const bool mine = owner_of(word) == node.me().id && (word & kRecordLent) != 0;
  if (!mine || records.id_of(RecordArea::index_of(id)) != id) return false;
  return record.owner.cas(word, word & ~kRecordLent);
}

}  // namespace dragon
