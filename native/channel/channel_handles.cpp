// Ends of a channel; see channel_handles.h.
#include "channel/channel_handles.h"

namespace dragon {

Status ChannelEnd::open() {
  if (is_open()) return DRAGON_STATE;
  return channel_.open_handle(role_, record_);
}

Status ChannelEnd::close() {
  if (!is_open()) return DRAGON_CLOSED;
  channel_.close_handle(record_);
  record_ = 0;
  return DRAGON_SUCCESS;
}

Deadline ChannelEnd::deadline_of(uint64_t timeout_ns) {
  if (timeout_ns == kNoTimeout) return Deadline::never();
  return timeout_ns == 0 ? Deadline::once() : Deadline::after_ns(timeout_ns);
}

Status SendHandle::send(const iovec* parts, size_t count, uint64_t hints) {
  return send(parts, count, hints, deadline_of(options_.timeout_ns));
}

Status SendHandle::send(const iovec* parts, size_t count, uint64_t hints, Deadline deadline) {
  if (!is_open()) return DRAGON_CLOSED;
  return channel().send(parts, count, hints, deadline, options_.mode, options_.wait);
}

Status SendHandle::send_allocation(uint64_t allocation, uint64_t hints, bool read_only,
                                   Deadline deadline) {
  if (!is_open()) return DRAGON_CLOSED;
  return channel().send_allocation(allocation, hints, deadline, options_.mode, read_only,
                                   options_.wait);
}

Status ReceiveHandle::receive(uint8_t* buffer, ReceivedMessage& out) {
  return receive(buffer, deadline_of(options_.timeout_ns), out);
}

Status ReceiveHandle::receive(uint8_t* buffer, Deadline deadline, ReceivedMessage& out) {
  if (!is_open()) return DRAGON_CLOSED;
  return channel().receive(buffer, deadline, out, options_.wait);
}

}  // namespace dragon
