#include "proof/cases.h"

#include <unistd.h>

#include "proof/audit.h"
#include "proof/journal.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kLengths[] = {20, 400, 64};
constexpr uint32_t kBlockBytes = 64;

void must(Status status) {
  if (status != DRAGON_SUCCESS) ::_exit(100 + static_cast<int>(status));
}

void attach_node(const Scene& scene, Victim& victim) {
  NodeOptions options;
  options.bell = false;
  must(Node::attach_local(scene.node, options, victim.node));
}

void attach_all(const Scene& scene, Victim& victim) {
  attach_node(scene, victim);
  RecordId record = 0;
  must(Pool::attach(victim.node, scene.handles.pool, kHandleBytes, victim.pool));
  must(Channel::attach(victim.node, scene.handles.channels[0], kHandleBytes, false, record,
                       victim.channel));
  must(LockObject::attach(victim.node, scene.handles.locks[0], kHandleBytes, false, record,
                          victim.lock));
}

void attach_and_allocate(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.pool->try_allocate(500, AllocationType::kData, victim.allocation));
  fill_pattern(victim.allocation.data, 500, message_id(1, 1));
}

void attach_and_lock(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.lock->try_acquire());
}

void attach_and_open(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.channel->open_handle(Role::kSender, victim.record));
}

void attach_and_lend(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.channel->lend(Role::kSender, victim.lent));
}

void attach_and_create(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(Channel::create(victim.pool, {}, victim.other));
}

void attach_meetings(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.meetings.attach(victim.node, scene.handles));
}

void attach_and_take(const Scene& scene, Victim& victim) {
  attach_meetings(scene, victim);
  uint64_t before = 0;
  must(victim.meetings.semaphore->try_acquire(before));
}

void publish(const Scene&, Victim& victim) {
  const uint8_t data[kRoundBytes] = {2};
  uint64_t round = 0;
  uint32_t woken = 0;
  must(victim.meetings.broadcast->try_publish(data, kRoundBytes, round, woken));
}

void meet(const Scene&, Victim& victim) {
  Barrier::Arrival arrival;
  victim.meetings.barrier->arrive(arrival);
  victim.meetings.barrier->give_up(arrival);
}

void wait_at_condition(const Scene&, Victim& victim) {
  Condition::Ticket ticket;
  uint32_t notified = 0;
  must(victim.meetings.condition->enter(ticket));
  must(victim.meetings.condition->notify(1, notified));
  must(victim.meetings.condition->leave(ticket, true));
}

void send(Victim& victim, uint64_t bytes) {
  uint8_t content[1'000];
  const uint64_t id = message_id(1, 1);
  fill_pattern(content, bytes, id);
  const iovec part{content, bytes};
  must(victim.channel->try_send(&part, 1, id));
}

void receive(const Scene&, Victim& victim) {
  uint8_t buffer[kBlockBytes];
  ReceivedMessage message;
  must(victim.channel->try_receive(buffer, message));
}

// The messages in the channel are `first`.. of the watcher, and perhaps the victim's at the end.
std::string read_channel(Scene& scene, uint32_t first, bool sent) {
  Channel& channel = *scene.channels[0];
  uint8_t buffer[kBlockBytes];
  const uint32_t count = kWaiting - first + (sent ? 1 : 0);
  for (uint32_t i = 0; i < count; ++i) {
    ReceivedMessage message;
    const Status status = channel.try_receive(buffer, message);
    if (status != DRAGON_SUCCESS) return fault_of("a receive of what was sent", status);
    const bool last = sent && i == count - 1;
    const uint64_t id = last ? message_id(1, 1) : message_id(0, first + i);
    if (message.hints != id) return "another message than was sent";
    if (!has_pattern(message.data, message.bytes, id)) return "other bytes than were sent";
    if (message.allocation != 0) scene.pool->free(message.allocation);
  }
  ReceivedMessage message;
  const Status status = channel.try_receive(buffer, message);
  return status == DRAGON_EMPTY ? "" : fault_of("a receive after the last message", status);
}

const std::vector<Case> all_cases = {
    {"allocate", attach_all,
     [](const Scene&, Victim& v) {
       must(v.pool->try_allocate(3'000, AllocationType::kData, v.allocation));
     },
     Effect::kNone},
    {"free", attach_and_allocate,
     [](const Scene&, Victim& v) { must(v.pool->free(v.allocation.id)); }, Effect::kNone},
    {"send", attach_all, [](const Scene&, Victim& v) { send(v, 50); }, Effect::kSends},
    {"send-large", attach_all, [](const Scene&, Victim& v) { send(v, 700); }, Effect::kSends},
    {"send-allocation", attach_and_allocate,
     [](const Scene&, Victim& v) {
       must(v.channel->try_send_allocation(v.allocation.id, message_id(1, 1)));
     },
     Effect::kSends},
    {"receive", attach_all, receive, Effect::kReceives},
    {"receive-large",
     [](const Scene& scene, Victim& v) {
       attach_all(scene, v);
       receive(scene, v);
     },
     receive, Effect::kReceives},
    {"lock", attach_all, [](const Scene&, Victim& v) { must(v.lock->try_acquire()); },
     Effect::kLocks},
    {"unlock", attach_and_lock, [](const Scene&, Victim& v) { must(v.lock->release()); },
     Effect::kUnlocks},
    {"attach-node", [](const Scene&, Victim&) {}, attach_node, Effect::kNone},
    {"attach", attach_node,
     [](const Scene& scene, Victim& v) {
       RecordId record = 0;
       must(Channel::attach(v.node, scene.handles.channels[0], kHandleBytes, false, record,
                            v.channel));
     },
     Effect::kNone},
    {"detach", attach_all, [](const Scene&, Victim& v) { v.channel.reset(); }, Effect::kNone},
    {"open-handle", attach_all,
     [](const Scene&, Victim& v) { must(v.channel->open_handle(Role::kSender, v.record)); },
     Effect::kNone},
    {"close-handle", attach_and_open,
     [](const Scene&, Victim& v) { v.channel->close_handle(v.record); }, Effect::kNone},
    {"lend", attach_all,
     [](const Scene&, Victim& v) { must(v.channel->lend(Role::kSender, v.lent)); }, Effect::kNone},
    {"adopt", attach_and_lend,
     [](const Scene&, Victim& v) {
       RecordId record = 0;
       must(Channel::attach(v.node, v.lent, kHandleBytes, true, record, v.other));
     },
     Effect::kNone},
    {"create", attach_all,
     [](const Scene&, Victim& v) { must(Channel::create(v.pool, {}, v.other)); }, Effect::kNone},
    {"destroy", attach_and_create, [](const Scene&, Victim& v) { v.other.reset(); }, Effect::kNone},
    {"take-permit", attach_meetings,
     [](const Scene&, Victim& v) {
       uint64_t before = 0;
       must(v.meetings.semaphore->try_acquire(before));
     },
     Effect::kNone},
    {"give-permit", attach_and_take,
     [](const Scene&, Victim& v) { must(v.meetings.semaphore->release(1)); }, Effect::kNone},
    {"set-event", attach_meetings, [](const Scene&, Victim& v) { must(v.meetings.event->set()); },
     Effect::kNone},
    {"publish", attach_meetings, publish, Effect::kNone},
    {"meet", attach_meetings, meet, Effect::kNone},
    {"condition", attach_meetings, wait_at_condition, Effect::kNone},
    {"leave", attach_and_allocate, [](const Scene&, Victim& v) { leave(v.node); }, Effect::kNone},
};

}  // namespace

RunPlan plan_of_cases() {
  RunPlan plan;
  plan.limit_bytes = 64ull << 10;
  plan.channels.push_back({20, kBlockBytes, 0});
  return plan;
}

std::string fill(Scene& scene) {
  uint8_t content[1'000];
  for (uint32_t i = 0; i < kWaiting; ++i) {
    const uint64_t id = message_id(0, i);
    fill_pattern(content, kLengths[i], id);
    const iovec part{content, kLengths[i]};
    const Status status = scene.channels[0]->try_send(&part, 1, id);
    if (status != DRAGON_SUCCESS) return fault_of("a send", status);
  }
  return "";
}

const std::vector<Case>& cases() {
  return all_cases;
}

Verdict judge_left(Scene& scene, Effect effect) {
  Verdict verdict;
  LockObject& lock = *scene.locks[0];
  verdict.fault = audit(scene);
  if (!verdict.fault.empty()) return verdict;
  // `receive-large` has received one message before.
  const uint64_t left = scene.channels[0]->message_count();
  const bool sent = left > kWaiting;
  verdict.happened = effect == Effect::kNone || sent;
  verdict.fault = read_channel(scene, left < kWaiting ? kWaiting - left : 0, sent);
  if (!verdict.fault.empty()) return verdict;
  if (effect == Effect::kReceives) verdict.happened = left < kWaiting;
  if (effect == Effect::kLocks || effect == Effect::kUnlocks) {
    const Status status = lock.try_acquire();
    if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) {
      verdict.fault = fault_of("an acquire after the death", status);
      return verdict;
    }
    // The lock knows that its holder died, unless it was not held then.
    verdict.happened = (status == DRAGON_OWNER_DIED) == (effect == Effect::kLocks);
    lock.release();
  }
  verdict.fault = audit_use(scene);
  return verdict;
}

SteppedCall call_of(const Case& of, const Scene& scene, Victim& victim) {
  return {[&] { of.prepare(scene, victim); }, [&] { of.body(scene, victim); }};
}

}  // namespace dragon::proof
