#include "agent/remote_channel.h"

#include <string.h>

#include <algorithm>

#include "agent/message.h"
#include "channel/slot_copy.h"

namespace dragon::agent {

namespace {

bool waits_for_nobody(ReturnMode mode, Deadline deadline) {
  const bool early = mode == ReturnMode::kImmediately || mode == ReturnMode::kWhenBuffered;
  return early && !deadline.is_once();
}

// A slot, or memory of the gateway's, that was not to be had.
Status no_room(Status status) {
  return status == DRAGON_WOULD_BLOCK || status == DRAGON_OUT_OF_MEMORY ? DRAGON_FULL : status;
}

}  // namespace

bool RemoteChannel::is_remote(const Node& node, const uint8_t* handle, size_t length) {
  Handle decoded;
  if (decode_handle(handle, length, decoded) != DRAGON_SUCCESS) return false;
  const NodeIdentity here = node.identity();
  return decoded.kind == HandleKind::kChannel && decoded.runtime_id == here.runtime_id &&
         decoded.host_id != here.host_id;
}

Status RemoteChannel::attach(const std::shared_ptr<Gateway>& gateway, const uint8_t* handle,
                             size_t length, bool adopt, uint32_t& adopted,
                             std::unique_ptr<RemoteChannel>& out) {
  if (length != kHandleBytes) return DRAGON_BAD_HANDLE;
  std::unique_ptr<RemoteChannel> channel(new RemoteChannel());
  ::memcpy(channel->handle_, handle, kHandleBytes);
  Status status = gateway->open_port(channel->port_);
  if (status != DRAGON_SUCCESS) return status;
  channel->gateway_ = gateway;
  SlotId id;
  status = channel->begin(Op::kAttach, Deadline::never(), id);
  if (status != DRAGON_SUCCESS) return status;
  GatewaySlot& slot = gateway->slot(id);
  ::memcpy(slot.inline_bytes, handle, kHandleBytes);
  slot.bytes.store(kHandleBytes);
  slot.flags.store(adopt ? kFlagAdopt : 0);
  status = gateway->submit(id, false);
  if (status == DRAGON_SUCCESS) {
    status = channel->finish(id, Deadline::never(), WaitMode::kAdaptive);
  }
  if (status != DRAGON_SUCCESS) return status;
  const bool known = decode_info(slot.inline_bytes, slot.bytes.load(), channel->first_);
  adopted = slot.what.load();
  gateway->release(id);
  if (!known) return DRAGON_INVALID_MESSAGE;
  out = std::move(channel);
  return DRAGON_SUCCESS;
}

Status RemoteChannel::begin(Op op, Deadline deadline, SlotId& out) {
  if (closed()) return DRAGON_CLOSED;
  const Status claimed = gateway_->claim(deadline, out);
  if (claimed != DRAGON_SUCCESS) return claimed;
  GatewaySlot& slot = gateway_->slot(out);
  slot.op.store(static_cast<uint32_t>(op));
  slot.flags.store(deadline.is_once() ? kFlagTry : 0);
  slot.what.store(0);
  slot.port.store(port_);
  slot.hints.store(0);
  slot.bytes.store(0);
  slot.limit.store(0);
  slot.landing.store(0);
  return DRAGON_SUCCESS;
}

// Waits for the answer; its status. After SUCCESS the slot is the caller's to read and release;
// after anything else it was released, but for the payload of a send, which is looked after first.
Status RemoteChannel::finish(SlotId id, Deadline deadline, WaitMode wait) {
  const Deadline patience = deadline.is_once() ? Deadline::after_ns(grace_ns_) : deadline;
  Status status = gateway_->await(id, patience, wait);
  if (status == DRAGON_TIMEOUT) {
    gateway_->cancel(id);
    status = gateway_->await(id, Deadline::after_ns(grace_ns_), WaitMode::kIdle);
  }
  const bool sends = gateway_->slot(id).op.load() == static_cast<uint32_t>(Op::kSend);
  if (status == DRAGON_TIMEOUT && gateway_->detach(id)) {
    return sends ? DRAGON_NODE_GONE : DRAGON_TIMEOUT;
  }
  if (status != DRAGON_SUCCESS && status != DRAGON_TIMEOUT) return status;
  status = static_cast<Status>(gateway_->slot(id).status.load());
  if (status != DRAGON_SUCCESS && !sends) gateway_->release(id);
  return status;
}

Status RemoteChannel::simple(Op op, uint32_t what, Deadline deadline, uint32_t* answer) {
  SlotId id;
  Status status = begin(op, deadline, id);
  if (status != DRAGON_SUCCESS) return status;
  GatewaySlot& slot = gateway_->slot(id);
  slot.what.store(what);
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, deadline, WaitMode::kAdaptive);
  if (status != DRAGON_SUCCESS) return status;
  if (answer != nullptr) *answer = slot.what.load();
  gateway_->release(id);
  return status;
}

// Sends that nobody waits for end in their order.
Status RemoteChannel::make_room(Deadline deadline) {
  while (!ahead_.empty() && gateway_->ended(ahead_.front())) ahead_.pop_front();
  if (ahead_.size() < sends_ahead_) return DRAGON_SUCCESS;
  const SlotId oldest = ahead_.front();
  const Status status = wait_until(
      gateway_->node().lot(), gateway_->place(oldest), deadline, false, [&](SleepSteps& steps) {
        steps.next_ns = std::min(steps.next_ns, kHeldSleepNsMax);
        if (gateway_->ended(oldest)) return DRAGON_SUCCESS;
        return gateway_->agent_lives(steps.next_ns > SleepSteps().next_ns) ? DRAGON_WOULD_BLOCK
                                                                           : DRAGON_AGENT_GONE;
      });
  if (status == DRAGON_SUCCESS) ahead_.pop_front();
  return status;
}

Status RemoteChannel::settle(Deadline deadline) {
  while (!ahead_.empty()) {
    const SlotId oldest = ahead_.front();
    const Status status =
        wait_until(gateway_->node().lot(), gateway_->place(oldest), deadline, false, [&] {
          if (gateway_->ended(oldest)) return DRAGON_SUCCESS;
          return gateway_->agent_lives(false) ? DRAGON_WOULD_BLOCK : DRAGON_AGENT_GONE;
        });
    if (status != DRAGON_SUCCESS) return status;
    ahead_.pop_front();
  }
  return closed() ? DRAGON_CLOSED : gateway_->port_status(port_);
}

// The rest of a send whose slot is filled. `gives`: a payload that is the caller's again where
// nothing was sent; else a copy.
Status RemoteChannel::hand_over(SlotId id, Deadline deadline, ReturnMode mode, WaitMode wait,
                                bool gives, Pool& pool) {
  GatewaySlot& slot = gateway_->slot(id);
  slot.what.store(static_cast<uint32_t>(mode));
  const bool detached = waits_for_nobody(mode, deadline);
  Status status = gateway_->submit(id, detached);
  if (detached || status != DRAGON_SUCCESS) {
    if (detached) ahead_.push_back(id);
    return status;
  }
  const uint64_t allocation = slot.allocation.load();
  status = finish(id, deadline, wait);
  if (status == DRAGON_NODE_GONE || status == DRAGON_AGENT_GONE) {
    // Whether the slot is still ours depends on who found it out.
    if (gateway_->try_answer(id) != DRAGON_SUCCESS) return status;
  }
  if (status != DRAGON_SUCCESS && allocation != 0) {
    std::shared_ptr<Pool> source;
    Allocation back;
    const bool mine = gateway_->take(id, source, back) == DRAGON_SUCCESS;
    if (mine && !gives) pool.free(back.id);
  }
  gateway_->release(id);
  return status;
}

Status RemoteChannel::send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline,
                           ReturnMode mode, WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  Status status = gateway_->port_status(port_);
  if (status != DRAGON_SUCCESS) return status;
  if (waits_for_nobody(mode, deadline)) status = make_room(deadline);
  SlotId id;
  if (status == DRAGON_SUCCESS) status = begin(Op::kSend, deadline, id);
  if (status != DRAGON_SUCCESS) return no_room(status);
  GatewaySlot& slot = gateway_->slot(id);
  const uint64_t bytes = total_bytes(parts, count);
  slot.hints.store(hints);
  slot.bytes.store(bytes);
  if (bytes <= kInlineBytes) {
    gather(slot.inline_bytes, parts, count);
  } else {
    Pool& pool = *gateway_->pool();
    Allocation memory;
    status = pool.allocate(bytes, AllocationType::kData, deadline, memory);
    if (status == DRAGON_SUCCESS) {
      gather(memory.data, parts, count);
      status = gateway_->give(id, pool, memory.id);
    }
    if (status != DRAGON_SUCCESS) {
      gateway_->release(id);
      return no_room(status);
    }
  }
  return hand_over(id, deadline, mode, wait, false, *gateway_->pool());
}

Status RemoteChannel::send_allocation(Pool& pool, uint64_t allocation, uint64_t hints,
                                      Deadline deadline, ReturnMode mode, bool read_only,
                                      WaitMode wait) {
  if (closed()) return DRAGON_CLOSED;
  Status status = gateway_->port_status(port_);
  AllocationInfo info;
  if (status == DRAGON_SUCCESS) status = pool.find_bytes(allocation, info);
  if (status != DRAGON_SUCCESS) return status;
  if (info.owner != pool.node().me().id) return DRAGON_NOT_OWNER;
  if (read_only) {
    const iovec part{info.allocation.data, info.allocation.bytes};
    return send(&part, 1, hints, deadline, mode, wait);
  }
  if (waits_for_nobody(mode, deadline)) status = make_room(deadline);
  SlotId id;
  if (status == DRAGON_SUCCESS) status = begin(Op::kSend, deadline, id);
  if (status != DRAGON_SUCCESS) return no_room(status);
  GatewaySlot& slot = gateway_->slot(id);
  slot.hints.store(hints);
  slot.bytes.store(info.allocation.bytes);
  status = gateway_->give(id, pool, allocation);
  if (status != DRAGON_SUCCESS) {
    gateway_->release(id);
    return status;
  }
  return hand_over(id, deadline, mode, wait, true, pool);
}

Status RemoteChannel::receive_message(uint64_t limit, uint32_t landing, uint8_t* buffer,
                                      uint64_t room, Deadline deadline, WaitMode wait, Taken& out) {
  if (!kept_.empty()) {
    if (kept_.front().bytes > limit) {
      out.bytes = kept_.front().bytes;
      return DRAGON_BUFFER_TOO_SHORT;
    }
    out = std::move(kept_.front());
    kept_.pop_front();
    return DRAGON_SUCCESS;
  }
  SlotId id;
  Status status = begin(Op::kReceive, deadline, id);
  if (status != DRAGON_SUCCESS) return no_room(status) == DRAGON_FULL ? DRAGON_EMPTY : status;
  GatewaySlot& slot = gateway_->slot(id);
  slot.limit.store(limit);
  slot.landing.store(landing);
  status = gateway_->submit(id, false);
  if (status == DRAGON_SUCCESS) status = finish(id, deadline, wait);
  if (status != DRAGON_SUCCESS) {
    if (status == DRAGON_BUFFER_TOO_SHORT) out.bytes = slot.bytes.load();
    return status;
  }
  out.hints = slot.hints.load();
  out.bytes = slot.bytes.load();
  out.is_inline = slot.allocation.load() == 0;
  if (!out.is_inline) {
    status = gateway_->take(id, out.pool, out.memory);
  } else if (out.bytes <= room) {
    copy_bytes(buffer, slot.inline_bytes, out.bytes);
  } else {
    out.is_inline = false;
    out.pool = gateway_->pool();
    status = out.pool->allocate(out.bytes, AllocationType::kData, Deadline::never(), out.memory);
    if (status == DRAGON_SUCCESS) copy_bytes(out.memory.data, slot.inline_bytes, out.bytes);
  }
  gateway_->release(id);
  return status;
}

Status RemoteChannel::receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out,
                              WaitMode wait) {
  Taken taken;
  const Status status =
      receive_message(UINT64_MAX, 0, buffer, first_.block_bytes, deadline, wait, taken);
  if (status != DRAGON_SUCCESS) return status;
  out = ReceivedMessage();
  out.hints = taken.hints;
  out.bytes = taken.bytes;
  out.data = buffer;
  if (taken.is_inline) return DRAGON_SUCCESS;
  if (taken.bytes <= first_.block_bytes) {
    copy_bytes(buffer, taken.memory.data, taken.bytes);
    taken.pool->free(taken.memory.id);
    return DRAGON_SUCCESS;
  }
  last_pool_ = taken.pool;
  out.pool = last_pool_.get();
  out.allocation = taken.memory.id;
  out.data = taken.memory.data;
  return DRAGON_SUCCESS;
}

Status RemoteChannel::receive_bytes(uint8_t* buffer, uint64_t capacity, Deadline deadline,
                                    ReceivedMessage& out, WaitMode wait) {
  Taken taken;
  const Status status = receive_message(capacity, 0, buffer, capacity, deadline, wait, taken);
  out.bytes = taken.bytes;
  if (status != DRAGON_SUCCESS) return status;
  if (!taken.is_inline) {
    if (taken.bytes > capacity) {
      kept_.push_back(std::move(taken));
      return DRAGON_BUFFER_TOO_SHORT;
    }
    copy_bytes(buffer, taken.memory.data, taken.bytes);
    taken.pool->free(taken.memory.id);
  }
  out = ReceivedMessage();
  out.hints = taken.hints;
  out.bytes = taken.bytes;
  out.data = buffer;
  return DRAGON_SUCCESS;
}

Status RemoteChannel::receive_into(const std::shared_ptr<Pool>& to, uint64_t allocation,
                                   Deadline deadline, ReceivedMessage& out) {
  if (closed()) return DRAGON_CLOSED;
  AllocationInfo info;
  uint64_t limit = UINT64_MAX;
  if (allocation != 0) {
    const Status found = to->find(allocation, info);
    if (found != DRAGON_SUCCESS) return found;
    if (info.owner != to->node().me().id) return DRAGON_NOT_OWNER;
    limit = info.allocation.bytes;
  }
  Taken taken;
  uint8_t small[kInlineBytes];
  Status status = receive_message(limit, to->segment_id(), small, sizeof small, deadline,
                                  WaitMode::kAdaptive, taken);
  out.bytes = taken.bytes;
  if (status != DRAGON_SUCCESS) return status;
  const bool too_long = taken.bytes > limit;
  const bool there =
      !taken.is_inline && allocation == 0 && taken.pool->segment_id() == to->segment_id();
  Allocation into = info.allocation;
  if (there) into = taken.memory;
  if (allocation == 0 && !there) {
    const uint64_t wanted = std::max<uint64_t>(taken.bytes, 1);
    status = to->allocate(wanted, AllocationType::kData, deadline, into);
  }
  if (too_long || status != DRAGON_SUCCESS) {
    if (taken.is_inline) {
      taken.pool = gateway_->pool();
      const Status kept =
          taken.pool->allocate(std::max<uint64_t>(taken.bytes, 1), AllocationType::kData,
                               Deadline::never(), taken.memory);
      if (kept != DRAGON_SUCCESS) return kept;
      copy_bytes(taken.memory.data, small, taken.bytes);
      taken.is_inline = false;
    }
    kept_.push_back(std::move(taken));
    return too_long ? DRAGON_BUFFER_TOO_SHORT : status;
  }
  if (!there) {
    copy_bytes(into.data, taken.is_inline ? small : taken.memory.data, taken.bytes);
    if (!taken.is_inline) taken.pool->free(taken.memory.id);
  }
  out = ReceivedMessage();
  out.hints = taken.hints;
  out.bytes = taken.bytes;
  out.data = into.data;
  out.allocation = into.id;
  out.pool = to.get();
  return DRAGON_SUCCESS;
}

}  // namespace dragon::agent
