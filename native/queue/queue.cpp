#include "queue/queue.h"

#include <string.h>

#include <algorithm>

namespace dragon {

namespace {

// Only an item that seems to be there is entered as taken: who waits for one has none in hand.
Status take(Channel& channel, TaskBoard& tasks, uint8_t* buffer, ReceivedMessage& out) {
  Status status = channel.try_poll(PollEvent::kIn);
  if (status == DRAGON_SUCCESS) status = tasks.begin();
  if (status != DRAGON_SUCCESS) return status;
  status = channel.try_receive(buffer, out);
  if (status != DRAGON_SUCCESS) tasks.end();
  return status;
}

}  // namespace

Status get_task(Channel& channel, TaskBoard& tasks, uint8_t* buffer, Deadline deadline,
                ReceivedMessage& out) {
  if (channel.closed()) return DRAGON_CLOSED;
  const Status status = wait_until(channel.node().lot(), channel.place(PollEvent::kIn), deadline,
                                   true, [&] { return take(channel, tasks, buffer, out); });
  return status == DRAGON_WOULD_BLOCK ? DRAGON_EMPTY : status;
}

Status look_at_tasks(Channel& channel, TaskBoard& tasks, bool probe) {
  const auto empty = [&] { return channel.try_poll(PollEvent::kEmpty) != DRAGON_WOULD_BLOCK; };
  return tasks.finished(probe, empty);
}

Status join_tasks(Channel& channel, TaskBoard& tasks, Deadline deadline) {
  if (tasks.closed()) return DRAGON_CLOSED;
  const uint64_t began = now_ns();
  return wait_until(tasks.node().lot(), tasks.place(), deadline, false, [&](SleepSteps& steps) {
    steps.next_ns = std::min(steps.next_ns, kHeldSleepNsMax);
    return look_at_tasks(channel, tasks, now_ns() - began >= kLivenessLookNs);
  });
}

Status Queue::create(const std::shared_ptr<Pool>& pool, const QueueOptions& options,
                     std::unique_ptr<Queue>& out) {
  std::unique_ptr<Queue> queue(new Queue());
  Status status = Channel::create(pool, options.channel, queue->channel_);
  if (status == DRAGON_SUCCESS && options.consumers != 0) {
    status = TaskBoard::create(pool, options.consumers, queue->tasks_);
  }
  if (status == DRAGON_SUCCESS) out = std::move(queue);
  return status;
}

Status Queue::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                     std::unique_ptr<Queue>& out) {
  if (length != kQueueHandleBytes) return DRAGON_BAD_HANDLE;
  std::unique_ptr<Queue> queue(new Queue());
  RecordId adopted = 0;
  Status status = Channel::attach(node, handle, kHandleBytes, false, adopted, queue->channel_);
  const uint8_t* tasks = handle + kHandleBytes;
  const bool counts = std::any_of(tasks, tasks + kHandleBytes, [](uint8_t byte) { return byte; });
  if (status == DRAGON_SUCCESS && counts) {
    status = TaskBoard::attach(node, tasks, kHandleBytes, false, adopted, queue->tasks_);
  }
  if (status == DRAGON_SUCCESS) out = std::move(queue);
  return status;
}

void Queue::serialize(QueueHandle& out) const {
  HandleBytes part;
  ::memset(out, 0, sizeof(out));
  channel_->serialize(part);
  ::memcpy(out, part, sizeof(part));
  if (tasks_ == nullptr) return;
  tasks_->serialize(part);
  ::memcpy(out + sizeof(part), part, sizeof(part));
}

Status Queue::put(const iovec* parts, size_t count, uint64_t hints, Deadline deadline) {
  return channel_->send(parts, count, hints, deadline);
}

Status Queue::get(uint8_t* buffer, Deadline deadline, ReceivedMessage& out) {
  return tasks_ == nullptr ? channel_->receive(buffer, deadline, out)
                           : get_task(*channel_, *tasks_, buffer, deadline, out);
}

Status Queue::task_done() {
  return tasks_ == nullptr ? DRAGON_NOT_SUPPORTED : tasks_->end();
}

Status Queue::join(Deadline deadline) {
  return tasks_ == nullptr ? DRAGON_NOT_SUPPORTED : join_tasks(*channel_, *tasks_, deadline);
}

void Queue::forget_lost() {
  if (tasks_ != nullptr) tasks_->forget_lost();
}

// The board first: who joins must not take the end of the channel for an empty one.
Status Queue::destroy() {
  if (tasks_ != nullptr && !channel_->remote()) tasks_->destroy();
  return channel_->destroy();
}

}  // namespace dragon
