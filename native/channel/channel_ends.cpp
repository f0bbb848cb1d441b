// What else is done with messages: taken back by their sender, dropped, moved many at a time; and
// what can be read about a channel.
#include <algorithm>

#include "channel/channel.h"
#include "channel/slot_copy.h"

namespace dragon {

Channel::Receipt Channel::receipt_of(const Payload& payload, bool is_copy) const {
  Receipt receipt;
  receipt.at_ = last_sent_;
  receipt.payload_ = payload;
  receipt.is_copy_ = is_copy;
  return receipt;
}

Status Channel::try_send_noted(const iovec* parts, size_t count, uint64_t hints, Receipt& out) {
  const uint64_t bytes = total_bytes(parts, count);
  const Status status = send_once(parts, count, bytes, hints);
  if (status != DRAGON_SUCCESS) return status;
  out = receipt_of(bytes > block_bytes_ ? sent_payload_ : Payload{}, true);
  return status;
}

Status Channel::try_send_allocation_noted(uint64_t allocation, uint64_t hints, bool read_only,
                                          Receipt& out) {
  const Status status = try_send_allocation(allocation, hints, read_only);
  if (status == DRAGON_SUCCESS) out = receipt_of({allocation, 0, read_only}, false);
  return status;
}

// The message was received if it has left its cell.
Status Channel::try_receipt(const Receipt& receipt) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;  // maybe received before that
  const Ring* ring = ring_at(receipt.at_.ring);
  if (ring == nullptr) return DRAGON_OBJECT_DESTROYED;
  const uint64_t position = receipt.at_.position;
  const bool gone = cell_lap(ring->cell(position).load_seq()) != ring->lap(position);
  return gone ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
}

Status Channel::take_back(const Receipt& receipt) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (!void_message(receipt)) return DRAGON_STATE;
  const Payload& payload = receipt.payload_;
  if (receipt.is_copy_ && payload.id != 0) pool_of(payload)->free(payload.id);
  return DRAGON_SUCCESS;
}

// Who gives up takes the message back, and has sent nothing then.
Status Channel::await_receipt(const Receipt& receipt, Deadline deadline, WaitMode wait) {
  const Status status = wait_until(
      node().lot(), receipt_place(), deadline, false, [&] { return try_receipt(receipt); },
      is_not_yet, 0, wait);
  if (status != DRAGON_WOULD_BLOCK && status != DRAGON_TIMEOUT) return status;
  const Status back = take_back(receipt);
  if (back == DRAGON_SUCCESS) return status;
  return back == DRAGON_STATE ? DRAGON_SUCCESS : back;
}

// False if the message was received. The payload is noted until its message is gone too: a death in
// between leaves it to the reclamation.
bool Channel::void_message(const Receipt& receipt) {
  const Ring* ring = ring_at(receipt.at_.ring);
  if (ring == nullptr) return false;
  const uint64_t position = receipt.at_.position;
  const Payload& payload = receipt.payload_;
  if (payload.owned()) {
    mine_->since_ns.store(position);
    note(payload);
  }
  const bool claimed = payload.owned() && claim(payload, position) == DRAGON_SUCCESS;
  if (payload.owned() && !claimed) {
    mine_->ticket.store(0);
    return false;
  }
  Word64& cell = ring->cell(position);
  uint64_t word = cell.load_seq();
  const bool queued =
      cell_lap(word) == ring->lap(position) && cell_state(word) == CellState::kQueued;
  const uint64_t taken_back = cell_word(cell_lap(word), CellState::kVoid, cell_slot(word));
  const bool removed = queued && cell.cas_seq(word, taken_back);
  mine_->ticket.store(0);
  if (!claimed && !removed) return false;
  settled_head();
  after_receive();
  return true;
}

uint64_t Channel::drain() {
  uint64_t drained = 0;
  if (remote_) return 0;
  for (uint64_t left = message_count(); left > 0 && drop_one(); --left) ++drained;
  return drained;
}

Status Channel::reset() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (remote_) return DRAGON_NOT_SUPPORTED;
  drain();
  return DRAGON_SUCCESS;
}

Status Channel::try_pop() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (remote_) return DRAGON_NOT_SUPPORTED;
  const bool ended = no_more_senders();
  if (drop_one()) return DRAGON_SUCCESS;
  return ended ? DRAGON_EOF : DRAGON_EMPTY;
}

Status Channel::destroy() {
  return remote_ && !closed() ? DRAGON_NOT_SUPPORTED : ManagedObject::destroy();
}

// A send that had looked before the channel was destroyed may still take place; whoever looks
// later finds it destroyed, so this comes to an end.
void Channel::drop_contents() {
  while (drop_one()) {
  }
}

bool Channel::drop_one() {
  Head head;
  while (find_head(head) == DRAGON_SUCCESS) {
    const ChannelSlot* filled = slot(cell_slot(head.word));
    if (filled == nullptr) return false;
    const Payload payload = payload_of(*filled);
    // As a receive does: the message must not be received with its payload freed.
    const Status claimed = payload.owned() ? claim(payload, head.position) : DRAGON_STATE;
    const bool mine = claimed == DRAGON_SUCCESS;
    const bool removed = remove(head);
    if (mine) pool_of(payload)->free(payload.id);
    // One that is neither was received by somebody who has not emptied the cell.
    const bool dropped = payload.owned() ? mine || claimed == DRAGON_OBJECT_DESTROYED : true;
    if (!(removed || mine) || !dropped) continue;
    after_receive();
    return true;
  }
  return false;
}

Status Channel::try_send_many(const iovec* messages, size_t count, uint64_t hints, size_t& sent) {
  sent = 0;
  Status status = usable();
  if (status == DRAGON_SUCCESS && no_more_receivers()) status = DRAGON_BROKEN_PIPE;
  size_t untold = 0;
  while (status == DRAGON_SUCCESS && sent < count) {
    const iovec& message = messages[sent];
    const bool fits = message.iov_len <= block_bytes_;
    status = fits ? put_inline(&message, 1, message.iov_len, hints)
                  : send_once(&message, 1, message.iov_len, hints);
    if (status != DRAGON_SUCCESS) break;
    ++sent;
    if (fits) ++untold;
  }
  // As many receivers may go on as there are messages.
  const WaitPlace receivers = place(kLaneIn);
  for (; untold > 0; --untold) {
    after_send();
    if ((ParkingLot::waiters_seq(*receivers.hint) & receivers.bit) == 0) break;
  }
  return status;
}

Status Channel::send_many(const iovec* messages, size_t count, uint64_t hints, Deadline deadline,
                          size_t& sent) {
  Status status = try_send_many(messages, count, hints, sent);
  while (status != DRAGON_SUCCESS && !deadline.is_once()) {
    status = send(messages + sent, 1, hints, deadline);
    if (status != DRAGON_SUCCESS || ++sent == count) return status;
    size_t more = 0;
    status = try_send_many(messages + sent, count - sent, hints, more);
    sent += more;
  }
  return status;
}

Status Channel::try_receive_many(uint8_t* buffer, size_t count, ReceivedMessage* out, size_t& got) {
  got = 0;
  Status status = closed() ? DRAGON_CLOSED : DRAGON_SUCCESS;
  while (status == DRAGON_SUCCESS && got < count) {
    status = take(buffer + got * block_bytes_, out[got]);
    if (status == DRAGON_SUCCESS) ++got;
  }
  if (got == 0) return status;
  const WaitPlace senders = place(kLaneOut);
  for (size_t untold = got; untold > 0; --untold) {
    after_receive();
    if ((ParkingLot::waiters_seq(*senders.hint) & senders.bit) == 0) break;
  }
  return status;
}

ChannelInfo Channel::info() {
  ChannelInfo info;
  if (usable() != DRAGON_SUCCESS) return info;
  info.capacity = capacity();
  info.block_bytes = block_bytes();
  info.end_of_stream = stream_;
  info.remote = remote_;
  info.messages = message_count();
  info.free = capacity_ - info.messages;
  info.senders = senders();
  info.receivers = receivers();
  info.holders = count(Role::kHolder);
  info.blocked_senders = blocked(kLaneOut) + blocked(kLaneReceived);
  info.blocked_receivers = blocked(kLaneIn);
  return info;
}

uint32_t Channel::blocked(uint32_t lane) const {
  ParkingLot& lot = node().lot();
  const uint64_t key = place(lane).key;
  uint32_t waits = 0;
  for (uint32_t index = 1; index < lot.records().committed(); ++index) {
    WaitInfo wait;
    if (lot.info(index, wait) && wait.key == key) ++waits;
  }
  return waits;
}

}  // namespace dragon
