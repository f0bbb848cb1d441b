#include "queue/task_board.h"

namespace dragon {

namespace {

constexpr uint64_t kActorMask = (1ull << 31) - 1;
constexpr uint64_t kTask = 1ull << 32;

ActorId actor_of(uint64_t hand) {
  return static_cast<ActorId>(hand & kActorMask);
}

}  // namespace

Status TaskBoard::create(const std::shared_ptr<Pool>& pool, uint32_t consumers,
                         std::unique_ptr<TaskBoard>& out) {
  if (consumers < 1 || consumers > kConsumersMax) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<TaskBoard> board(new TaskBoard());
  const uint64_t bytes = sizeof(TaskBoardHeader) + sizeof(TaskEntry) * consumers;
  Status status = board->begin_create(pool, HandleKind::kTaskBoard, bytes);
  if (status != DRAGON_SUCCESS) return status;
  board->header().capacity.store(consumers);
  status = board->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(board);
  return status;
}

Status TaskBoard::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                         bool adopt, RecordId& adopted, std::unique_ptr<TaskBoard>& out) {
  std::unique_ptr<TaskBoard> board(new TaskBoard());
  const Status status =
      board->attach_to(node, HandleKind::kTaskBoard, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(board);
  return status;
}

TaskEntry& TaskBoard::entry(uint32_t index) const {
  return reinterpret_cast<TaskEntry*>(base() + sizeof(TaskBoardHeader))[index];
}

bool TaskBoard::has_entry() const {
  return actor_of(entry(mine_).hand.load()) == node().me().id;
}

// An entry belongs to its actor until that is dead.
bool TaskBoard::find_entry() {
  if (has_entry()) return true;
  const uint32_t capacity = header().capacity.load();
  for (mine_ = 0; mine_ < capacity; ++mine_) {
    if (has_entry()) return true;
  }
  for (mine_ = 0; mine_ < capacity; ++mine_) {
    Word64& hand = entry(mine_).hand;
    uint64_t found = hand.load();
    const ActorId actor = actor_of(found);
    if (actor != 0 && node().actors().alive(actor)) continue;
    if (!put_aside(entry(mine_), found)) continue;
    uint64_t free = 0;
    if (hand.cas_seq(free, node().me().id)) return true;
  }
  mine_ = 0;
  return false;
}

// Clears the entry of a dead actor. What it had in hand is remembered first: a death in between
// loses nothing.
bool TaskBoard::put_aside(TaskEntry& dead, uint64_t found) {
  if (found == 0) return true;
  if (found >= kTask) header().lost.store(1);
  return dead.hand.cas_seq(found, 0);
}

// In hand first, then taken, then the caller takes: who reads "taken" and "in hand" in this order
// sees one of them changed if the caller has taken something before the second reading.
Status TaskBoard::begin() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (!find_entry()) return DRAGON_STATE;
  TaskEntry& mine = entry(mine_);
  mine.hand.fetch_add(kTask);
  mine.taken.fetch_add(1);
  return DRAGON_SUCCESS;
}

// False if the entry has no task in hand, or isn't the actor's. 0: anybody's.
bool TaskBoard::finish_one(TaskEntry& entry, ActorId of) {
  uint64_t found = entry.hand.load();
  do {
    if (found < kTask || (of != 0 && actor_of(found) != of)) return false;
  } while (!entry.hand.cas_seq(found, found - kTask));
  if (found >= 2 * kTask) return true;
  const WaitPlace joining = place();
  const bool waits = (ParkingLot::waiters_seq(*joining.hint) & joining.bit) != 0;
  if (waits) node().lot().wake_all(joining);
  return true;
}

Status TaskBoard::end() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (finish_one(entry(mine_), node().me().id)) return DRAGON_SUCCESS;
  const uint32_t capacity = header().capacity.load();
  for (const ActorId of : {node().me().id, ActorId{0}}) {
    for (uint32_t index = 0; index < capacity; ++index) {
      if (finish_one(entry(index), of)) return DRAGON_SUCCESS;
    }
  }
  return DRAGON_STATE;
}

void TaskBoard::forget_lost() {
  if (usable() == DRAGON_SUCCESS) header().lost.store(0);
}

// Whether somebody alive has a task in hand. `taken` is how many were ever taken.
bool TaskBoard::in_hand(bool probe, uint64_t& taken) {
  ActorTable& actors = node().actors();
  const uint32_t capacity = header().capacity.load();
  taken = 0;
  for (uint32_t index = 0; index < capacity; ++index) {
    TaskEntry& each = entry(index);
    taken += each.taken.load_seq();
    uint64_t found = each.hand.load_seq();
    while (found >= kTask) {
      const ActorId actor = actor_of(found);
      if (probe ? actors.probe(actor) : actors.alive(actor)) return true;
      if (put_aside(each, found)) break;
      found = each.hand.load_seq();
    }
  }
  return false;
}

}  // namespace dragon
