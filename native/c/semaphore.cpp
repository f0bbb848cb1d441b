// Semaphores.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_semaphore_create(dragon_pool_t* pool, uint64_t initial, uint64_t bound,
                                        dragon_semaphore_t** out) {
  return c::create_object<dragon::Semaphore>(pool, out, initial, bound);
}

dragon_status_t dragon_semaphore_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                        dragon_semaphore_t** out) {
  return c::attach_object<dragon::Semaphore>(node, handle, out);
}

dragon_status_t dragon_semaphore_handle(const dragon_semaphore_t* semaphore, dragon_handle_t* out) {
  return c::handle_of(semaphore, out);
}

dragon_status_t dragon_semaphore_destroy(dragon_semaphore_t* semaphore) {
  return c::destroy_object(semaphore);
}

void dragon_semaphore_close(dragon_semaphore_t* semaphore) {
  delete semaphore;
}

dragon_status_t dragon_semaphore_acquire(dragon_semaphore_t* semaphore, int64_t timeout_ms) {
  if (semaphore == nullptr) return DRAGON_INVALID_ARGUMENT;
  uint64_t before = 0;
  return semaphore->object->acquire(c::deadline_of(timeout_ms), before);
}

dragon_status_t dragon_semaphore_release(dragon_semaphore_t* semaphore, uint64_t permits) {
  if (semaphore == nullptr) return DRAGON_INVALID_ARGUMENT;
  return semaphore->object->release(permits);
}

dragon_status_t dragon_semaphore_wait_zero(dragon_semaphore_t* semaphore, int64_t timeout_ms) {
  if (semaphore == nullptr) return DRAGON_INVALID_ARGUMENT;
  return semaphore->object->wait_zero(c::deadline_of(timeout_ms));
}

uint64_t dragon_semaphore_value(const dragon_semaphore_t* semaphore) {
  return c::answers(semaphore) ? semaphore->object->value() : 0;
}
