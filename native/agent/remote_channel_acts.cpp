// What is done with a remote channel besides sending and receiving.
#include <string.h>

#include "agent/message.h"
#include "agent/remote_channel.h"
#include "channel/slot_copy.h"

namespace dragon::agent {

Status RemoteChannel::try_pop() {
  if (kept_.empty()) return simple(Op::kPop, 0, Deadline::never());
  kept_.front().pool->free(kept_.front().memory.id);
  kept_.pop_front();
  return DRAGON_SUCCESS;
}

Status RemoteChannel::try_peek(uint8_t* buffer, uint64_t capacity, ReceivedMessage& out) {
  SlotId id;
  Status status = begin(Op::kPeek, Deadline::never(), id);
  if (status != DRAGON_SUCCESS) return status;
  GatewaySlot& slot = gateway_->slot(id);
  slot.limit.store(capacity);
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, Deadline::never(), WaitMode::kAdaptive);
  out = ReceivedMessage();
  out.bytes = slot.bytes.load();
  if (status != DRAGON_SUCCESS) return status;
  out.hints = slot.hints.load();
  out.data = buffer;
  if (slot.allocation.load() == 0) {
    copy_bytes(buffer, slot.inline_bytes, out.bytes);
  } else {
    std::shared_ptr<Pool> pool;
    Allocation memory;
    status = gateway_->take(id, pool, memory);
    if (status == DRAGON_SUCCESS) {
      copy_bytes(buffer, memory.data, out.bytes);
      pool->free(memory.id);
    }
  }
  gateway_->release(id);
  return status;
}

Status RemoteChannel::reset(uint64_t* dropped) {
  uint32_t messages = 0;
  const Status status = simple(Op::kReset, 0, Deadline::never(), &messages);
  if (dropped != nullptr) *dropped = status == DRAGON_SUCCESS ? messages : 0;
  return status;
}

Status RemoteChannel::destroy() {
  return simple(Op::kDestroy, 0, Deadline::never());
}

Status RemoteChannel::poll(PollEvent event, Deadline deadline) {
  if (event == PollEvent::kIn && !kept_.empty()) return DRAGON_SUCCESS;
  return simple(Op::kPoll, static_cast<uint32_t>(event), deadline);
}

Status RemoteChannel::info(ChannelInfo& out) {
  SlotId id;
  Status status = begin(Op::kInfo, Deadline::never(), id);
  if (status != DRAGON_SUCCESS) return status;
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, Deadline::never(), WaitMode::kAdaptive);
  if (status != DRAGON_SUCCESS) return status;
  const GatewaySlot& slot = gateway_->slot(id);
  const bool known = decode_info(slot.inline_bytes, slot.bytes.load(), out);
  out.remote = true;
  gateway_->release(id);
  return known ? DRAGON_SUCCESS : DRAGON_INVALID_MESSAGE;
}

Status RemoteChannel::open_handle(Role role, uint32_t& out) {
  return simple(Op::kOpenRole, static_cast<uint32_t>(role), Deadline::never(), &out);
}

Status RemoteChannel::close_handle(uint32_t handle) {
  return simple(Op::kCloseRole, handle, Deadline::never());
}

Status RemoteChannel::lend(Role role, HandleBytes& out) {
  SlotId id;
  Status status = begin(Op::kLend, Deadline::never(), id);
  if (status != DRAGON_SUCCESS) return status;
  GatewaySlot& slot = gateway_->slot(id);
  slot.what.store(static_cast<uint32_t>(role));
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, Deadline::never(), WaitMode::kAdaptive);
  if (status != DRAGON_SUCCESS) return status;
  ::memcpy(out, slot.inline_bytes, sizeof out);
  gateway_->release(id);
  return status;
}

Status RemoteChannel::cancel_lent(const uint8_t* handle, size_t length) {
  SlotId id;
  if (length != kHandleBytes) return DRAGON_BAD_HANDLE;
  Status status = begin(Op::kCancelLent, Deadline::never(), id);
  if (status != DRAGON_SUCCESS) return status;
  GatewaySlot& slot = gateway_->slot(id);
  ::memcpy(slot.inline_bytes, handle, kHandleBytes);
  slot.bytes.store(kHandleBytes);
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, Deadline::never(), WaitMode::kAdaptive);
  if (status == DRAGON_SUCCESS) gateway_->release(id);
  return status;
}

void RemoteChannel::serialize(HandleBytes& out) const {
  ::memcpy(out, handle_, sizeof out);
}

void RemoteChannel::close() {
  if (closed()) return;
  for (const Taken& kept : kept_) kept.pool->free(kept.memory.id);
  kept_.clear();
  if (!gateway_->node().closed()) gateway_->close_port(port_);
  gateway_.reset();
}

}  // namespace dragon::agent
