#include "binding/channel_calls.h"

#include <algorithm>

#include "binding/channel_face.h"
#include "binding/face.h"
#include "binding/lease.h"

namespace dragon::binding {

namespace {

constexpr size_t kArgumentsMax = 6;

// The arguments of a call, without the wrappers whose checks cost more than the call.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
    void* data = nullptr;
    napi_get_value_external(env, values_[0], &data);
    port_ = static_cast<ChannelPort*>(data);
  }
  // nullptr once the channel was closed here.
  Channel* channel() const {
    const bool open = port_ != nullptr && port_->channel != nullptr && !port_->channel->closed();
    return open ? port_->channel.get() : nullptr;
  }
  ChannelPort& port() const { return *port_; }
  napi_value value(size_t index) const { return values_[index]; }

  double number(size_t index, double otherwise) const {
    double number = otherwise;
    if (index < count_) napi_get_value_double(env_, values_[index], &number);
    return number;
  }
  // Nothing for what is no typed array or was detached.
  Bytes bytes(size_t index) const { return bytes_of_typed(env_, values_[index]); }
  Deadline deadline(size_t index) const {
    const double timeout_ms = number(index, 0);
    return timeout_ms == 0 ? Deadline::once() : Deadline::from_timeout_ms(timeout_ms);
  }

  static Bytes bytes_of_typed(napi_env env, napi_value value) {
    napi_typedarray_type type = napi_uint8_array;
    size_t length = 0;
    void* data = nullptr;
    const napi_status got =
        napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr);
    if (got != napi_ok) return {};
    return {static_cast<uint8_t*>(data), length * element_bytes(type)};
  }

 private:
  static size_t element_bytes(napi_typedarray_type type) {
    switch (type) {
      case napi_int8_array:
      case napi_uint8_array:
      case napi_uint8_clamped_array:
        return 1;
      case napi_int16_array:
      case napi_uint16_array:
        return 2;
      case napi_int32_array:
      case napi_uint32_array:
      case napi_float32_array:
        return 4;
      default:
        return 8;
    }
  }

  napi_env env_;
  size_t count_ = kArgumentsMax;
  napi_value values_[kArgumentsMax];
  ChannelPort* port_ = nullptr;
};

napi_value integer(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

// Results below 0 are statuses.
napi_value refusal(napi_env env, Status status) {
  return integer(env, -static_cast<int64_t>(status));
}

// send(port, parts, hints, timeoutMs): 0 or minus a status.
napi_value send(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const auto hints = static_cast<uint64_t>(arguments.number(2, 0));
  const Deadline deadline = arguments.deadline(3);
  const auto pass = [&](const iovec* parts, size_t count) {
    return deadline.is_once() ? channel->try_send(parts, count, hints)
                              : channel->send(parts, count, hints, deadline);
  };
  bool is_typed = false;
  napi_is_typedarray(env, arguments.value(1), &is_typed);
  if (is_typed) {
    const Bytes bytes = arguments.bytes(1);
    const iovec part{bytes.data, bytes.length};
    return refusal(env, pass(&part, 1));
  }
  Parts parts;
  if (!parts.take(Napi::Value(env, arguments.value(1)))) {
    return refusal(env, DRAGON_INVALID_ARGUMENT);
  }
  return refusal(env, pass(parts.data(), parts.count()));
}

Status take(Channel& channel, uint8_t* buffer, Deadline deadline, ReceivedMessage& out) {
  return deadline.is_once() ? channel.try_receive(buffer, out)
                            : channel.receive(buffer, deadline, out);
}

// A payload by descriptor as JavaScript gets it.
Napi::Value payload_value(Napi::Env env, const ChannelPort& port, const ReceivedMessage& message) {
  const std::shared_ptr<Pool> pool = message.pool->shared_from_this();
  if (!message.read_only && message.bytes >= kZeroCopyBytesMin &&
      port.leases->has_room(*pool, message.bytes)) {
    const Allocation payload{message.allocation, const_cast<uint8_t*>(message.data), message.bytes};
    return lend_payload(env, port.leases, pool, payload);
  }
  const Napi::Value bytes = copy_of(env, message.data, message.bytes);
  Channel::release(message);
  return bytes;
}

// receive(port, room, timeoutMs): the length of the bytes that lie in `room` now, or the payload
// where that was too short, or minus a status.
napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes room = arguments.bytes(1);
  const Deadline deadline = arguments.deadline(2);
  ReceivedMessage message;
  uint8_t large[kChannelBlockBytesMax];
  const bool fits = channel->block_bytes() <= room.length;
  const Status status = take(*channel, fits ? room.data : large, deadline, message);
  if (status != DRAGON_SUCCESS) return refusal(env, status);
  ChannelPort& port = arguments.port();
  port.words[kPortHints] = static_cast<double>(message.hints);
  if (message.allocation == 0) {
    if (fits) return integer(env, static_cast<int64_t>(message.bytes));
    if (message.bytes > room.length) return copy_of(env, message.data, message.bytes);
    std::copy_n(message.data, message.bytes, room.data);
    return integer(env, static_cast<int64_t>(message.bytes));
  }
  if (message.bytes > room.length) return payload_value(env, port, message);
  std::copy_n(message.data, message.bytes, room.data);
  Channel::release(message);
  return integer(env, static_cast<int64_t>(message.bytes));
}

// sendMany(port, list, first, hints, timeoutMs): how many of the list from `first` on were put in;
// the word kPortStatus says why no more. Waits for the first of them that finds no place.
napi_value send_many(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  uint32_t length = 0;
  napi_get_array_length(env, arguments.value(1), &length);
  const auto first = static_cast<uint32_t>(arguments.number(2, 0));
  const auto hints = static_cast<uint64_t>(arguments.number(3, 0));
  const Deadline deadline = arguments.deadline(4);
  Status status = DRAGON_SUCCESS;
  uint32_t next = first;
  for (; next < length; ++next) {
    napi_value item = nullptr;
    napi_get_element(env, arguments.value(1), next, &item);
    const Bytes bytes = Arguments::bytes_of_typed(env, item);
    const iovec part{bytes.data, bytes.length};
    status = channel->try_send(&part, 1, hints);
    if (status != DRAGON_SUCCESS && !deadline.is_once()) {
      status = channel->send(&part, 1, hints, deadline);
    }
    if (status != DRAGON_SUCCESS) break;
  }
  arguments.port().words[kPortStatus] = status;
  return integer(env, next - first);
}

// sendPacked(port, bytes, lengths, first, hints, timeoutMs): the same for messages that lie one
// behind the other in `bytes`; skips those before `first`.
napi_value send_packed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes bytes = arguments.bytes(1);
  const Bytes table = arguments.bytes(2);
  const auto* lengths = reinterpret_cast<const uint32_t*>(table.data);
  const auto count = static_cast<uint32_t>(table.length / sizeof(uint32_t));
  const auto first = static_cast<uint32_t>(arguments.number(3, 0));
  const auto hints = static_cast<uint64_t>(arguments.number(4, 0));
  const Deadline deadline = arguments.deadline(5);
  Status status = DRAGON_SUCCESS;
  size_t at = 0;
  uint32_t next = 0;
  for (; next < count; ++next) {
    if (lengths[next] > bytes.length - at) {
      status = DRAGON_INVALID_ARGUMENT;
      break;
    }
    if (next >= first) {
      const iovec part{bytes.data + at, lengths[next]};
      status = channel->try_send(&part, 1, hints);
      if (status != DRAGON_SUCCESS && !deadline.is_once()) {
        status = channel->send(&part, 1, hints, deadline);
      }
      if (status != DRAGON_SUCCESS) break;
    }
    at += lengths[next];
  }
  arguments.port().words[kPortStatus] = status;
  return integer(env, next < first ? 0 : next - first);
}

// receivePacked(port, bytes, lengths, hints, timeoutMs): how many messages were laid one behind
// the other in `bytes`. Waits for the first only. Ends early before a message that might not
// fit, and behind one by descriptor that did not: then kPortStatus is BUFFER_TOO_SHORT, and
// `receiveHeld` has that one.
napi_value receive_packed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes bytes = arguments.bytes(1);
  const Bytes table = arguments.bytes(2);
  const Bytes hint_table = arguments.bytes(3);
  auto* lengths = reinterpret_cast<uint32_t*>(table.data);
  auto* hints = reinterpret_cast<double*>(hint_table.data);
  const size_t most = table.length / sizeof(uint32_t);
  const size_t hints_most = hint_table.length / sizeof(double);
  ChannelPort& port = arguments.port();
  Deadline deadline = arguments.deadline(4);
  Status status = DRAGON_SUCCESS;
  size_t at = 0;
  size_t count = 0;
  while (count < most && status == DRAGON_SUCCESS) {
    if (bytes.length - at < channel->block_bytes()) {
      status = count == 0 ? DRAGON_INVALID_ARGUMENT : DRAGON_SUCCESS;
      break;
    }
    ReceivedMessage message;
    status = take(*channel, bytes.data + at, deadline, message);
    if (status != DRAGON_SUCCESS) break;
    deadline = Deadline::once();
    if (message.allocation != 0) {
      if (message.bytes > bytes.length - at || message.bytes >= kZeroCopyBytesMin) {
        port.held = message;
        port.is_holding = true;
        status = DRAGON_BUFFER_TOO_SHORT;
        break;
      }
      std::copy_n(message.data, message.bytes, bytes.data + at);
      Channel::release(message);
    }
    lengths[count] = static_cast<uint32_t>(message.bytes);
    if (count < hints_most) hints[count] = static_cast<double>(message.hints);
    at += message.bytes;
    ++count;
  }
  port.words[kPortStatus] = status;
  return integer(env, static_cast<int64_t>(count));
}

// receiveHeld(port): the payload that `receivePacked` ended with.
napi_value receive_held(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (arguments.channel() == nullptr) return refusal(env, DRAGON_CLOSED);
  ChannelPort& port = arguments.port();
  if (!port.is_holding) return refusal(env, DRAGON_EMPTY);
  port.is_holding = false;
  port.words[kPortHints] = static_cast<double>(port.held.hints);
  return payload_value(env, port, port.held);
}

}  // namespace

void init_channel_calls(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, napi_callback call) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    exports.Set(name, Napi::Value(env, function));
  };
  add("send", send);
  add("receive", receive);
  add("sendMany", send_many);
  add("sendPacked", send_packed);
  add("receivePacked", receive_packed);
  add("receiveHeld", receive_held);
}

}  // namespace dragon::binding
