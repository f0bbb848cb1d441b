#include "binding/channel_calls.h"

#include <algorithm>

#include "binding/channel_face.h"
#include "binding/face.h"
#include "binding/lease.h"
#include "queue/queue.h"

namespace dragon::binding {

namespace {

constexpr size_t kArgumentsMax = 8;
constexpr size_t kBatchMax = 256;

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
  Bytes bytes(size_t index) const {
    Bytes bytes;
    if (index < count_) bytes_of_typed(env_, values_[index], bytes);
    return bytes;
  }
  bool hints(size_t index, uint64_t& out) const { return hints_of(number(index, 0), out); }
  // The board of the task queue that the channel is part of, if any.
  TaskBoard* tasks(size_t index) const {
    void* board = nullptr;
    if (index >= count_ || napi_get_value_external(env_, values_[index], &board) != napi_ok) {
      return nullptr;
    }
    return static_cast<std::shared_ptr<TaskBoard>*>(board)->get();
  }
  Deadline deadline(size_t index) const {
    const double timeout_ms = number(index, 0);
    return timeout_ms == 0 ? Deadline::once() : Deadline::from_timeout_ms(timeout_ms);
  }

  static bool bytes_of_typed(napi_env env, napi_value value, Bytes& out) {
    napi_typedarray_type type = napi_uint8_array;
    size_t length = 0;
    void* data = nullptr;
    const napi_status got =
        napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr);
    if (got != napi_ok) return false;
    out = {static_cast<uint8_t*>(data), length * element_bytes(type)};
    return true;
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

// send(port, parts, hints, timeoutMs, how): 0 or minus a status.
napi_value send(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  uint64_t hints = 0;
  if (!arguments.hints(2, hints)) return refusal(env, DRAGON_INVALID_ARGUMENT);
  const Deadline deadline = arguments.deadline(3);
  const SendWay way = send_way_of(arguments.number(4, kHowUsual));
  const auto pass = [&](const iovec* parts, size_t count) {
    return deadline.is_once() && way.mode != ReturnMode::kWhenReceived
               ? channel->try_send(parts, count, hints)
               : channel->send(parts, count, hints, deadline, way.mode, way.wait);
  };
  Bytes bytes;
  if (Arguments::bytes_of_typed(env, arguments.value(1), bytes)) {
    const iovec part{bytes.data, bytes.length};
    return refusal(env, pass(&part, 1));
  }
  Parts parts;
  if (!parts.take(Napi::Value(env, arguments.value(1)))) {
    return refusal(env, DRAGON_INVALID_ARGUMENT);
  }
  return refusal(env, pass(parts.data(), parts.count()));
}

// sendAt(port, bytes, offset, length): tries to send a part of the bytes, without hints; 0 or minus
// a status. Cheaper than a view of that part.
napi_value send_at(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes bytes = arguments.bytes(1);
  const auto offset = static_cast<size_t>(arguments.number(2, 0));
  const auto length = static_cast<size_t>(arguments.number(3, 0));
  if (offset > bytes.length || length > bytes.length - offset) {
    return refusal(env, DRAGON_INVALID_ARGUMENT);
  }
  const iovec part{bytes.data + offset, length};
  return refusal(env, channel->try_send(&part, 1, 0));
}

Status take(Channel& channel, uint8_t* buffer, Deadline deadline, WaitMode wait,
            ReceivedMessage& out) {
  return deadline.is_once() ? channel.try_receive(buffer, out)
                            : channel.receive(buffer, deadline, out, wait);
}

// A payload by descriptor as JavaScript gets it, or minus a status.
napi_value payload_value(Napi::Env env, const ChannelPort& port, const ReceivedMessage& message) {
  const std::shared_ptr<Pool> pool = message.pool->shared_from_this();
  if (!message.read_only && message.bytes >= kZeroCopyBytesMin &&
      port.leases->has_room(*pool, message.bytes)) {
    const Allocation payload{message.allocation, const_cast<uint8_t*>(message.data), message.bytes};
    return lend_payload(env, port.leases, pool, payload);
  }
  const Napi::Value bytes = copy_of(env, message.data, message.bytes);
  if (!Channel::is_there(message)) return refusal(env, DRAGON_OBJECT_DESTROYED);
  Channel::release(message);
  return bytes;
}

// receive(port, room, timeoutMs, waitMode, tasks): the length of the bytes that lie in `room` now,
// or the payload where that was too short, or minus a status. With `tasks`, the port of a board,
// what was received is a task in hand.
napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes room = arguments.bytes(1);
  const Deadline deadline = arguments.deadline(2);
  ReceivedMessage message;
  uint8_t large[kChannelBlockBytesMax];
  const bool fits = channel->block_bytes() <= room.length;
  const WaitMode wait = wait_mode_of(arguments.number(3, 0));
  uint8_t* place = fits ? room.data : large;
  TaskBoard* tasks = arguments.tasks(4);
  const Status status = tasks == nullptr ? take(*channel, place, deadline, wait, message)
                                         : get_task(*channel, *tasks, place, deadline, message);
  if (status != DRAGON_SUCCESS) return refusal(env, status);
  ChannelPort& port = arguments.port();
  port.words[kPortHints] = static_cast<double>(message.hints);
  port.words[kPortReadOnly] = message.read_only ? 1 : 0;
  if (message.allocation == 0) {
    if (fits) return integer(env, static_cast<int64_t>(message.bytes));
    if (message.bytes > room.length) return copy_of(env, message.data, message.bytes);
    std::copy_n(message.data, message.bytes, room.data);
    return integer(env, static_cast<int64_t>(message.bytes));
  }
  if (message.bytes > room.length) return payload_value(env, port, message);
  std::copy_n(message.data, message.bytes, room.data);
  if (!Channel::is_there(message)) return refusal(env, DRAGON_OBJECT_DESTROYED);
  Channel::release(message);
  return integer(env, static_cast<int64_t>(message.bytes));
}

Status take_bytes(Channel& channel, const Bytes& room, Deadline deadline, WaitMode wait,
                  ReceivedMessage& out) {
  return deadline.is_once() ? channel.try_receive_bytes(room.data, room.length, out)
                            : channel.receive_bytes(room.data, room.length, deadline, out, wait);
}

// receiveInto(port, room, timeoutMs, waitMode): the length of the message that lies in `room` now,
// or minus a status. One that does not fit stays: BUFFER_TOO_SHORT, with kPortBytes.
napi_value receive_into(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  ReceivedMessage message;
  ChannelPort& port = arguments.port();
  const Status status = take_bytes(*channel, arguments.bytes(1), arguments.deadline(2),
                                   wait_mode_of(arguments.number(3, 0)), message);
  port.words[kPortBytes] = static_cast<double>(message.bytes);
  if (status != DRAGON_SUCCESS) return refusal(env, status);
  port.words[kPortHints] = static_cast<double>(message.hints);
  port.words[kPortReadOnly] = message.read_only ? 1 : 0;
  return integer(env, static_cast<int64_t>(message.bytes));
}

// Sends the messages from `first` on that `next_part` gives, of `count` in all; how many went. The
// word kPortStatus says why no more.
template <typename NextPart>
napi_value send_parts(napi_env env, const Arguments& arguments, uint32_t first, uint32_t count,
                      double hints_number, Deadline deadline, NextPart&& next_part) {
  iovec parts[kBatchMax];
  uint64_t hints = 0;
  Status status = hints_of(hints_number, hints) ? DRAGON_SUCCESS : DRAGON_INVALID_ARGUMENT;
  uint32_t next = first;
  while (status == DRAGON_SUCCESS && next < count) {
    size_t size = 0;
    bool valid = true;
    while (size < kBatchMax && next + size < count && valid) {
      valid = next_part(next + static_cast<uint32_t>(size), parts[size]);
      if (valid) ++size;
    }
    size_t sent = 0;
    status = arguments.channel()->send_many(parts, size, hints, deadline, sent);
    next += static_cast<uint32_t>(sent);
    if (status == DRAGON_SUCCESS && !valid) status = DRAGON_INVALID_ARGUMENT;
  }
  arguments.port().words[kPortStatus] = status;
  return integer(env, next < first ? 0 : next - first);
}

// sendMany(port, list, first, hints, timeoutMs): the messages of the list from `first` on. Waits
// for room unless the time-out is 0.
napi_value send_many(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (arguments.channel() == nullptr) return refusal(env, DRAGON_CLOSED);
  uint32_t length = 0;
  napi_get_array_length(env, arguments.value(1), &length);
  const auto part_of = [&](uint32_t index, iovec& out) {
    napi_value item = nullptr;
    Bytes bytes;
    napi_get_element(env, arguments.value(1), index, &item);
    const bool is_typed = Arguments::bytes_of_typed(env, item, bytes);
    out = {bytes.data, bytes.length};
    return is_typed;
  };
  return send_parts(env, arguments, static_cast<uint32_t>(arguments.number(2, 0)), length,
                    arguments.number(3, 0), arguments.deadline(4), part_of);
}

// sendPacked(port, bytes, lengths, first, hints, timeoutMs): the same for messages that lie one
// behind the other in `bytes`; skips those before `first`.
napi_value send_packed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (arguments.channel() == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes bytes = arguments.bytes(1);
  const Bytes table = arguments.bytes(2);
  const auto* lengths = reinterpret_cast<const uint32_t*>(table.data);
  const auto count = static_cast<uint32_t>(table.length / sizeof(uint32_t));
  const auto first = std::min(static_cast<uint32_t>(arguments.number(3, 0)), count);
  size_t at = 0;
  for (uint32_t i = 0; i < first; ++i) at += lengths[i];
  const auto part_of = [&](uint32_t index, iovec& out) {
    if (at > bytes.length || lengths[index] > bytes.length - at) return false;
    out = {bytes.data + at, lengths[index]};
    at += lengths[index];
    return true;
  };
  return send_parts(env, arguments, first, count, arguments.number(4, 0), arguments.deadline(5),
                    part_of);
}

// receivePacked(port, bytes, lengths, hints, timeoutMs, waitMode, most, flags): how many messages
// were laid one behind the other in `bytes`. Waits for the first only. Ends before one that has no
// room or is longer than `most`: then kPortStatus is BUFFER_TOO_SHORT, and kPortBytes its length.
napi_value receive_packed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Channel* channel = arguments.channel();
  if (channel == nullptr) return refusal(env, DRAGON_CLOSED);
  const Bytes bytes = arguments.bytes(1);
  const Bytes table = arguments.bytes(2);
  const Bytes hint_table = arguments.bytes(3);
  const Bytes flags = arguments.bytes(7);
  auto* lengths = reinterpret_cast<uint32_t*>(table.data);
  auto* hints = reinterpret_cast<double*>(hint_table.data);
  const size_t count_max = table.length / sizeof(uint32_t);
  const size_t hints_max = hint_table.length / sizeof(double);
  const WaitMode wait = wait_mode_of(arguments.number(5, 0));
  const double most = arguments.number(6, 9e15);
  ChannelPort& port = arguments.port();
  Deadline deadline = arguments.deadline(4);
  Status status = DRAGON_SUCCESS;
  size_t at = 0;
  size_t count = 0;
  while (count < count_max) {
    const size_t room = std::min(bytes.length - at, static_cast<size_t>(most));
    ReceivedMessage message;
    status = take_bytes(*channel, {bytes.data + at, room}, deadline, wait, message);
    if (status == DRAGON_BUFFER_TOO_SHORT) {
      port.words[kPortBytes] = static_cast<double>(message.bytes);
    }
    if (status != DRAGON_SUCCESS) break;
    deadline = Deadline::once();
    lengths[count] = static_cast<uint32_t>(message.bytes);
    if (count < hints_max) hints[count] = static_cast<double>(message.hints);
    if (count < flags.length) flags.data[count] = message.read_only ? 1 : 0;
    at += message.bytes;
    ++count;
  }
  port.words[kPortStatus] = status;
  return integer(env, static_cast<int64_t>(count));
}

}  // namespace

void init_channel_calls(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, napi_callback call) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    exports.Set(name, Napi::Value(env, function));
  };
  add("send", send);
  add("sendAt", send_at);
  add("receive", receive);
  add("receiveInto", receive_into);
  add("sendMany", send_many);
  add("sendPacked", send_packed);
  add("receivePacked", receive_packed);
}

}  // namespace dragon::binding
