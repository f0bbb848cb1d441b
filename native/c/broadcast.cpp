// Broadcasts.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_broadcast_create(dragon_pool_t* pool,
                                        const dragon_broadcast_options_t* options,
                                        dragon_broadcast_t** out) {
  const dragon_broadcast_options_t given = c::options_of(options, DRAGON_BROADCAST_OPTIONS);
  dragon::BroadcastOptions wanted;
  wanted.payload_bytes = given.payload_bytes;
  wanted.rounds = given.rounds;
  return c::create_object<dragon::Broadcast>(pool, out, wanted);
}

dragon_status_t dragon_broadcast_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                        dragon_broadcast_t** out) {
  return c::attach_object<dragon::Broadcast>(node, handle, out);
}

dragon_status_t dragon_broadcast_handle(const dragon_broadcast_t* broadcast, dragon_handle_t* out) {
  return c::handle_of(broadcast, out);
}

dragon_status_t dragon_broadcast_destroy(dragon_broadcast_t* broadcast) {
  return c::destroy_object(broadcast);
}

void dragon_broadcast_close(dragon_broadcast_t* broadcast) {
  delete broadcast;
}

dragon_status_t dragon_broadcast_publish(dragon_broadcast_t* broadcast, const void* data,
                                         uint64_t bytes, int64_t timeout_ms, uint64_t* round) {
  if (broadcast == nullptr || (data == nullptr && bytes > 0)) return DRAGON_INVALID_ARGUMENT;
  uint64_t number = 0;
  uint32_t woken = 0;
  const dragon_status_t status = broadcast->object->publish(
      static_cast<const uint8_t*>(data), bytes, c::deadline_of(timeout_ms), number, woken);
  if (status == DRAGON_SUCCESS && round != nullptr) *round = number;
  return status;
}

static dragon_status_t check_buffer(const dragon_broadcast_t* broadcast, const void* buffer,
                                    uint64_t capacity, const dragon_round_t* out) {
  if (broadcast == nullptr || buffer == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  const bool fits = capacity >= broadcast->object->payload_bytes();
  return fits ? DRAGON_SUCCESS : DRAGON_BUFFER_TOO_SHORT;
}

dragon_status_t dragon_broadcast_read(dragon_broadcast_t* broadcast, uint64_t from, void* buffer,
                                      uint64_t capacity, dragon_round_t* out) {
  const dragon_status_t fits = check_buffer(broadcast, buffer, capacity, out);
  if (fits != DRAGON_SUCCESS) return fits;
  dragon::BroadcastRound round;
  const dragon_status_t status =
      broadcast->object->try_read(from, static_cast<uint8_t*>(buffer), round);
  if (status == DRAGON_SUCCESS) *out = {round.round, round.missed, round.bytes};
  return status;
}

dragon_status_t dragon_broadcast_wait(dragon_broadcast_t* broadcast, void* buffer,
                                      uint64_t capacity, int64_t timeout_ms, dragon_round_t* out) {
  const dragon_status_t fits = check_buffer(broadcast, buffer, capacity, out);
  if (fits != DRAGON_SUCCESS) return fits;
  dragon::BroadcastRound round;
  const dragon_status_t status =
      broadcast->object->wait(c::deadline_of(timeout_ms), static_cast<uint8_t*>(buffer), round);
  if (status == DRAGON_SUCCESS) *out = {round.round, round.missed, round.bytes};
  return status;
}

uint64_t dragon_broadcast_round(const dragon_broadcast_t* broadcast) {
  return c::answers(broadcast) ? broadcast->object->round() : 0;
}

uint32_t dragon_broadcast_payload_bytes(const dragon_broadcast_t* broadcast) {
  return c::answers(broadcast) ? broadcast->object->payload_bytes() : 0;
}
