// A worker's messages.
#include <string.h>

#include <deque>

#include "event/channel_set.h"
#include "proof/received.h"
#include "proof/worker.h"

namespace dragon::proof {

namespace {

constexpr size_t kLentMax = 4;

}  // namespace

uint64_t Worker::next_message() {
  return message_id(process_, journal().next_message.fetch_add(1) + 1);
}

void Worker::send(const Op& op, Patience patience) {
  const uint64_t id = next_message();
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  // In two parts, so that the gathering is used too.
  const iovec parts[] = {{bytes.data(), bytes.size() / 3},
                         {bytes.data() + bytes.size() / 3, bytes.size() - bytes.size() / 3}};
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  expect_sent(op, noted.end(channel(op).send(parts, 2, id, deadline_of(patience, op.number))));
}

void Worker::send_allocation(const Op& op, Patience patience) {
  Allocation payload;
  const Status made = pool_->try_allocate(op.number + 1, AllocationType::kData, payload);
  expect(made, "allocate a payload");
  if (made != DRAGON_SUCCESS) return;
  const uint64_t id = next_message();
  fill_pattern(payload.data, payload.bytes, id);
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  const Status sent =
      noted.end(channel(op).send_allocation(payload.id, id, deadline_of(patience, op.number)));
  expect_sent(op, sent);
  if (sent != DRAGON_SUCCESS && pool_->free(payload.id) != DRAGON_SUCCESS) {
    fail("a payload that was not sent is not its sender's");
  }
}

// Puts in as many as there is room for.
void Worker::send_many(const Op& op, Patience patience) {
  const size_t count = 2 + op.number % 6;
  std::vector<std::vector<uint8_t>> messages(count);
  std::vector<iovec> parts(count);
  std::deque<Noted> noted;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t id = next_message();
    messages[i].resize(kNumberBytes + op.number * (i + 1) % 300);
    ::memcpy(messages[i].data(), &id, kNumberBytes);
    fill_pattern(messages[i].data() + kNumberBytes, messages[i].size() - kNumberBytes, id);
    parts[i] = {messages[i].data(), messages[i].size()};
    noted.emplace_back(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  }
  size_t sent = 0;
  const Status status = channel(op).try_send_many(parts.data(), count, kHintsOfMany, sent);
  for (size_t i = 0; i < count; ++i) {
    noted[i].end(i < sent ? DRAGON_SUCCESS : i == sent ? status : DRAGON_WOULD_BLOCK);
  }
  expect_sent(op, status);
  if ((status == DRAGON_SUCCESS) != (sent == count)) fail("a send of many that lost count");
}

// The bytes stay this process's, and are checked and freed later.
void Worker::send_lent(const Op& op, Patience patience) {
  if (lent_.size() == kLentMax) end_loan();
  Kept lent;
  const Status made = pool_->try_allocate(op.number + 1, AllocationType::kData, lent.allocation);
  expect(made, "allocate what is lent");
  if (made != DRAGON_SUCCESS) return;
  lent.stamp = next_message();
  fill_pattern(lent.allocation.data, lent.allocation.bytes, lent.stamp);
  lent_.push_back(lent);
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, lent.stamp);
  expect_sent(op, noted.end(channel(op).send_allocation(lent.allocation.id, lent.stamp,
                                                        deadline_of(patience, op.number),
                                                        ReturnMode::kWhenDeposited, true)));
}

// A share for each of some channels; one stays here, and is checked and freed later.
void Worker::send_shares(const Op& op, Patience patience) {
  if (shares_.size() == kLentMax) end_share();
  Kept kept;
  const Status made = pool_->try_allocate(op.number + 1, AllocationType::kData, kept.allocation);
  expect(made, "allocate what is shared");
  if (made != DRAGON_SUCCESS) return;
  kept.stamp = next_message();
  fill_pattern(kept.allocation.data, kept.allocation.bytes, kept.stamp);
  const uint32_t holders = 2 + op.number % 3;
  uint64_t share = 0;
  const Status shared = pool_->share(kept.allocation.id, holders, share);
  expect(shared, "share");
  if (shared == DRAGON_SUCCESS) kept.allocation.id = share;
  shares_.push_back(kept);
  for (uint32_t i = 0; shared == DRAGON_SUCCESS && i < channels_.size(); ++i) {
    uint64_t further = 0;
    const Status again = pool_->share_again(share, further);
    if (again == DRAGON_STATE && i + 1 >= holders) break;
    expect(again, "share again");
    if (again != DRAGON_SUCCESS) break;
    Op to = op;
    to.object = static_cast<uint8_t>((op.object + i) % channels_.size());
    Noted noted(journal(), EntryKind::kSend, op.kind, step_, to.object, patience, kept.stamp);
    const Status sent = noted.end(
        channel(to).send_allocation(further, kept.stamp, deadline_of(patience, op.number)));
    expect_sent(to, sent);
    if (sent != DRAGON_SUCCESS && pool_->free(further) != DRAGON_SUCCESS) {
      fail("a share that was not sent is not its sender's");
    }
  }
}

// Back with TIMEOUT, the message is nobody's, and a payload the sender's again.
void Worker::await_receipt(const Op& op, Patience patience) {
  const ReturnMode mode = ReturnMode::kWhenReceived;
  const Deadline deadline = deadline_of(patience, op.number);
  Allocation payload;
  const bool as_allocation =
      op.number % 2 == 0 &&
      pool_->try_allocate(op.number + 1, AllocationType::kData, payload) == DRAGON_SUCCESS;
  const uint64_t id = next_message();
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  if (as_allocation) fill_pattern(payload.data, payload.bytes, id);
  const iovec part{bytes.data(), bytes.size()};
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, op.object, patience, id);
  const Status status =
      noted.end(as_allocation ? channel(op).send_allocation(payload.id, id, deadline, mode)
                              : channel(op).send(&part, 1, id, deadline, mode));
  expect_sent(op, status);
  if (!as_allocation || status == DRAGON_SUCCESS) return;
  if (!has_pattern(payload.data, payload.bytes, id)) fail("somebody has what was taken back");
  if (pool_->free(payload.id) != DRAGON_SUCCESS) fail("somebody freed what was taken back");
}

void Worker::check(const ReceivedMessage& message) {
  if (!is_intact(message)) fail("a message does not have the bytes that were sent");
}

// Checks it and gives it back.
void Worker::end_receipt(const ReceivedMessage& message) {
  check(message);
  if (message.allocation == 0 || message.read_only) return;
  if (message.pool->free(message.allocation) != DRAGON_SUCCESS) {
    fail("a payload that was received is not its receiver's");
  }
}

void Worker::receive(const Op& op, Patience patience) {
  ReceivedMessage message;
  Noted noted(journal(), EntryKind::kReceive, op.kind, step_, op.object, patience, 0);
  const Status status =
      patience == Patience::kTry
          ? channel(op).try_receive(buffer_.data(), message)
          : channel(op).receive(buffer_.data(), deadline_of(patience, op.number), message);
  if (status == DRAGON_SUCCESS) noted.message(id_of(message));
  expect_received(op, noted.end(status));
  if (status == DRAGON_SUCCESS) end_receipt(message);
}

void Worker::receive_many(const Op& op, Patience patience) {
  const size_t count = 2 + op.number % 6;
  std::vector<uint8_t> blocks(count * channel(op).block_bytes() + 1);
  std::vector<ReceivedMessage> messages(count);
  std::deque<Noted> noted;
  for (size_t i = 0; i < count; ++i) {
    noted.emplace_back(journal(), EntryKind::kReceive, op.kind, step_, op.object, patience, 0);
  }
  size_t got = 0;
  const Status status = channel(op).try_receive_many(blocks.data(), count, messages.data(), got);
  for (size_t i = 0; i < count; ++i) {
    if (i < got) noted[i].message(id_of(messages[i]));
    noted[i].end(i < got ? DRAGON_SUCCESS : i == got ? status : DRAGON_WOULD_BLOCK);
  }
  expect_received(op, status);
  if ((status == DRAGON_SUCCESS) != (got == count)) fail("a receive of many that lost count");
  for (size_t i = 0; i < got; ++i) end_receipt(messages[i]);
}

// Into memory of this process, or into new memory of either pool.
void Worker::receive_into(const Op& op, Patience patience) {
  const bool own = op.number % 3 == 0;
  Pool& to = op.number % 3 == 1 && payloads_ != nullptr ? *payloads_ : *pool_;
  Allocation into;
  if (own) {
    const Status made = to.try_allocate(op.number % 600 + 1, AllocationType::kData, into);
    expect(made, "allocate a destination");
    if (made != DRAGON_SUCCESS) return;
  }
  // Nobody could help one that waits for memory for ever.
  const Patience brief = !own && patience == Patience::kLong ? Patience::kShort : patience;
  ReceivedMessage message;
  Noted noted(journal(), EntryKind::kReceive, op.kind, step_, op.object, brief, 0);
  const Status status =
      channel(op).receive_into(to, into.id, deadline_of(brief, op.number), message);
  if (status == DRAGON_SUCCESS) noted.message(id_of(message));
  noted.end(status);
  if (status != DRAGON_BUFFER_TOO_SHORT || !own) expect_received(op, status);
  if (status == DRAGON_SUCCESS) {
    if (own && message.allocation != into.id) fail("a message that lies elsewhere than it should");
    return end_receipt(message);
  }
  if (own && to.free(into.id) != DRAGON_SUCCESS) fail("a destination that was lost");
}

void Worker::pop(const Op& op, Patience) {
  Noted noted(journal(), EntryKind::kPop, op.kind, step_, op.object, Patience::kTry, 0);
  expect_received(op, noted.end(channel(op).try_pop()));
}

// All channels at once. Without a doorbell nobody can wait for them.
void Worker::watch(const Op& op, Patience patience) {
  const Patience brief = plan_.has_bell ? patience : Patience::kTry;
  const bool for_messages = brief == Patience::kLong || op.number % 2 == 0;
  const uint32_t mask = for_messages ? kSetIn : 1 + op.number % kSetEvents;
  ChannelSet set(node_);
  std::vector<uint32_t> members(channels_.size());
  std::deque<Noted> noted;
  for (uint32_t i = 0; i < channels_.size(); ++i) {
    expect(set.add(channels_[i], mask, members[i]), "add to a set");
    noted.emplace_back(journal(), EntryKind::kSeen, op.kind, step_, i, brief, 0);
  }
  Noted waiting(journal(), EntryKind::kWatch, op.kind, step_, op.object, brief, 0);
  ChannelSet::Ready ready;
  const Status status = set.poll(deadline_of(brief, op.number), ready);
  waiting.end(status);
  for (uint32_t i = 0; i < channels_.size(); ++i) {
    const bool named = status == DRAGON_SUCCESS && members[i] == ready.member;
    const bool none = status != DRAGON_SUCCESS && (mask & kSetIn) != 0;
    // The end of a stream is an event of the same kind.
    const bool seen = named && (ready.events & kSetIn) != 0 && !shapes_[i].end_of_stream;
    noted[i].end(seen ? DRAGON_SUCCESS : none ? DRAGON_EMPTY : DRAGON_WOULD_BLOCK);
  }
  expect(status, "poll a set");
  if (status == DRAGON_SUCCESS && (ready.events & ~mask) != 0)
    fail("another event than is watched");
}

void Worker::peek(const Op& op, Patience) {
  ReceivedMessage message;
  const Status status = channel(op).try_peek(buffer_.data(), buffer_.size(), message);
  // The next message may be taken, and its payload freed, while it is looked at.
  if (status == DRAGON_BUFFER_TOO_SHORT || status == DRAGON_OBJECT_DESTROYED) return;
  expect_received(op, status);
  if (status == DRAGON_SUCCESS) check(message);
}

void Worker::poll(const Op& op, Patience patience) {
  const auto event = static_cast<PollEvent>(op.number % 5);
  const Patience brief = patience == Patience::kLong ? Patience::kShort : patience;
  expect(channel(op).poll(event, deadline_of(brief, op.number)), "poll");
}

void Worker::expect_sent(const Op& op, Status status) {
  if (status != DRAGON_BROKEN_PIPE || !is_stream(op)) expect(status, name_of(op.kind));
}

// OBJECT_DESTROYED: a message whose payload was freed by somebody else. The history tells whether
// there were any.
void Worker::expect_received(const Op& op, Status status) {
  const bool ended = status == DRAGON_EOF && is_stream(op);
  if (!ended && status != DRAGON_OBJECT_DESTROYED) expect(status, name_of(op.kind));
}

}  // namespace dragon::proof
