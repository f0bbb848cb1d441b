// What a port does at once: the requests that come in, and what goes back.
#include <algorithm>

#include "agent/home_port.h"

namespace dragon::agent {

namespace {

bool tries_once(const Message& message) {
  return (message.flags & kFlagTry) != 0;
}

}  // namespace

void HomePort::request(const Message& message, const uint8_t* payload, size_t bytes) {
  if (closing_) return answer(message, DRAGON_CLOSED);
  switch (message.op) {
    case Op::kSend: {
      Send send;
      send.message = message;
      send.message.bytes = bytes;
      if (sends_.empty()) {
        const Status status = try_send(send, payload);
        if (status == DRAGON_SUCCESS) {
          if (!receipts_.empty()) run();
          return;
        }
      } else if (tries_once(message)) {
        return end_send(message, DRAGON_FULL);
      }
      send.bytes.assign(payload, payload + bytes);
      sends_.push_back(std::move(send));
      return run();
    }
    case Op::kReceive:
      if (receives_.empty() && try_receive(message)) return;
      if (tries_once(message)) return answer(message, DRAGON_EMPTY);
      receives_.push_back(message);
      return run();
    case Op::kPoll: {
      if (message.what >= poll_lanes_.size()) return answer(message, DRAGON_INVALID_ARGUMENT);
      const Status status = channel_->try_poll(static_cast<PollEvent>(message.what));
      if (status != DRAGON_WOULD_BLOCK || tries_once(message)) return answer(message, status);
      polls_.push_back(message);
      return run();
    }
    case Op::kPeek:
      return peek(message);
    default:
      return act(message, payload, bytes);
  }
}

void HomePort::act(const Message& message, const uint8_t* payload, size_t bytes) {
  switch (message.op) {
    case Op::kOpenRole: {
      RecordId record = 0;
      const auto role = static_cast<Role>(message.what);
      if (message.what >= kRoles) return answer(message, DRAGON_INVALID_ARGUMENT);
      const Status status = channel_->open_handle(role, record);
      return answer(message, status, status == DRAGON_SUCCESS ? remember(record) : 0);
    }
    case Op::kCloseRole: {
      const auto found = handles_.find(message.what);
      if (found == handles_.end()) return answer(message, DRAGON_CLOSED);
      channel_->close_handle(found->second);
      handles_.erase(found);
      return answer(message, DRAGON_SUCCESS);
    }
    case Op::kPop:
      return answer(message, channel_->try_pop());
    case Op::kReset: {
      const uint64_t before = channel_->message_count();
      return answer(message, channel_->reset(), static_cast<uint32_t>(before));
    }
    case Op::kDestroy:
      return answer(message, channel_->destroy());
    case Op::kInfo:
      return send_info(message);
    case Op::kLend:
      return lend(message);
    case Op::kCancelLent: {
      const bool done = channel_->cancel_lent(payload, bytes);
      return answer(message, done ? DRAGON_SUCCESS : DRAGON_NOT_FOUND);
    }
    default:
      return answer(message, DRAGON_NOT_SUPPORTED);
  }
}

uint32_t HomePort::remember(RecordId record) {
  handles_[++last_handle_] = record;
  return last_handle_;
}

void HomePort::answer(const Message& to, Status status, uint32_t what) {
  if (to.request == 0) return;
  Message message = to;
  message.kind = MessageKind::kAnswer;
  message.flags = 0;
  message.status = status;
  message.bytes = 0;
  message.what = what;
  outbox_.send(from_, message);
}

void HomePort::answer_bytes(const Message& to, const void* payload, size_t bytes) {
  Message message = to;
  message.kind = MessageKind::kAnswer;
  message.status = DRAGON_SUCCESS;
  message.bytes = bytes;
  outbox_.send(from_, message, payload, bytes);
}

// False if there is no message now.
bool HomePort::try_receive(const Message& message) {
  const uint64_t limit = std::min(message.limit, kEagerBytes);
  ReceivedMessage received;
  Status status = channel_->try_receive_bytes(room_.scratch(), limit, received);
  if (status == DRAGON_BUFFER_TOO_SHORT && received.bytes <= message.limit) {
    status = channel_->try_receive_into(channel_->pool(), 0, received);
  }
  if (status == DRAGON_EMPTY || status == DRAGON_WOULD_BLOCK || status == DRAGON_OUT_OF_MEMORY) {
    if (status == DRAGON_OUT_OF_MEMORY) short_of_memory_ = true;
    if (!tries_once(message)) return false;
  }
  if (status == DRAGON_SUCCESS) {
    deliver(message, received);
  } else {
    Message refused = message;
    refused.kind = MessageKind::kAnswer;
    refused.flags = 0;
    refused.status = status;
    refused.bytes = status == DRAGON_BUFFER_TOO_SHORT ? received.bytes : 0;
    outbox_.send(from_, refused);
  }
  return true;
}

void HomePort::deliver(const Message& to, const ReceivedMessage& received) {
  Message message = to;
  message.hints = received.hints;
  message.flags = 0;
  if (received.allocation == 0) return answer_bytes(message, received.data, received.bytes);
  if (received.bytes <= kEagerBytes) {
    answer_bytes(message, received.data, received.bytes);
    received.pool->free(received.allocation);
    return;
  }
  message.kind = MessageKind::kAnswer;
  message.status = DRAGON_SUCCESS;
  message.bytes = received.bytes;
  const std::shared_ptr<Pool> pool = received.pool->shared_from_this();
  outbox_.offer(from_, message, received.data, room_.offering(pool, received.allocation));
}

// As much of the message as an eager answer holds; `bytes` is its length.
void HomePort::peek(const Message& message) {
  ReceivedMessage received;
  const uint64_t room = std::min(message.limit, kEagerBytes);
  const Status status = channel_->try_peek(room_.scratch(), room, received);
  if (status != DRAGON_SUCCESS) {
    Message refused = message;
    refused.kind = MessageKind::kAnswer;
    refused.flags = 0;
    refused.status = status;
    refused.bytes = status == DRAGON_BUFFER_TOO_SHORT ? received.bytes : 0;
    return outbox_.send(from_, refused);
  }
  Message answered = message;
  answered.flags = 0;
  answered.hints = received.hints;
  answer_bytes(answered, received.data, received.bytes);
}

void HomePort::lend(const Message& message) {
  HandleBytes handle;
  if (message.what >= kRoles) return answer(message, DRAGON_INVALID_ARGUMENT);
  const Status status = channel_->lend(static_cast<Role>(message.what), handle);
  if (status != DRAGON_SUCCESS) return answer(message, status);
  std::array<uint8_t, kHandleBytes>& kept = lent_.emplace_back();
  std::copy(std::begin(handle), std::end(handle), kept.begin());
  Message answered = message;
  answered.flags = 0;
  answer_bytes(answered, handle, sizeof handle);
}

void HomePort::send_info(const Message& message) {
  if (channel_->destroyed()) return answer(message, DRAGON_OBJECT_DESTROYED);
  uint8_t info[kInfoBytes];
  encode_info(channel_->info(), info);
  Message answered = message;
  answered.flags = 0;
  answer_bytes(answered, info, sizeof info);
}

}  // namespace dragon::agent
