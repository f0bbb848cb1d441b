// Conditions.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_condition_create(dragon_pool_t* pool, uint32_t waiters,
                                        dragon_condition_t** out) {
  return c::create_object<dragon::Condition>(pool, out, waiters);
}

dragon_status_t dragon_condition_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                        dragon_condition_t** out) {
  return c::attach_object<dragon::Condition>(node, handle, out);
}

dragon_status_t dragon_condition_handle(const dragon_condition_t* condition, dragon_handle_t* out) {
  return c::handle_of(condition, out);
}

dragon_status_t dragon_condition_destroy(dragon_condition_t* condition) {
  return c::destroy_object(condition);
}

void dragon_condition_close(dragon_condition_t* condition) {
  delete condition;
}

dragon_status_t dragon_condition_wait(dragon_condition_t* condition, dragon_lock_t* lock,
                                      int64_t timeout_ms) {
  if (condition == nullptr || lock == nullptr) return DRAGON_INVALID_ARGUMENT;
  return condition->object->wait(*lock->object, c::deadline_of(timeout_ms));
}

dragon_status_t dragon_condition_notify(dragon_condition_t* condition, uint32_t count,
                                        uint32_t* notified) {
  if (condition == nullptr) return DRAGON_INVALID_ARGUMENT;
  uint32_t woken = 0;
  const dragon_status_t status = condition->object->notify(count, woken);
  if (status == DRAGON_SUCCESS && notified != nullptr) *notified = woken;
  return status;
}

uint32_t dragon_condition_waiting(const dragon_condition_t* condition) {
  return c::answers(condition) ? condition->object->waiting() : 0;
}
