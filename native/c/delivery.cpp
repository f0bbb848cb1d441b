// How messages of a channel are handed over.
#include <sys/uio.h>

#include "c/objects.h"

namespace c = dragon::c;

namespace {

const dragon_foreign_payload* foreign_of(const dragon_channel_t* channel,
                                         const dragon_message_t* message) {
  const auto found = channel->foreign.find(message->data);
  return found == channel->foreign.end() ? nullptr : &found->second;
}

}  // namespace

dragon_status_t dragon_channel_send_with(dragon_channel_t* channel, const dragon_part_t* parts,
                                         size_t count, uint64_t hints, int64_t timeout_ms,
                                         const dragon_send_options_t* options) {
  const dragon_send_options_t given = c::options_of(options, DRAGON_SEND_OPTIONS);
  if (!c::is_return(given.returns) || given.read_only != 0) return DRAGON_INVALID_ARGUMENT;
  c::Parts gathered;
  if (channel == nullptr || !gathered.gather(parts, count)) return DRAGON_INVALID_ARGUMENT;
  return channel->object->send(gathered.data(), count, hints, c::deadline_of(timeout_ms),
                               c::mode_of(given.returns));
}

dragon_status_t dragon_channel_send_allocation_with(dragon_channel_t* channel, uint64_t allocation,
                                                    uint64_t hints, int64_t timeout_ms,
                                                    const dragon_send_options_t* options) {
  const dragon_send_options_t given = c::options_of(options, DRAGON_SEND_OPTIONS);
  if (channel == nullptr || !c::is_return(given.returns)) return DRAGON_INVALID_ARGUMENT;
  return channel->object->send_allocation(allocation, hints, c::deadline_of(timeout_ms),
                                          c::mode_of(given.returns), given.read_only != 0);
}

dragon_status_t dragon_channel_receive_into(dragon_channel_t* channel, dragon_pool_t* pool,
                                            uint64_t allocation, int64_t timeout_ms,
                                            dragon_message_t* out) {
  if (channel == nullptr || pool == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon::ReceivedMessage message;
  const dragon_status_t status =
      channel->object->receive_into(*pool->pool, allocation, c::deadline_of(timeout_ms), message);
  if (status == DRAGON_SUCCESS) *out = c::described(*channel, message);
  if (status == DRAGON_BUFFER_TOO_SHORT) out->bytes = message.bytes;
  return status;
}

int dragon_message_read_only(const dragon_channel_t* channel, const dragon_message_t* message) {
  if (channel == nullptr || message == nullptr || message->allocation == 0) return 0;
  const dragon_foreign_payload* foreign = foreign_of(channel, message);
  return foreign != nullptr && foreign->read_only ? 1 : 0;
}

dragon_status_t dragon_message_handle(const dragon_channel_t* channel,
                                      const dragon_message_t* message, dragon_handle_t* out) {
  if (channel == nullptr || message == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (message->allocation == 0) return DRAGON_NOT_FOUND;
  const dragon_foreign_payload* foreign = foreign_of(channel, message);
  const dragon::Pool& pool = foreign == nullptr ? channel->object->pool() : *foreign->pool;
  pool.serialize(message->allocation, out->bytes);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_channel_pop(dragon_channel_t* channel) {
  return channel == nullptr ? DRAGON_INVALID_ARGUMENT : channel->object->try_pop();
}

dragon_status_t dragon_channel_reset(dragon_channel_t* channel) {
  return channel == nullptr ? DRAGON_INVALID_ARGUMENT : channel->object->reset();
}

dragon_status_t dragon_channel_info(dragon_channel_t* channel, dragon_channel_info_t* out) {
  if (channel == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (!c::answers(channel)) return DRAGON_CLOSED;
  if (channel->object->destroyed()) return DRAGON_OBJECT_DESTROYED;
  const dragon::ChannelInfo info = channel->object->info();
  const dragon_channel_info_t all = {
      out->size,    info.capacity,        info.block_bytes,      info.end_of_stream ? 1u : 0u,
      info.senders, info.receivers,       info.holders,          info.messages,
      info.free,    info.blocked_senders, info.blocked_receivers};
  ::memcpy(out, &all, out->size < sizeof(all) ? out->size : sizeof(all));
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_channel_lend(dragon_channel_t* channel, dragon_role_t role,
                                    dragon_handle_t* out) {
  if (channel == nullptr || out == nullptr || !c::is_role(role)) return DRAGON_INVALID_ARGUMENT;
  dragon_handle_t lent;
  const dragon_status_t status = channel->object->lend(c::role_of(role), lent.bytes);
  if (status == DRAGON_SUCCESS) *out = lent;
  return status;
}

dragon_status_t dragon_channel_cancel_lent(dragon_channel_t* channel, const dragon_handle_t* lent) {
  if (channel == nullptr || lent == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (!c::answers(channel)) return DRAGON_CLOSED;
  const bool ours = channel->object->cancel_lent(lent->bytes, sizeof(lent->bytes));
  return ours ? DRAGON_SUCCESS : DRAGON_NOT_FOUND;
}

dragon_status_t dragon_channel_adopt(dragon_node_t* node, const dragon_handle_t* lent,
                                     uint64_t* end, dragon_channel_t** out) {
  if (node == nullptr || lent == nullptr || end == nullptr || out == nullptr) {
    return DRAGON_INVALID_ARGUMENT;
  }
  std::unique_ptr<dragon::Channel> object;
  dragon::RecordId adopted = 0;
  dragon_status_t status =
      dragon::Channel::attach(node->node, lent->bytes, sizeof(lent->bytes), true, adopted, object);
  status = c::hand_over(status, std::move(object), out);
  if (status == DRAGON_SUCCESS) *end = adopted;
  return status;
}
