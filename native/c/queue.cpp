// Queues.
#include "queue/queue.h"

#include <sys/uio.h>

#include "c/objects.h"

namespace c = dragon::c;

static_assert(sizeof(dragon_queue_handle_t) == dragon::kQueueHandleBytes);

struct dragon_queue {
  std::unique_ptr<dragon::Queue> object;
};

dragon_status_t dragon_queue_create(dragon_pool_t* pool, const dragon_queue_options_t* options,
                                    dragon_queue_t** out) {
  const dragon_queue_options_t given = c::options_of(options, DRAGON_QUEUE_OPTIONS);
  dragon::QueueOptions wanted;
  wanted.channel.capacity = given.capacity;
  wanted.channel.block_bytes = given.block_bytes;
  wanted.consumers = given.consumers;
  return c::create_object<dragon::Queue>(pool, out, wanted);
}

dragon_status_t dragon_queue_attach(dragon_node_t* node, const dragon_queue_handle_t* handle,
                                    dragon_queue_t** out) {
  if (node == nullptr || handle == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<dragon::Queue> queue;
  const dragon_status_t status =
      dragon::Queue::attach(node->node, handle->bytes, sizeof(handle->bytes), queue);
  return c::hand_over(status, std::move(queue), out);
}

dragon_status_t dragon_queue_handle(const dragon_queue_t* queue, dragon_queue_handle_t* out) {
  if (queue == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (queue->object->channel().closed()) return DRAGON_CLOSED;
  queue->object->serialize(out->bytes);
  return DRAGON_SUCCESS;
}

dragon_status_t dragon_queue_destroy(dragon_queue_t* queue) {
  return c::destroy_object(queue);
}

void dragon_queue_close(dragon_queue_t* queue) {
  delete queue;
}

dragon_status_t dragon_queue_put(dragon_queue_t* queue, const void* data, uint64_t bytes,
                                 uint64_t hints, int64_t timeout_ms) {
  if (queue == nullptr || (data == nullptr && bytes != 0)) return DRAGON_INVALID_ARGUMENT;
  const iovec part{const_cast<void*>(data), bytes};
  return queue->object->put(&part, 1, hints, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_queue_get(dragon_queue_t* queue, void* buffer, uint64_t capacity,
                                 int64_t timeout_ms, dragon_message_t* out) {
  if (queue == nullptr || buffer == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (capacity < queue->object->channel().block_bytes()) return DRAGON_BUFFER_TOO_SHORT;
  dragon::ReceivedMessage item;
  const dragon_status_t status =
      queue->object->get(static_cast<uint8_t*>(buffer), c::deadline_of(timeout_ms), item);
  if (status == DRAGON_SUCCESS) *out = {item.data, item.bytes, item.hints, item.allocation};
  return status;
}

dragon_status_t dragon_queue_free(dragon_queue_t* queue, dragon_message_t* item) {
  if (queue == nullptr || item == nullptr) return DRAGON_INVALID_ARGUMENT;
  if (item->allocation == 0) return DRAGON_SUCCESS;
  const dragon_status_t status = queue->object->channel().pool().free(item->allocation);
  item->allocation = 0;
  return status;
}

dragon_status_t dragon_queue_task_done(dragon_queue_t* queue) {
  return queue == nullptr ? DRAGON_INVALID_ARGUMENT : queue->object->task_done();
}

dragon_status_t dragon_queue_join(dragon_queue_t* queue, int64_t timeout_ms) {
  return queue == nullptr ? DRAGON_INVALID_ARGUMENT
                          : queue->object->join(c::deadline_of(timeout_ms));
}

void dragon_queue_forget_lost(dragon_queue_t* queue) {
  if (queue != nullptr) queue->object->forget_lost();
}
