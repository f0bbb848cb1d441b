// A worker's handles, kept, lent and adopted, and objects of its own.
#include <cstring>

#include "proof/worker.h"

namespace dragon::proof {

void Worker::open_and_close(const Op& op, Patience) {
  RecordId record = 0;
  const Role role = op.number % 2 == 0 ? Role::kSender : Role::kReceiver;
  expect(channel(op).open_handle(role, record), "open a handle");
  channel(op).close_handle(record);
}

void Worker::lend(const Op& op, Patience) {
  HandleBytes lent;
  const Role role = op.number % 2 == 0 ? Role::kSender : Role::kReceiver;
  expect(channel(op).lend(role, lent), "lend");
  Mailbox& box = records_.mailboxes[op.number % kMailboxes];
  uint32_t empty = 0;
  if (box.state.compare_exchange_strong(empty, 1)) {
    ::memcpy(box.handle, lent, sizeof(lent));
    box.state.store(2);
  } else if (!channel(op).cancel_lent(lent, kHandleBytes)) {
    fail("a lent handle that nobody saw was adopted");
  }
}

void Worker::adopt(const Op& op, Patience) {
  Mailbox& box = records_.mailboxes[op.number % kMailboxes];
  uint32_t full = 2;
  if (!box.state.compare_exchange_strong(full, 1)) return;
  HandleBytes lent;
  ::memcpy(lent, box.handle, sizeof(lent));
  box.state.store(0);
  std::unique_ptr<Channel> adopted;
  RecordId record = 0;
  const Status status = Channel::attach(node_, lent, kHandleBytes, true, record, adopted);
  // Its lender may have died, or left.
  if (status != DRAGON_OBJECT_DESTROYED) expect(status, "adopt");
}

void Worker::own(const Op& op, Patience) {
  std::unique_ptr<Channel> mine;
  ChannelOptions shape;
  shape.capacity = 1 + op.number % 12;
  Status status = Channel::create(pool_, shape, mine);
  expect(status, "create a channel");
  if (status != DRAGON_SUCCESS) return;
  const uint64_t id = message_id(process_, 0);
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  const iovec part{bytes.data(), bytes.size()};
  for (uint32_t i = 0; i <= op.number % 16; ++i) {
    expect(mine->try_send(&part, 1, id), "send to an own channel");
  }
  HandleBytes lent;
  status = mine->lend(Role::kReceiver, lent);
  expect(status, "lend an own channel");
  ReceivedMessage message;
  status = mine->try_receive(buffer_.data(), message);
  expect(status, "receive from an own channel");
  if (status == DRAGON_SUCCESS) check(message);
  std::unique_ptr<LockObject> lock;
  if (LockObject::create(pool_, true, lock) == DRAGON_SUCCESS) lock->try_acquire();
  if (op.number % 3 == 0) mine->destroy();
  // Else the channel would stay with all its messages until this process leaves.
  mine->cancel_lent(lent, kHandleBytes);
}

void Worker::stream(const Op& op, Patience patience) {
  Held& held = streams_[op.object % streams_.size()];
  const bool open = held.record == 0;
  if (open) held.role = op.number % 2 == 0 ? Role::kSender : Role::kReceiver;
  const EntryKind kind = open ? EntryKind::kOpen : EntryKind::kClose;
  Noted noted(journal(), kind, op.kind, step_, op.object, patience,
              static_cast<uint64_t>(held.role));
  if (open) {
    expect(noted.end(channel(op).open_handle(held.role, held.record)), "open a handle");
  } else {
    channel(op).close_handle(held.record);
    held.record = 0;
    noted.end(DRAGON_SUCCESS);
  }
}

}  // namespace dragon::proof
