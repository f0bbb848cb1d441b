// What pools, channels, locks and counters have in common: a header, and records of who has them
// open.
//
// The truth about who has an object open is the open records in the node segment; the counts in
// the header are indexes, recounted from the records when an actor died. Opening and closing an
// object is serialized by the node's stripe of its key. The object whose last record is closed
// passes to the actor that closed it, which takes it apart.
//
// Goals: no memory of an object is reused while any live actor has it open, even if somebody
// destroys it: `destroy` ends the object for everybody at once, the last close frees it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/parking.h"
#include "sync/record.h"
#include "sync/robust_mutex.h"
#include "sync/word.h"

namespace dragon {

class Node;

enum class Role : uint32_t { kSender = 0, kReceiver = 1, kHolder = 2 };
constexpr uint32_t kRoles = 3;

// Destroyed states of an object.
constexpr uint32_t kObjectAlive = 0;
constexpr uint32_t kObjectDestroyed = 1;  // unusable; memory stays until the last close

struct ObjectHeader {
  Word32 magic;      // kObjectMagic + the HandleKind; 0 before creation has ended
  Word32 destroyed;  // kObjectAlive or kObjectDestroyed
  Word32 hint;       // bits of the lanes in which somebody may wait (parking.h)
  Word32 ever;       // bit r: somebody has had the object open in role r
  Word32 counts[kRoles];
  Word32 spare;
};
static_assert(sizeof(ObjectHeader) == 32 && offsetof(ObjectHeader, counts) == 16);

constexpr uint32_t kObjectMagic = 0x4a424f00;  // "OBJ" and a kind

// An object on this node: segment and allocation (0 for the pool itself).
struct ObjectName {
  uint32_t segment_id = 0;
  uint64_t allocation = 0;
};

// segment << 32 | allocation index << 4 | lane.
constexpr uint32_t kLaneBits = 4;
constexpr uint64_t lane_key(const ObjectName& name, uint32_t lane) {
  const uint64_t index = static_cast<uint32_t>(name.allocation);
  return static_cast<uint64_t>(name.segment_id) << 32 | index << kLaneBits | lane;
}
constexpr uint64_t object_key(const ObjectName& name) {
  return lane_key(name, 0);
}

// How an object answers to being opened and closed; the stripe is held during both calls.
class OpenGate {
 public:
  virtual ~OpenGate() = default;
  // The header, or nullptr if the object is gone (then the open is OBJECT_DESTROYED).
  virtual ObjectHeader* header() = 0;
  // The last record was closed: make the object unreachable and this actor its owner. Called once
  // more if the closer died.
  virtual void on_last_close() = 0;
};

// Opens the object for this actor in a role.
Status open_object(Node& node, const ObjectName& name, Role role, OpenGate& gate, RecordId& out);

// Closes a record, whoever owned it. `last` says that the caller must now take the object apart.
// Recounts from the records if `recount`, as after a death. May be repeated after a death.
Status close_object(Node& node, RecordId record, OpenGate& gate, bool recount, bool& last);

// Makes a reference in flight: a further record in `role`, owned by this actor until somebody
// adopts it.
Status lend_object(Node& node, const ObjectName& name, Role role, OpenGate& gate, RecordId& out);
// Takes a lent reference over with one compare-and-swap. OBJECT_DESTROYED if it was adopted,
// cancelled, or lost with its lender.
Status adopt_object(Node& node, const ObjectName& name, Role role, RecordId record);
// Gives a lent record of this actor to the actor that made the node, which outlives all others,
// with one compare-and-swap. RUNTIME_GONE if that has ended, NOT_FOUND if the record was adopted.
Status entrust_object(Node& node, RecordId record);
// Takes a lent record back, for closing; false if it was adopted meanwhile.
bool take_back_lent(Node& node, RecordId record);

}  // namespace dragon
