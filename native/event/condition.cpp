#include "event/condition.h"

#include <algorithm>

namespace dragon {

namespace {

// kPassing: the waiter died with a notify, and the actor in the word is passing it on.
enum class WaiterState : uint64_t { kFree = 0, kWaiting = 1, kNotified = 2, kPassing = 3 };

constexpr uint64_t kActorMask = (1ull << 31) - 1;
constexpr uint32_t kTicketBits = 30;
constexpr uint64_t kTicketMask = (1ull << kTicketBits) - 1;

uint64_t waiter_word(WaiterState state, uint64_t ticket, ActorId actor) {
  return static_cast<uint64_t>(state) << 61 | (ticket & kTicketMask) << 31 | actor;
}
WaiterState waiter_state(uint64_t word) {
  return static_cast<WaiterState>(word >> 61);
}
uint64_t ticket_of(uint64_t word) {
  return word >> 31 & kTicketMask;
}
ActorId actor_of(uint64_t word) {
  return static_cast<ActorId>(word & kActorMask);
}
// Tickets are compared modulo their range.
bool before(uint64_t a, uint64_t b) {
  return ((a - b) & kTicketMask) >> (kTicketBits - 1) != 0;
}

}  // namespace

Status Condition::create(const std::shared_ptr<Pool>& pool, uint32_t waiters,
                         std::unique_ptr<Condition>& out) {
  if (waiters < 1 || waiters > kConditionWaitersMax) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Condition> condition(new Condition());
  const uint64_t bytes = sizeof(ConditionHeader) + sizeof(Word64) * waiters;
  Status status = condition->begin_create(pool, HandleKind::kCondition, bytes);
  if (status != DRAGON_SUCCESS) return status;
  condition->shared().capacity.store(waiters);
  status = condition->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(condition);
  return status;
}

Status Condition::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                         bool adopt, RecordId& adopted, std::unique_ptr<Condition>& out) {
  std::unique_ptr<Condition> condition(new Condition());
  const Status status =
      condition->attach_to(node, HandleKind::kCondition, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(condition);
  return status;
}

Word64& Condition::word(uint32_t index) const {
  return reinterpret_cast<Word64*>(base() + sizeof(ConditionHeader))[index];
}

Status Condition::enter(Ticket& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const ActorId me = node().me().id;
  out.number = node().lot().new_ticket();
  const uint64_t mine = waiter_word(WaiterState::kWaiting, out.number, me);
  for (out.index = 0; out.index < capacity(); ++out.index) {
    const uint64_t found = word(out.index).load();
    if (found != 0 && !tidy(out.index)) continue;
    if (!word(out.index).replace(0, mine)) continue;
    pending_.push_back(out);
    return DRAGON_SUCCESS;
  }
  return DRAGON_FULL;
}

Status Condition::look(const Ticket& ticket) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const auto notified = [&] {
    return waiter_state(word(ticket.index).load()) == WaiterState::kNotified;
  };
  // Woken without a notify: perhaps since somebody died who had one, which then comes here.
  if (!notified()) tidy_all();
  return notified() ? leave(ticket, false) : DRAGON_WOULD_BLOCK;
}

Status Condition::leave(const Ticket& ticket, bool pass) {
  std::erase_if(pending_, [&](const Ticket& one) { return one.index == ticket.index; });
  if (base() == nullptr || node().closed()) return DRAGON_CLOSED;
  const ActorId me = node().me().id;
  const uint64_t waiting = waiter_word(WaiterState::kWaiting, ticket.number, me);
  if (word(ticket.index).replace(waiting, 0)) return DRAGON_WOULD_BLOCK;
  // As long as this actor lives nobody but a notifier changes its word. Passed on before the word
  // is free, so that it is not lost if this actor dies now.
  if (pass) notify_some(1);
  word(ticket.index).store(0);
  return DRAGON_SUCCESS;
}

Status Condition::wait(LockObject& lock, Deadline deadline) {
  if (closed() || lock.closed()) return DRAGON_CLOSED;
  if (!lock.locked()) return lock.destroyed() ? DRAGON_OBJECT_DESTROYED : DRAGON_NOT_OWNER;
  Ticket ticket;
  Status status = enter(ticket);
  if (status != DRAGON_SUCCESS) return status;
  status = lock.release();
  if (status != DRAGON_SUCCESS) {
    leave(ticket, true);
    return status;
  }
  status = wait_until(
      node().lot(), place(), deadline, true, [&] { return look(ticket); }, is_not_yet,
      ticket.number);
  if (status != DRAGON_SUCCESS && leave(ticket, false) == DRAGON_SUCCESS) status = DRAGON_SUCCESS;
  const Status acquired = lock.acquire(Deadline::never());
  const bool held = acquired == DRAGON_SUCCESS || acquired == DRAGON_OWNER_DIED;
  return held ? status : acquired;
}

Status Condition::notify(uint32_t count, uint32_t& notified) {
  notified = 0;
  const Status status = usable();
  if (status == DRAGON_SUCCESS) notified = notify_some(count);
  return status;
}

uint32_t Condition::notify_some(uint32_t count) {
  const uint32_t marked = mark(count);
  const WaitPlace waiting = place();
  if ((ParkingLot::waiters(*waiting.hint) & waiting.bit) == 0) return marked;
  for (uint32_t left = marked; left > 0 && node().lot().wake_one(waiting); --left) {
  }
  return marked;
}

// Notifies the first `count` of those that wait now.
uint32_t Condition::mark(uint32_t count) {
  struct Waiter {
    uint32_t index;
    uint64_t found;
  };
  std::vector<Waiter> waiters;
  for (uint32_t index = 0; index < capacity(); ++index) {
    const uint64_t found = word(index).load();
    if (waiter_state(found) != WaiterState::kWaiting) continue;
    if (node().actors().alive(actor_of(found))) waiters.push_back({index, found});
  }
  std::sort(waiters.begin(), waiters.end(), [](const Waiter& a, const Waiter& b) {
    return before(ticket_of(a.found), ticket_of(b.found));
  });
  uint32_t marked = 0;
  for (const Waiter& waiter : waiters) {
    if (marked == count) break;
    const uint64_t notified =
        waiter_word(WaiterState::kNotified, ticket_of(waiter.found), actor_of(waiter.found));
    if (word(waiter.index).replace(waiter.found, notified)) ++marked;
  }
  return marked;
}

// Frees the word of a dead waiter, after passing its notify on; false if it is in use.
bool Condition::tidy(uint32_t index) {
  const uint64_t found = word(index).load();
  if (found == 0) return true;
  if (node().actors().alive(actor_of(found))) return false;
  if (waiter_state(found) == WaiterState::kWaiting) return word(index).replace(found, 0);
  const uint64_t passing = waiter_word(WaiterState::kPassing, ticket_of(found), node().me().id);
  if (!word(index).replace(found, passing)) return false;
  notify_some(1);
  return word(index).replace(passing, 0);
}

void Condition::tidy_all() {
  for (uint32_t index = 0; index < capacity(); ++index) tidy(index);
}

uint32_t Condition::waiting() const {
  if (closed()) return 0;
  uint32_t count = 0;
  for (uint32_t index = 0; index < capacity(); ++index) {
    const uint64_t found = word(index).load();
    const bool waits = waiter_state(found) == WaiterState::kWaiting;
    if (waits && node().actors().alive(actor_of(found))) ++count;
  }
  return count;
}

void Condition::close() {
  while (!closed() && !pending_.empty()) leave(Ticket(pending_.back()), true);
  ManagedObject::close();
}

}  // namespace dragon
