// The process's side of an object that lives in a pool: its attachment and its handles.
//
// Goals: channel, lock and counter share creation, attachment, lending and the last close.
// Non-goals: sharing an attachment between threads; each attaches for itself.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "memory/handle.h"
#include "memory/object.h"
#include "memory/pool.h"

namespace dragon {

// Frees an object's parts and then itself; the object belongs to the calling actor. May be
// repeated after a death.
void take_apart(Pool& pool, const AllocationInfo& object);

// An object as the open records see it, attached or not.
class ObjectGate : public OpenGate {
 public:
  ObjectGate(Pool& pool, uint64_t allocation) : pool_(pool), allocation_(allocation) {}
  // The header, unless the object is not yet made or has been taken apart.
  ObjectHeader* header() override;
  void on_last_close() override;
  // Takes the object apart if `on_last_close` made it this actor's.
  void end();

 private:
  Pool& pool_;
  uint64_t allocation_;
};

class ManagedObject {
 public:
  ManagedObject(const ManagedObject&) = delete;
  ManagedObject& operator=(const ManagedObject&) = delete;
  // Each class closes in its own destructor, while its lanes can still be woken.
  virtual ~ManagedObject() = default;

  void serialize(HandleBytes& out) const;
  // Opens a further handle in a role: counted until it is closed, the object is closed here, or
  // its actor dies. `out` is the handle's record, for `close_handle`.
  Status open_handle(Role role, RecordId& out);
  void close_handle(RecordId record);
  // A reference in flight, as a handle with a lent record inside. It counts in its role from now
  // on and outlives this attachment. `cancel_lent` takes it back, also after `close`; false if
  // somebody has adopted it.
  Status lend(Role role, HandleBytes& out);
  bool cancel_lent(const uint8_t* handle, size_t length);
  // The same reference, which the node keeps then, whoever dies; it ends by being adopted.
  Status entrust_lent(const uint8_t* handle, size_t length);

  // Ends the object for everybody: waiters get OBJECT_DESTROYED at once. What it holds is freed
  // now, itself by the last close. OBJECT_DESTROYED if it was destroyed before.
  Status destroy();
  bool destroyed() const;
  // Ends this attachment with all its handles.
  void close();
  bool closed() const { return base_ == nullptr; }

  uint32_t count(Role role) const;
  bool ever(Role role) const;
  ObjectName name() const { return {pool_->segment_id(), id_}; }
  uint64_t id() const { return id_; }
  Pool& pool() const { return *pool_; }
  Node& node() const { return *node_; }
  // A lane of the object's in the parking lot; not after `close`.
  WaitPlace place(uint32_t lane) const;

 protected:
  ManagedObject() = default;
  // Creation: zeroed memory for the caller to fill, then `end_create` publishes it.
  Status begin_create(const std::shared_ptr<Pool>& pool, HandleKind kind, uint64_t bytes);
  Status end_create();
  // Attachment by handle; with `adopt` takes the lent record inside over as the handle `adopted`.
  Status attach_to(const std::shared_ptr<Node>& node, HandleKind kind, const uint8_t* handle,
                   size_t length, bool adopt, RecordId& adopted);
  // Looks at an object without opening it, for reclamation.
  void look_at(const std::shared_ptr<Pool>& pool, const AllocationInfo& object);
  // Wakes everybody on every lane.
  void wake_lanes(uint32_t lanes);
  virtual void wake_all_lanes() = 0;
  // Frees what a destroyed object holds.
  virtual void drop_contents() {}
  // Gives back what this attachment has in the object, while it is still open.
  virtual void before_close() {}
  // OBJECT_DESTROYED or CLOSED, else SUCCESS.
  Status usable() const {
    if (base_ == nullptr || node_->closed()) [[unlikely]]
      return DRAGON_CLOSED;
    const bool gone =
        object().destroyed.load() != kObjectAlive || pool_destroyed_->load() != kObjectAlive;
    return gone ? DRAGON_OBJECT_DESTROYED : DRAGON_SUCCESS;
  }
  template <typename Header>
  Header& header_as() const {
    return *reinterpret_cast<Header*>(base_);
  }
  uint8_t* base() const { return base_; }
  // This attachment's open record.
  Record* open_record() const { return &node().records().of(record_); }

 private:
  ObjectHeader& object() const { return *reinterpret_cast<ObjectHeader*>(base_); }
  void close_record(RecordId record);
  void use(const std::shared_ptr<Pool>& pool);

  std::shared_ptr<Pool> pool_;
  Node* node_ = nullptr;                    // the pool's
  const Word32* pool_destroyed_ = nullptr;  // the pool's
  uint64_t id_ = 0;
  HandleKind kind_ = HandleKind::kChannel;
  uint8_t* base_ = nullptr;
  RecordId record_ = 0;
  std::vector<RecordId> handles_;
};

}  // namespace dragon
