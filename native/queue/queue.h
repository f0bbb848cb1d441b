// Queues: a channel for native programs, whose tasks can be counted until they are finished.
//
// Goals: put and get are the channel's; a join tells when every item that was put has been taken
// and declared done, and ends with an error if one of them went down with its consumer.
// Non-goals: typed items. Bytes in, bytes out; who has types encodes them.
#pragma once

#include <cstdint>
#include <memory>

#include "channel/channel.h"
#include "queue/task_board.h"

namespace dragon {

struct QueueOptions {
  ChannelOptions channel;
  // Actors that may have taken items that are not done yet, at the same time. 0: items are not
  // counted, and there is no join.
  uint32_t consumers = 0;
};

constexpr size_t kQueueHandleBytes = 2 * kHandleBytes;
using QueueHandle = uint8_t[kQueueHandleBytes];

// The two parts of a queue that counts its items, for who holds each by itself: as `Queue::get`, as
// `Queue::join`, and one look of a join.
Status get_task(Channel& channel, TaskBoard& tasks, uint8_t* buffer, Deadline deadline,
                ReceivedMessage& out);
Status join_tasks(Channel& channel, TaskBoard& tasks, Deadline deadline);
Status look_at_tasks(Channel& channel, TaskBoard& tasks, bool probe);

class Queue {
 public:
  static Status create(const std::shared_ptr<Pool>& pool, const QueueOptions& options,
                       std::unique_ptr<Queue>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       std::unique_ptr<Queue>& out);
  // The second half is zero if items are not counted.
  void serialize(QueueHandle& out) const;

  // As Channel::send.
  Status put(const iovec* parts, size_t count, uint64_t hints, Deadline deadline);
  // As Channel::receive; STATE if as many actors have items in hand as may. The item is in this
  // actor's hand until `task_done`.
  Status get(uint8_t* buffer, Deadline deadline, ReceivedMessage& out);
  // An item that was got is done. If this actor has none in hand, one of another's is. STATE if
  // nobody has one; NOT_SUPPORTED if items are not counted.
  Status task_done();
  // Waits until every item that was put is done. OWNER_DIED if it is so but for those that an
  // actor had in hand when it died, until `forget_lost`; NOT_SUPPORTED if items are not counted.
  Status join(Deadline deadline);
  bool lost() const { return tasks_ != nullptr && tasks_->lost(); }
  void forget_lost();

  // Ends the queue for everybody.
  Status destroy();
  Channel& channel() const { return *channel_; }

 private:
  Queue() = default;

  std::unique_ptr<Channel> channel_;
  std::unique_ptr<TaskBoard> tasks_;
};

}  // namespace dragon
