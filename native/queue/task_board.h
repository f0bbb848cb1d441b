// Task boards: who has how many tasks of a queue in hand.
//
// A task is unfinished while it waits in the queue or is in somebody's hand. Each consumer has an
// entry of its own: how many it has in hand, and how many it has ever taken. It enters a task
// before it takes it from the queue, so that a task is never in neither place. Who wants to know
// whether all are finished reads the entries, looks whether the queue is empty, and reads the
// entries again: if nobody had a task in hand and nobody has taken one in between, then all were
// finished when the queue was empty (a double collect: Afek et al., Atomic Snapshots of Shared
// Memory, 1993).
//
// Goals: taking and finishing a task is one atomic operation on an own line for each consumer.
// Non-goals: the tasks themselves, and giving those of the dead to others.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kConsumersMax = 4096;

struct TaskBoardHeader {
  ObjectHeader object;
  Word32 capacity;
  Word32 lost;  // 1: an actor died with tasks in hand
  Word64 spare[3];
};
static_assert(sizeof(TaskBoardHeader) == 64 && offsetof(TaskBoardHeader, capacity) == 32);

struct TaskEntry {
  Word64 hand;   // bits 0..30 actor, 32..63 tasks that it has in hand
  Word64 taken;  // ever, by whoever had the entry
  Word64 spare[6];
};
static_assert(sizeof(TaskEntry) == 64);

class TaskBoard : public ManagedObject {
 public:
  ~TaskBoard() override { close(); }
  static constexpr uint32_t kLaneFinished = 0;

  // `consumers`: actors that may have tasks in hand at the same time, 1 to kConsumersMax.
  static Status create(const std::shared_ptr<Pool>& pool, uint32_t consumers,
                       std::unique_ptr<TaskBoard>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<TaskBoard>& out);

  // Before a task is taken: it counts as in this actor's hand from now on. STATE if as many actors
  // have tasks in hand as may.
  Status begin();
  // Afterwards: one of this actor's tasks is finished, or was not there to take. If it has none in
  // hand, one of another's is; STATE if nobody has.
  Status end();

  // SUCCESS if every task is finished, as far as `empty` says whether the queue is; OWNER_DIED if
  // it is so but some were in the hand of an actor that died; else WOULD_BLOCK. `probe` asks the
  // kernel whether those that have tasks in hand live.
  template <typename Empty>
  Status finished(bool probe, Empty&& empty) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    for (;;) {
      uint64_t before = 0;
      uint64_t after = 0;
      if (in_hand(probe, before) || !empty() || in_hand(probe, after)) return DRAGON_WOULD_BLOCK;
      if (before == after) break;
    }
    return lost() ? DRAGON_OWNER_DIED : DRAGON_SUCCESS;
  }

  bool lost() const { return usable() == DRAGON_SUCCESS && header().lost.load() != 0; }
  // The tasks of the dead are somebody's affair now.
  void forget_lost();

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneFinished); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneFinished + 1); }

 private:
  TaskBoard() = default;
  TaskBoardHeader& header() const { return header_as<TaskBoardHeader>(); }
  TaskEntry& entry(uint32_t index) const;
  bool has_entry() const;
  bool find_entry();
  bool put_aside(TaskEntry& dead, uint64_t found);
  bool finish_one(TaskEntry& entry, ActorId of);
  bool in_hand(bool probe, uint64_t& taken);

  uint32_t mine_ = 0;
};

}  // namespace dragon
