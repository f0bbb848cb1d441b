// Channels.
#include <sys/uio.h>

#include <array>

#include "c/objects.h"

namespace c = dragon::c;

namespace {

constexpr size_t kPartsMax = 1024;

iovec io_part(const dragon_part_t& part) {
  return {const_cast<void*>(part.data), part.bytes};
}

dragon_message_t described(const dragon::ReceivedMessage& message) {
  return {message.data, message.bytes, message.hints, message.allocation};
}

dragon_status_t send_one(dragon_channel_t* channel, const dragon_part_t& part, uint64_t hints,
                         dragon::Deadline deadline) {
  const iovec one = io_part(part);
  return channel->object->send(&one, 1, hints, deadline);
}

dragon_status_t receive_one(dragon_channel_t* channel, uint8_t* buffer, dragon::Deadline deadline,
                            dragon_message_t& out) {
  dragon::ReceivedMessage message;
  const dragon_status_t status = channel->object->receive(buffer, deadline, message);
  if (status == DRAGON_SUCCESS) out = described(message);
  return status;
}

bool is_role(dragon_role_t role) {
  return role == DRAGON_SENDER || role == DRAGON_RECEIVER;
}

}  // namespace

dragon_status_t dragon_channel_create(dragon_pool_t* pool, const dragon_channel_options_t* options,
                                      dragon_channel_t** out) {
  const dragon_channel_options_t given = c::options_of(options, DRAGON_CHANNEL_OPTIONS);
  dragon::ChannelOptions wanted;
  wanted.capacity = given.capacity;
  wanted.block_bytes = given.block_bytes;
  wanted.end_of_stream = given.end_of_stream != 0;
  return c::create_object<dragon::Channel>(pool, out, wanted);
}

dragon_status_t dragon_channel_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                      dragon_channel_t** out) {
  return c::attach_object<dragon::Channel>(node, handle, out);
}

dragon_status_t dragon_channel_handle(const dragon_channel_t* channel, dragon_handle_t* out) {
  return c::handle_of(channel, out);
}

dragon_status_t dragon_channel_destroy(dragon_channel_t* channel) {
  return c::destroy_object(channel);
}

void dragon_channel_close(dragon_channel_t* channel) {
  if (channel == nullptr) return;
  channel->object->close();
  delete channel;
}

dragon_status_t dragon_channel_open_end(dragon_channel_t* channel, dragon_role_t role,
                                        uint64_t* end) {
  if (channel == nullptr || end == nullptr || !is_role(role)) return DRAGON_INVALID_ARGUMENT;
  dragon::RecordId record = 0;
  const auto wanted = role == DRAGON_SENDER ? dragon::Role::kSender : dragon::Role::kReceiver;
  const dragon_status_t status = channel->object->open_handle(wanted, record);
  if (status == DRAGON_SUCCESS) *end = record;
  return status;
}

void dragon_channel_close_end(dragon_channel_t* channel, uint64_t end) {
  if (c::answers(channel)) channel->object->close_handle(end);
}

dragon_status_t dragon_channel_send(dragon_channel_t* channel, const void* data, uint64_t bytes,
                                    uint64_t hints, int64_t timeout_ms) {
  const dragon_part_t part = {data, bytes};
  return dragon_channel_send_parts(channel, &part, 1, hints, timeout_ms);
}

dragon_status_t dragon_channel_send_parts(dragon_channel_t* channel, const dragon_part_t* parts,
                                          size_t count, uint64_t hints, int64_t timeout_ms) {
  if (channel == nullptr || (parts == nullptr && count > 0) || count > kPartsMax) {
    return DRAGON_INVALID_ARGUMENT;
  }
  std::array<iovec, kPartsMax> gathered;
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].data == nullptr && parts[i].bytes > 0) return DRAGON_INVALID_ARGUMENT;
    gathered[i] = io_part(parts[i]);
  }
  return channel->object->send(gathered.data(), count, hints, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_channel_send_many(dragon_channel_t* channel, const dragon_part_t* messages,
                                         size_t count, int64_t timeout_ms, size_t* sent) {
  if (channel == nullptr || messages == nullptr || count == 0 || sent == nullptr) {
    return DRAGON_INVALID_ARGUMENT;
  }
  dragon_status_t status = send_one(channel, messages[0], 0, c::deadline_of(timeout_ms));
  if (status != DRAGON_SUCCESS) return status;
  size_t went = 1;
  while (went < count &&
         send_one(channel, messages[went], 0, dragon::Deadline::once()) == DRAGON_SUCCESS) {
    ++went;
  }
  *sent = went;
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_channel_send_allocation(dragon_channel_t* channel, uint64_t allocation,
                                               uint64_t hints, int64_t timeout_ms) {
  if (channel == nullptr) return DRAGON_INVALID_ARGUMENT;
  return channel->object->send_allocation(allocation, hints, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_channel_receive(dragon_channel_t* channel, void* buffer, uint64_t capacity,
                                       int64_t timeout_ms, dragon_message_t* out) {
  size_t received = 0;
  return dragon_channel_receive_many(channel, buffer, capacity, out, 1, timeout_ms, &received);
}

dragon_status_t dragon_channel_receive_many(dragon_channel_t* channel, void* buffer,
                                            uint64_t capacity, dragon_message_t* out, size_t count,
                                            int64_t timeout_ms, size_t* received) {
  if (channel == nullptr || out == nullptr || count == 0 || received == nullptr) {
    return DRAGON_INVALID_ARGUMENT;
  }
  const uint64_t block = channel->object->block_bytes();
  if (block > 0 && buffer == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (block > 0 && capacity / block < count) return DRAGON_BUFFER_TOO_SHORT;
  auto* next = static_cast<uint8_t*>(buffer);
  dragon_status_t status = receive_one(channel, next, c::deadline_of(timeout_ms), out[0]);
  if (status != DRAGON_SUCCESS) return status;
  size_t came = 1;
  for (; came < count; ++came) {
    next += block;
    status = receive_one(channel, next, dragon::Deadline::once(), out[came]);
    if (status != DRAGON_SUCCESS) break;
  }
  *received = came;
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_message_free(dragon_channel_t* channel, dragon_message_t* message) {
  if (channel == nullptr || message == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (message->allocation == 0) return DRAGON_SUCCESS;
  const dragon_status_t status = channel->object->pool().free(message->allocation);
  message->allocation = 0;
  return status;
}

dragon_status_t dragon_channel_peek(dragon_channel_t* channel, void* buffer, uint64_t capacity,
                                    dragon_message_t* out) {
  if (channel == nullptr || out == nullptr || (buffer == nullptr && capacity > 0)) {
    return DRAGON_INVALID_ARGUMENT;
  }
  dragon::ReceivedMessage message;
  const dragon_status_t status =
      channel->object->try_peek(static_cast<uint8_t*>(buffer), capacity, message);
  if (status == DRAGON_SUCCESS) *out = described(message);
  if (status == DRAGON_BUFFER_TOO_SHORT) out->bytes = message.bytes;
  return status;
}

dragon_status_t dragon_channel_poll(dragon_channel_t* channel, dragon_poll_t condition,
                                    int64_t timeout_ms) {
  if (channel == nullptr || condition < DRAGON_POLL_IN || condition > DRAGON_POLL_IN_OUT) {
    return DRAGON_INVALID_ARGUMENT;
  }
  const auto event = static_cast<dragon::PollEvent>(condition);
  return channel->object->poll(event, c::deadline_of(timeout_ms));
}

uint64_t dragon_channel_drain(dragon_channel_t* channel) {
  return c::answers(channel) ? channel->object->drain() : 0;
}

uint64_t dragon_channel_message_count(dragon_channel_t* channel) {
  return c::answers(channel) ? channel->object->message_count() : 0;
}

uint32_t dragon_channel_capacity(const dragon_channel_t* channel) {
  return channel == nullptr ? 0 : channel->object->capacity();
}

uint32_t dragon_channel_block_bytes(const dragon_channel_t* channel) {
  return channel == nullptr ? 0 : channel->object->block_bytes();
}
