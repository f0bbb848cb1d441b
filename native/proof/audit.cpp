#include "proof/audit.h"

#include <set>
#include <vector>

#include "event/channel_set.h"

namespace dragon::proof {

namespace {

std::string audit_structures(Scene& scene) {
  std::string fault = scene.pool->audit();
  if (!fault.empty()) return "pool: " + fault;
  if (scene.payloads != nullptr) fault = scene.payloads->audit();
  if (!fault.empty()) return "pool of payloads: " + fault;
  for (size_t i = 0; i < scene.channels.size(); ++i) {
    fault = scene.channels[i]->audit();
    if (!fault.empty()) return "channel " + std::to_string(i) + ": " + fault;
  }
  fault = scene.node->lot().audit();
  return fault.empty() ? "" : "parking lot: " + fault;
}

// The queue's counts are an object of their own.
uint64_t board_of(const Scene& scene) {
  Handle board;
  const Status status = decode_handle_for(scene.node->identity(), HandleKind::kTaskBoard,
                                          scene.handles.queue + kHandleBytes, kHandleBytes, board);
  return status == DRAGON_SUCCESS ? board.allocation : 0;
}

std::set<uint64_t> objects_of(const Scene& scene) {
  std::set<uint64_t> objects = {scene.counter->id()};
  for (const auto& channel : scene.channels) objects.insert(channel->id());
  for (const auto& lock : scene.locks) objects.insert(lock->id());
  const Meetings& meetings = scene.meetings;
  objects.insert({meetings.semaphore->id(), meetings.barrier->id(), meetings.event->id(),
                  meetings.broadcast->id(), meetings.condition->id(), meetings.rw_lock->id(),
                  meetings.queue->channel().id(), board_of(scene)});
  return objects;
}

// Hubs and bytes are reached through the shares that are left, and through nothing else.
void add_shared(const Pool& pool, std::set<uint64_t>& objects) {
  AllocationInfo share;
  AllocationInfo hub;
  for (uint32_t index = 1; (index = pool.next_allocation(index, share)) != 0;) {
    if (share.type != AllocationType::kShare) continue;
    if (pool.find(share.tag, hub) == DRAGON_SUCCESS) objects.insert({share.tag, hub.tag});
  }
}

std::string audit_owners(Scene& scene, Pool& pool, bool others) {
  std::set<uint64_t> objects = objects_of(scene);
  add_shared(pool, objects);
  AllocationInfo info;
  for (uint32_t index = 1; (index = pool.next_allocation(index, info)) != 0;) {
    const std::string which = "allocation " + std::to_string(index - 1) + " of " +
                              std::to_string(info.allocation.bytes) + " bytes";
    if ((info.owner & kOwnerMessage) != 0) continue;  // the drain must find its message
    if (info.owner == kOwnerObject) {
      const bool part = info.type == AllocationType::kChunk;
      const bool known = objects.count(part ? info.tag : info.allocation.id) == 1;
      if (!known && !others) return which + " belongs to an object that nobody can reach";
      continue;
    }
    const auto owner = static_cast<ActorId>(info.owner);
    if (!scene.node->actors().alive(owner)) return which + " belongs to a dead actor";
    if (!others) return which + " belongs to an actor that has left";
  }
  return "";
}

std::string audit_records(Scene& scene, bool others) {
  RecordArea& records = scene.node->records();
  const ActorId me = scene.node->me().id;
  for (uint32_t index = 1; index < records.committed(); ++index) {
    const auto owner = static_cast<ActorId>(records.at(index).owner.load());
    if (owner == 0 || owner == me) continue;
    const bool alive = scene.node->actors().alive(owner);
    if (alive && others) continue;
    return "record " + std::to_string(index) + " of type " +
           std::to_string(records.at(index).type.load()) + " belongs to " +
           (alive ? "an actor that has left" : "a dead actor");
  }
  ActorInfo info;
  for (uint32_t slot = 0; scene.node->actors().info(slot, info); ++slot) {
    if (info.state == ActorState::kFree || info.id == me) continue;
    if (info.state == ActorState::kLive && others) continue;
    return "actor slot " + std::to_string(slot) + " is not free";
  }
  return "";
}

// What a set must say of a channel at which nobody is.
uint32_t events_of(Channel& channel) {
  const ChannelInfo info = channel.info();
  const auto ended = [&](Role role) {
    return info.end_of_stream && channel.ever(role) && channel.count(role) == 0;
  };
  uint32_t events = 0;
  if (info.messages > 0 || ended(Role::kSender)) events |= kSetIn;
  if (info.free > 0 || ended(Role::kReceiver)) events |= kSetOut;
  if (info.messages == 0) events |= kSetEmpty;
  if (info.free == 0) events |= kSetFull;
  return events;
}

// Each channel is ready for something, so as many polls as there are members tell all.
std::string audit_set(Scene& scene) {
  ChannelSet set(scene.node);
  std::vector<uint32_t> members;
  for (const auto& channel : scene.channels) {
    if (set.add(channel, kSetEvents, members.emplace_back()) != DRAGON_SUCCESS) {
      return "a channel does not go into a set";
    }
  }
  for (size_t i = 0; i < scene.channels.size(); ++i) {
    ChannelSet::Ready ready;
    const Status status = set.try_poll(ready);
    if (status != DRAGON_SUCCESS) return fault_of("a poll of a set", status);
    const uint32_t expected = events_of(*scene.channels[i]);
    if (ready.member != members[i] || ready.events != expected) {
      return "a set says " + std::to_string(ready.events) + " of channel " + std::to_string(i) +
             ", which is " + std::to_string(expected);
    }
  }
  return "";
}

std::string use_rw_lock(RwLock& lock) {
  // It may be kept for a millisecond for a waiter that has gone.
  const auto entered = [](Status status) {
    return status == DRAGON_SUCCESS || status == DRAGON_OWNER_DIED;
  };
  Status status = lock.write(Deadline::after_ms(5'000));
  if (!entered(status)) return fault_of("an acquire of a free lock as a writer", status);
  status = lock.try_read();
  if (status != DRAGON_WOULD_BLOCK) return fault_of("a read beside a writer", status);
  if (lock.end_write() != DRAGON_SUCCESS) return "a writer that was put out";
  status = lock.read(Deadline::after_ms(5'000));
  if (status != DRAGON_SUCCESS) return fault_of("an acquire of a free lock as a reader", status);
  if (lock.readers() != 1) return "a lock that counts readers that have gone";
  return lock.end_read() == DRAGON_SUCCESS ? "" : "a reader that was put out";
}

std::string use_queue(Queue& queue) {
  ReceivedMessage item;
  std::vector<uint8_t> buffer(queue.channel().block_bytes());
  while (queue.get(buffer.data(), Deadline::once(), item) == DRAGON_SUCCESS) {
    Channel::release(item);
    queue.task_done();
  }
  // Items that went down with somebody are lost when a join has found them so.
  Status status = queue.join(Deadline::once());
  if (status == DRAGON_OWNER_DIED) queue.forget_lost();
  status = queue.put(nullptr, 0, 0, Deadline::once());
  if (status == DRAGON_SUCCESS) status = queue.get(buffer.data(), Deadline::once(), item);
  if (status != DRAGON_SUCCESS) return fault_of("an item of a queue", status);
  status = queue.join(Deadline::once());
  if (status != DRAGON_WOULD_BLOCK) return fault_of("a join with an item in hand", status);
  status = queue.task_done();
  if (status == DRAGON_SUCCESS) status = queue.join(Deadline::once());
  return status == DRAGON_SUCCESS ? "" : fault_of("a join of a queue", status);
}

std::string use_meetings(Meetings& meetings) {
  uint64_t before = 0;
  if (meetings.semaphore->release(1) != DRAGON_SUCCESS) return "a release of a semaphore failed";
  Status status = meetings.semaphore->acquire(Deadline::after_ms(5'000), before);
  if (status != DRAGON_SUCCESS) return fault_of("an acquire of a permit", status);
  Barrier::Arrival arrival;
  status = meetings.barrier->reset();
  if (status == DRAGON_SUCCESS) status = meetings.barrier->arrive(arrival);
  if (status != DRAGON_WOULD_BLOCK) return fault_of("the first arrival at a barrier", status);
  if (arrival.index != 0) return "a fresh barrier at which somebody has arrived";
  meetings.barrier->give_up(arrival);
  meetings.event->set();
  status = meetings.event->try_wait(meetings.event->times_set());
  if (status != DRAGON_SUCCESS) return fault_of("a wait for an event that is set", status);
  uint32_t count = 0;
  uint64_t round = 0;
  const uint8_t data[kRoundBytes] = {1};
  uint8_t copy[kRoundBytes] = {};
  BroadcastRound read;
  status = meetings.broadcast->try_publish(data, kRoundBytes, round, count);
  if (status == DRAGON_SUCCESS) status = meetings.broadcast->try_read(round, copy, read);
  if (status != DRAGON_SUCCESS) return fault_of("a round of a broadcast", status);
  if (copy[0] != 1) return "another round than was published";
  status = meetings.condition->notify(UINT32_MAX, count);
  if (status != DRAGON_SUCCESS) return fault_of("a notify", status);
  if (count != 0) return "a condition at which somebody waits who has gone";
  const std::string fault = use_rw_lock(*meetings.rw_lock);
  return fault.empty() ? use_queue(*meetings.queue) : fault;
}

std::string fill_and_drain(Channel& channel) {
  std::vector<uint8_t> buffer(channel.block_bytes() + 1);
  uint8_t byte = 1;
  const iovec part{&byte, channel.block_bytes() == 0 ? 0u : 1u};
  uint32_t sent = 0;
  Status status = DRAGON_SUCCESS;
  while (sent <= channel.capacity() && status == DRAGON_SUCCESS) {
    status = channel.try_send(&part, 1, sent);
    if (status == DRAGON_SUCCESS) ++sent;
  }
  if (status != DRAGON_FULL) return fault_of("a send into a full channel", status);
  if (sent > channel.capacity() || sent == 0) return "a channel that holds another number";
  for (uint32_t i = 0; i < sent; ++i) {
    ReceivedMessage message;
    status = channel.try_receive(buffer.data(), message);
    if (status != DRAGON_SUCCESS) return fault_of("a receive from a full channel", status);
    if (message.hints != i) return "messages in another order";
  }
  ReceivedMessage message;
  status = channel.try_receive(buffer.data(), message);
  return status == DRAGON_EMPTY ? "" : fault_of("a receive from an empty channel", status);
}

// With both ends open; then without either.
std::string use_channel(Channel& channel) {
  RecordId ends[2] = {};
  channel.open_handle(Role::kSender, ends[0]);
  channel.open_handle(Role::kReceiver, ends[1]);
  const std::string fault = fill_and_drain(channel);
  for (const RecordId end : ends) channel.close_handle(end);
  if (!fault.empty() || !channel.info().end_of_stream) return fault;
  ReceivedMessage message;
  uint8_t buffer[kChannelBlockBytesMax];
  Status status = channel.try_receive(buffer, message);
  if (status != DRAGON_EOF) return fault_of("a receive after the last sender", status);
  status = channel.try_send(nullptr, 0, 0);
  return status == DRAGON_BROKEN_PIPE ? "" : fault_of("a send after the last receiver", status);
}

}  // namespace

std::string audit(Scene& scene, bool others) {
  std::string fault = audit_structures(scene);
  if (fault.empty()) fault = audit_owners(scene, *scene.pool, others);
  if (fault.empty() && scene.payloads != nullptr) {
    fault = audit_owners(scene, *scene.payloads, others);
  }
  if (fault.empty()) fault = audit_records(scene, others);
  if (!fault.empty() || others) return fault;
  for (const auto& channel : scene.channels) {
    if (channel->senders() != 0) return "a channel counts senders that have gone";
    if (channel->receivers() != 0) return "a channel counts receivers that have gone";
  }
  for (const auto& lock : scene.locks) {
    if (lock->locked()) return "a lock is held by somebody who has gone";
  }
  return audit_set(scene);
}

std::string audit_use(Scene& scene) {
  for (const auto& channel : scene.channels) {
    std::string fault = use_channel(*channel);
    if (!fault.empty()) return fault;
  }
  for (const auto& lock : scene.locks) {
    // It may be kept for a millisecond for a waiter that has gone.
    const Status status = lock->acquire(Deadline::after_ms(5'000));
    if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) {
      return fault_of("an acquire of a free lock", status);
    }
    if (lock->release() != DRAGON_SUCCESS) return "a release of a held lock failed";
  }
  const std::string fault = use_meetings(scene.meetings);
  if (!fault.empty()) return fault;
  Allocation block;
  const Status status = scene.pool->try_allocate(3'000, AllocationType::kData, block);
  if (status != DRAGON_SUCCESS) return fault_of("an allocation", status);
  scene.pool->free(block.id);
  return audit(scene);
}

std::string audit_empty(Pool& pool) {
  std::string fault = pool.audit();
  if (!fault.empty()) return "pool: " + fault;
  const PoolStats stats = pool.stats();
  if (stats.allocations != 0 || stats.used_bytes != 0) {
    return std::to_string(stats.allocations) + " allocations of " +
           std::to_string(stats.used_bytes) + " bytes are left";
  }
  // The largest request that could fit does.
  Allocation all;
  const Status status = pool.try_allocate(stats.limit_bytes, AllocationType::kData, all);
  if (status != DRAGON_SUCCESS) return fault_of("an allocation of the whole pool", status);
  return pool.free(all.id) == DRAGON_SUCCESS ? "" : "a free failed";
}

}  // namespace dragon::proof
