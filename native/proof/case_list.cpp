// The calls that are stepped through.
#include <string.h>
#include <unistd.h>

#include "event/channel_set.h"
#include "proof/cases.h"
#include "proof/received.h"

namespace dragon::proof {

namespace {

constexpr uint32_t kBeforeGrowth = 4;
constexpr uint32_t kHolders = 3;

void must(Status status) {
  if (status != DRAGON_SUCCESS) ::_exit(100 + static_cast<int>(status));
}

void attach_node(const Scene& scene, Victim& victim) {
  NodeOptions options;
  options.bell = false;
  must(Node::attach_local(scene.node, options, victim.node));
}

std::unique_ptr<Channel> attach_channel(const Scene& scene, const Victim& victim) {
  std::unique_ptr<Channel> channel;
  RecordId record = 0;
  must(Channel::attach(victim.node, scene.handles.channels[0], kHandleBytes, false, record,
                       channel));
  return channel;
}

void attach_all(const Scene& scene, Victim& victim) {
  attach_node(scene, victim);
  RecordId record = 0;
  must(Pool::attach(victim.node, scene.handles.pool, kHandleBytes, victim.pool));
  victim.channel = attach_channel(scene, victim);
  must(LockObject::attach(victim.node, scene.handles.locks[0], kHandleBytes, false, record,
                          victim.lock));
}

void attach_and_allocate(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  must(victim.pool->try_allocate(500, AllocationType::kData, victim.allocation));
  fill_pattern(victim.allocation.data, 500, message_id(1, 1));
}

void share(const Scene&, Victim& victim) {
  must(victim.pool->share(victim.allocation.id, kHolders, victim.allocation.id));
}

void share_again(const Scene&, Victim& victim) {
  must(victim.pool->share_again(victim.allocation.id, victim.further));
}

void attach_and_share(const Scene& scene, Victim& victim) {
  attach_and_allocate(scene, victim);
  share(scene, victim);
}

void attach_and_share_again(const Scene& scene, Victim& victim) {
  attach_and_share(scene, victim);
  share_again(scene, victim);
}

void send_share(const Scene&, Victim& victim) {
  must(victim.channel->try_send_allocation(victim.further, message_id(1, 1)));
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

// As many messages as the first ring holds before it grows.
void attach_and_send(const Scene& scene, Victim& victim) {
  attach_all(scene, victim);
  for (uint32_t number = 1; number <= kBeforeGrowth; ++number) {
    uint8_t content[50];
    fill_pattern(content, sizeof(content), message_id(1, number));
    const iovec part{content, sizeof(content)};
    must(victim.channel->try_send(&part, 1, message_id(1, number)));
  }
}

// With a doorbell, as a poll of a set needs one.
void attach_and_watch(const Scene& scene, Victim& victim) {
  must(Node::attach_local(scene.node, {}, victim.node));
  victim.channel = attach_channel(scene, victim);
}

void attach_and_put(const Scene& scene, Victim& victim) {
  attach_meetings(scene, victim);
  must(victim.meetings.queue->put(nullptr, 0, 1, Deadline::once()));
}

void attach_and_read(const Scene& scene, Victim& victim) {
  attach_meetings(scene, victim);
  must(victim.meetings.rw_lock->try_read());
}

void attach_and_write(const Scene& scene, Victim& victim) {
  attach_meetings(scene, victim);
  must(victim.meetings.rw_lock->try_write());
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
  uint8_t buffer[kBlockBytesOfCases];
  ReceivedMessage message;
  must(victim.channel->try_receive(buffer, message));
}

void send_many(const Scene&, Victim& victim) {
  uint8_t contents[2][600];
  iovec parts[2];
  for (uint32_t i = 0; i < 2; ++i) {
    const uint64_t id = message_id(1, i + 1);
    const uint64_t bytes = i == 0 ? 30 : sizeof(contents[0]);
    ::memcpy(contents[i], &id, kNumberBytes);
    fill_pattern(contents[i] + kNumberBytes, bytes - kNumberBytes, id);
    parts[i] = {contents[i], bytes};
  }
  size_t sent = 0;
  must(victim.channel->try_send_many(parts, 2, kHintsOfMany, sent));
}

void receive_many(const Scene&, Victim& victim) {
  uint8_t blocks[kWaiting * kBlockBytesOfCases];
  ReceivedMessage messages[kWaiting];
  size_t got = 0;
  must(victim.channel->try_receive_many(blocks, kWaiting, messages, got));
}

// Nobody receives it.
void await_receipt(Victim& victim, uint64_t bytes) {
  uint8_t content[1'000];
  const uint64_t id = message_id(1, 1);
  fill_pattern(content, bytes, id);
  const iovec part{content, bytes};
  const Status status =
      victim.channel->send(&part, 1, id, Deadline::after_ns(1), ReturnMode::kWhenReceived);
  if (status != DRAGON_TIMEOUT) must(DRAGON_STATE);
}

void await_receipt_of_allocation(const Scene&, Victim& victim) {
  const Status status = victim.channel->send_allocation(
      victim.allocation.id, message_id(1, 1), Deadline::once(), ReturnMode::kWhenReceived);
  if (status != DRAGON_WOULD_BLOCK) must(DRAGON_STATE);
  must(victim.pool->free(victim.allocation.id));
}

void receive_into(Victim& victim, uint64_t allocation) {
  ReceivedMessage message;
  must(victim.channel->try_receive_into(*victim.pool, allocation, message));
}

// Behind the messages that wait, which it takes too.
void attach_and_send_share(const Scene& scene, Victim& victim) {
  attach_and_share_again(scene, victim);
  send_share(scene, victim);
  for (uint32_t i = 0; i < kWaiting; ++i) must(victim.channel->try_pop());
}

void receive_share(const Scene&, Victim& victim) {
  uint8_t buffer[kBlockBytesOfCases];
  ReceivedMessage message;
  must(victim.channel->try_receive(buffer, message));
  must(victim.pool->free(message.allocation));
}

void use_views(const Scene&, Victim& victim) {
  MemoryView all;
  MemoryView part;
  MemoryView copy;
  must(MemoryView::of(victim.pool, victim.allocation.id, all));
  must(all.clone(100, 300, part));
  must(part.copy_to(victim.pool, Deadline::once(), copy));
  must(copy.resize(1'000));
  must(copy.free());
}

void finish_item(const Scene&, Victim& victim) {
  uint8_t buffer[256];
  ReceivedMessage item;
  must(victim.meetings.queue->get(buffer, Deadline::once(), item));
  must(victim.meetings.queue->task_done());
}

// It stands in the channel's queue and finds that nothing comes.
void watch(const Scene&, Victim& victim) {
  ChannelSet set(victim.node);
  uint32_t member = 0;
  must(set.add(victim.channel, kSetFull, member));
  ChannelSet::Ready ready;
  if (set.poll(Deadline::after_ns(1), ready) != DRAGON_TIMEOUT) must(DRAGON_STATE);
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
     [](const Scene& scene, Victim& v) { v.channel = attach_channel(scene, v); }, Effect::kNone},
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
    {"send-many", attach_all, send_many, Effect::kSends},
    {"receive-many", attach_all, receive_many, Effect::kReceives},
    {"send-grow", attach_and_send,
     [](const Scene&, Victim& v) {
       const uint64_t id = message_id(1, kBeforeGrowth + 1);
       must(v.channel->try_send(nullptr, 0, id));
     },
     Effect::kSends},
    {"send-lent", attach_and_allocate,
     [](const Scene&, Victim& v) {
       must(v.channel->try_send_allocation(v.allocation.id, message_id(1, 1), true));
     },
     Effect::kSendsLent},
    {"await-receipt", attach_all, [](const Scene&, Victim& v) { await_receipt(v, 50); },
     Effect::kNone},
    {"await-large", attach_all, [](const Scene&, Victim& v) { await_receipt(v, 700); },
     Effect::kNone},
    {"await-allocation", attach_and_allocate, await_receipt_of_allocation, Effect::kNone},
    {"receive-into", attach_and_allocate,
     [](const Scene&, Victim& v) { receive_into(v, v.allocation.id); }, Effect::kReceives},
    {"receive-new", attach_all, [](const Scene&, Victim& v) { receive_into(v, 0); },
     Effect::kReceives},
    {"pop", attach_all, [](const Scene&, Victim& v) { must(v.channel->try_pop()); },
     Effect::kReceives},
    {"reset", attach_all, [](const Scene&, Victim& v) { must(v.channel->reset()); },
     Effect::kReceives},
    {"get-item", attach_and_put, finish_item, Effect::kNone},
    {"watch", attach_and_watch, watch, Effect::kNone},
    {"read", attach_meetings, [](const Scene&, Victim& v) { must(v.meetings.rw_lock->try_read()); },
     Effect::kNone},
    {"end-read", attach_and_read,
     [](const Scene&, Victim& v) { must(v.meetings.rw_lock->end_read()); }, Effect::kNone},
    {"write", attach_meetings,
     [](const Scene&, Victim& v) { must(v.meetings.rw_lock->try_write()); }, Effect::kWrites},
    {"end-write", attach_and_write,
     [](const Scene&, Victim& v) { must(v.meetings.rw_lock->end_write()); }, Effect::kEndsWrite},
    {"shrink", attach_and_allocate,
     [](const Scene&, Victim& v) { must(v.pool->resize(v.allocation.id, 100)); }, Effect::kNone},
    {"grow", attach_and_allocate,
     [](const Scene&, Victim& v) { must(v.pool->resize(v.allocation.id, 2'000)); }, Effect::kNone},
    {"views", attach_and_allocate, use_views, Effect::kNone},
    {"share", attach_and_allocate, share, Effect::kNone},
    {"share-again", attach_and_share, share_again, Effect::kNone},
    {"send-share", attach_and_share_again, send_share, Effect::kSends},
    {"receive-share", attach_and_send_share, receive_share, Effect::kNone},
    {"copy-share", attach_and_send_share, [](const Scene&, Victim& v) { receive_into(v, 0); },
     Effect::kNone},
    {"free-share", attach_and_share_again,
     [](const Scene&, Victim& v) { must(v.pool->free(v.further)); }, Effect::kNone},
    {"free-last-share", attach_and_share,
     [](const Scene&, Victim& v) { must(v.pool->free(v.allocation.id)); }, Effect::kNone},
    {"leave-sharing", attach_and_share_again, [](const Scene&, Victim& v) { leave(v.node); },
     Effect::kNone},
    {"put-item", attach_meetings,
     [](const Scene&, Victim& v) {
       const uint8_t content[] = {1, 2, 3};
       const iovec part{const_cast<uint8_t*>(content), sizeof(content)};
       must(v.meetings.queue->put(&part, 1, 1, Deadline::once()));
     },
     Effect::kNone},
    {"join", attach_and_put,
     [](const Scene&, Victim& v) {
       if (v.meetings.queue->join(Deadline::after_ns(1)) != DRAGON_TIMEOUT) must(DRAGON_STATE);
     },
     Effect::kNone},
    {"leave", attach_and_allocate, [](const Scene&, Victim& v) { leave(v.node); }, Effect::kNone},
};

}  // namespace

const std::vector<Case>& cases() {
  return all_cases;
}

}  // namespace dragon::proof
