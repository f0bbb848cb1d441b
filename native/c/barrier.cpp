// Barriers.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_barrier_create(dragon_pool_t* pool, uint32_t parties,
                                      dragon_barrier_t** out) {
  return c::create_object<dragon::Barrier>(pool, out, parties);
}

dragon_status_t dragon_barrier_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                      dragon_barrier_t** out) {
  return c::attach_object<dragon::Barrier>(node, handle, out);
}

dragon_status_t dragon_barrier_handle(const dragon_barrier_t* barrier, dragon_handle_t* out) {
  return c::handle_of(barrier, out);
}

dragon_status_t dragon_barrier_destroy(dragon_barrier_t* barrier) {
  return c::destroy_object(barrier);
}

void dragon_barrier_close(dragon_barrier_t* barrier) {
  delete barrier;
}

dragon_status_t dragon_barrier_wait(dragon_barrier_t* barrier, int64_t timeout_ms,
                                    uint32_t* index) {
  if (barrier == nullptr || index == nullptr) return DRAGON_INVALID_ARGUMENT;
  uint32_t place = 0;
  const dragon_status_t status = barrier->object->wait(c::deadline_of(timeout_ms), place);
  if (status == DRAGON_SUCCESS) *index = place;
  return status;
}

dragon_status_t dragon_barrier_abort(dragon_barrier_t* barrier) {
  if (barrier == nullptr) return DRAGON_INVALID_ARGUMENT;
  return barrier->object->abort();
}

dragon_status_t dragon_barrier_reset(dragon_barrier_t* barrier) {
  if (barrier == nullptr) return DRAGON_INVALID_ARGUMENT;
  return barrier->object->reset();
}

int dragon_barrier_broken(dragon_barrier_t* barrier) {
  return c::answers(barrier) && barrier->object->broken() ? 1 : 0;
}

uint32_t dragon_barrier_waiting(const dragon_barrier_t* barrier) {
  return c::answers(barrier) ? barrier->object->waiting() : 0;
}
