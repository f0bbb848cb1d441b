// Ends of a channel with habits of their own.
#include "c/objects.h"
#include "channel/channel_handles.h"

namespace c = dragon::c;

struct dragon_send_handle {
  dragon::SendHandle object;
};
struct dragon_receive_handle {
  dragon_channel_t* channel;
  dragon::ReceiveHandle object;
};

namespace {

constexpr uint64_t kNsInMs = 1'000'000;
constexpr int64_t kTimeoutMsMax = INT64_MAX / static_cast<int64_t>(kNsInMs);

uint64_t timeout_ns_of(int64_t timeout_ms) {
  if (timeout_ms < 0 || timeout_ms > kTimeoutMsMax) return dragon::kNoTimeout;
  return static_cast<uint64_t>(timeout_ms) * kNsInMs;
}

bool is_wait(dragon_wait_t waits) {
  return waits >= DRAGON_WAIT_ADAPTIVE && waits <= DRAGON_WAIT_IDLE;
}

dragon::WaitMode wait_of(dragon_wait_t waits) {
  return static_cast<dragon::WaitMode>(waits);
}
static_assert(DRAGON_WAIT_SPIN == static_cast<int>(dragon::WaitMode::kSpin));
static_assert(DRAGON_WAIT_IDLE == static_cast<int>(dragon::WaitMode::kIdle));

template <typename Handle>
dragon_status_t open(Handle* handle) {
  return handle == nullptr ? DRAGON_INVALID_ARGUMENT : handle->object.open();
}

template <typename Handle>
dragon_status_t close(Handle* handle) {
  return handle == nullptr ? DRAGON_INVALID_ARGUMENT : handle->object.close();
}

template <typename... Time>
dragon_status_t send(dragon_send_handle_t* handle, const dragon_part_t* parts, size_t count,
                     uint64_t hints, Time... time) {
  c::Parts gathered;
  if (handle == nullptr || !gathered.gather(parts, count)) return DRAGON_INVALID_ARGUMENT;
  return handle->object.send(gathered.data(), count, hints, time...);
}

template <typename... Time>
dragon_status_t receive(dragon_receive_handle_t* handle, void* buffer, uint64_t capacity,
                        dragon_message_t* out, Time... time) {
  if (handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  const uint32_t needed = handle->object.channel().block_bytes();
  if (buffer == nullptr && needed > 0) return DRAGON_INVALID_ARGUMENT;
  if (capacity < needed) return DRAGON_BUFFER_TOO_SHORT;
  dragon::ReceivedMessage message;
  const dragon_status_t status =
      handle->object.receive(static_cast<uint8_t*>(buffer), time..., message);
  if (status == DRAGON_SUCCESS) *out = c::described(*handle->channel, message);
  return status;
}

}  // namespace

dragon_status_t dragon_send_handle_create(dragon_channel_t* channel,
                                          const dragon_send_handle_options_t* options,
                                          dragon_send_handle_t** out) {
  const dragon_send_handle_options_t given =
      c::options_of(options, dragon_send_handle_options_t DRAGON_SEND_HANDLE_OPTIONS);
  if (channel == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (!is_wait(given.waits) || !c::is_return(given.returns)) return DRAGON_INVALID_ARGUMENT;
  const dragon::SendHandleOptions wanted = {c::mode_of(given.returns),
                                            timeout_ns_of(given.timeout_ms), wait_of(given.waits)};
  auto* made = new (std::nothrow) dragon_send_handle{dragon::SendHandle(*channel->object, wanted)};
  if (made == nullptr) return DRAGON_OUT_OF_MEMORY;
  *out = made;
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_receive_handle_create(dragon_channel_t* channel,
                                             const dragon_receive_handle_options_t* options,
                                             dragon_receive_handle_t** out) {
  const dragon_receive_handle_options_t given =
      c::options_of(options, dragon_receive_handle_options_t DRAGON_RECEIVE_HANDLE_OPTIONS);
  if (channel == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (!is_wait(given.waits)) return DRAGON_INVALID_ARGUMENT;
  const dragon::ReceiveHandleOptions wanted = {timeout_ns_of(given.timeout_ms),
                                               wait_of(given.waits)};
  auto* made = new (std::nothrow)
      dragon_receive_handle{channel, dragon::ReceiveHandle(*channel->object, wanted)};
  if (made == nullptr) return DRAGON_OUT_OF_MEMORY;
  *out = made;
  return DRAGON_SUCCESS;
}

void dragon_send_handle_free(dragon_send_handle_t* handle) {
  delete handle;
}

void dragon_receive_handle_free(dragon_receive_handle_t* handle) {
  delete handle;
}

dragon_status_t dragon_send_handle_open(dragon_send_handle_t* handle) {
  return open(handle);
}

dragon_status_t dragon_receive_handle_open(dragon_receive_handle_t* handle) {
  return open(handle);
}

dragon_status_t dragon_send_handle_close(dragon_send_handle_t* handle) {
  return close(handle);
}

dragon_status_t dragon_receive_handle_close(dragon_receive_handle_t* handle) {
  return close(handle);
}

dragon_status_t dragon_send_handle_send(dragon_send_handle_t* handle, const dragon_part_t* parts,
                                        size_t count, uint64_t hints) {
  return send(handle, parts, count, hints);
}

dragon_status_t dragon_send_handle_send_within(dragon_send_handle_t* handle,
                                               const dragon_part_t* parts, size_t count,
                                               uint64_t hints, int64_t timeout_ms) {
  return send(handle, parts, count, hints, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_send_handle_send_allocation(dragon_send_handle_t* handle,
                                                   uint64_t allocation, uint64_t hints,
                                                   uint32_t read_only, int64_t timeout_ms) {
  if (handle == nullptr) return DRAGON_INVALID_ARGUMENT;
  return handle->object.send_allocation(allocation, hints, read_only != 0,
                                        c::deadline_of(timeout_ms));
}

dragon_status_t dragon_receive_handle_receive(dragon_receive_handle_t* handle, void* buffer,
                                              uint64_t capacity, dragon_message_t* out) {
  return receive(handle, buffer, capacity, out);
}

dragon_status_t dragon_receive_handle_receive_within(dragon_receive_handle_t* handle, void* buffer,
                                                     uint64_t capacity, int64_t timeout_ms,
                                                     dragon_message_t* out) {
  return receive(handle, buffer, capacity, out, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_channel_masquerade_as_remote(dragon_channel_t* channel, uint32_t remote) {
  if (channel == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (!c::answers(channel)) return DRAGON_CLOSED;
  channel->object->masquerade_as_remote(remote != 0);
  return DRAGON_SUCCESS;
}
