// Channels.
#include <sys/uio.h>

#include <algorithm>
#include <array>

#include "c/objects.h"

namespace c = dragon::c;

namespace {

// As many parts as are handed to the core at once.
constexpr size_t kBatch = 64;

// As many as there is room for; why no more went.
dragon_status_t send_some(dragon::Channel& channel, const dragon_part_t* messages, size_t count,
                          size_t& sent) {
  dragon_status_t status = DRAGON_SUCCESS;
  while (status == DRAGON_SUCCESS && sent < count) {
    std::array<iovec, kBatch> parts;
    const size_t batch = std::min(kBatch, count - sent);
    for (size_t i = 0; i < batch; ++i) parts[i] = c::io_part(messages[sent + i]);
    size_t went = 0;
    status = channel.try_send_many(parts.data(), batch, 0, went);
    sent += went;
  }
  return status;
}

// As many as there are; why no more came.
dragon_status_t receive_some(dragon_channel_t& channel, uint8_t* blocks, size_t count,
                             dragon_message_t* out, size_t& received) {
  dragon_status_t status = DRAGON_SUCCESS;
  while (status == DRAGON_SUCCESS && received < count) {
    std::array<dragon::ReceivedMessage, kBatch> messages;
    const size_t batch = std::min(kBatch, count - received);
    size_t came = 0;
    uint8_t* next = blocks + received * channel.object->block_bytes();
    status = channel.object->try_receive_many(next, batch, messages.data(), came);
    for (size_t i = 0; i < came; ++i) out[received++] = c::described(channel, messages[i]);
  }
  return status;
}

}  // namespace

dragon_message_t dragon::c::described(dragon_channel_t& channel, const ReceivedMessage& message) {
  if (message.allocation != 0) {
    const bool own = message.pool == &channel.object->pool() && !message.read_only;
    if (own) {
      channel.foreign.erase(message.data);
    } else {
      channel.foreign[message.data] = {message.pool->shared_from_this(), message.read_only};
    }
  }
  return {message.data, message.bytes, message.hints, message.allocation};
}

dragon_status_t dragon_channel_create(dragon_pool_t* pool, const dragon_channel_options_t* options,
                                      dragon_channel_t** out) {
  const dragon_channel_options_t given = c::options_of(options, DRAGON_CHANNEL_OPTIONS);
  dragon::ChannelOptions wanted;
  wanted.capacity = given.capacity;
  wanted.block_bytes = given.block_bytes;
  wanted.end_of_stream = given.end_of_stream != 0;
  if (given.payload_pool != nullptr) wanted.payload_pool = given.payload_pool->pool;
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
  if (channel == nullptr || end == nullptr || !c::is_role(role)) return DRAGON_INVALID_ARGUMENT;
  dragon::RecordId record = 0;
  const dragon_status_t status = channel->object->open_handle(c::role_of(role), record);
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
  c::Parts gathered;
  if (channel == nullptr || !gathered.gather(parts, count)) return DRAGON_INVALID_ARGUMENT;
  return channel->object->send(gathered.data(), count, hints, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_channel_send_many(dragon_channel_t* channel, const dragon_part_t* messages,
                                         size_t count, int64_t timeout_ms, size_t* sent) {
  if (channel == nullptr || messages == nullptr || count == 0 || sent == nullptr) {
    return DRAGON_INVALID_ARGUMENT;
  }
  size_t went = 0;
  dragon_status_t status = send_some(*channel->object, messages, count, went);
  const bool waits = went == 0 && dragon::is_not_yet(status) && timeout_ms != DRAGON_ONCE;
  if (waits) {
    const iovec first = c::io_part(messages[0]);
    status = channel->object->send(&first, 1, 0, c::deadline_of(timeout_ms));
    if (status != DRAGON_SUCCESS) return status;
    send_some(*channel->object, messages + 1, count - 1, went);
    ++went;
  }
  if (went == 0) return status;
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
  auto* blocks = static_cast<uint8_t*>(buffer);
  size_t came = 0;
  dragon_status_t status = receive_some(*channel, blocks, count, out, came);
  const bool waits = came == 0 && dragon::is_not_yet(status) && timeout_ms != DRAGON_ONCE;
  if (waits) {
    dragon::ReceivedMessage first;
    status = channel->object->receive(blocks, c::deadline_of(timeout_ms), first);
    if (status != DRAGON_SUCCESS) return status;
    out[0] = c::described(*channel, first);
    receive_some(*channel, blocks + block, count - 1, out + 1, came);
    ++came;
  }
  if (came == 0) return status;
  *received = came;
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_message_free(dragon_channel_t* channel, dragon_message_t* message) {
  if (channel == nullptr || message == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (message->allocation == 0) return DRAGON_SUCCESS;
  dragon_foreign_payload from;
  const auto foreign = channel->foreign.find(message->data);
  if (foreign != channel->foreign.end()) {
    from = foreign->second;
    channel->foreign.erase(foreign);
  }
  dragon::Pool& pool = from.pool == nullptr ? channel->object->pool() : *from.pool;
  const dragon_status_t status = from.read_only ? DRAGON_SUCCESS : pool.free(message->allocation);
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
  if (status == DRAGON_SUCCESS) *out = {message.data, message.bytes, message.hints, 0};
  if (status == DRAGON_BUFFER_TOO_SHORT) out->bytes = message.bytes;
  return status;
}

dragon_status_t dragon_channel_poll(dragon_channel_t* channel, dragon_poll_t condition,
                                    int64_t timeout_ms) {
  if (channel == nullptr || condition < DRAGON_POLL_IN || condition > DRAGON_POLL_DESTROYED) {
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
