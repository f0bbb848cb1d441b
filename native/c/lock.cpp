// Locks.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_lock_create(dragon_pool_t* pool, int robust, dragon_lock_t** out) {
  return c::create_object<dragon::LockObject>(pool, out, robust != 0);
}

dragon_status_t dragon_lock_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                   dragon_lock_t** out) {
  return c::attach_object<dragon::LockObject>(node, handle, out);
}

dragon_status_t dragon_lock_handle(const dragon_lock_t* lock, dragon_handle_t* out) {
  return c::handle_of(lock, out);
}

dragon_status_t dragon_lock_destroy(dragon_lock_t* lock) {
  return c::destroy_object(lock);
}

void dragon_lock_close(dragon_lock_t* lock) {
  delete lock;
}

dragon_status_t dragon_lock_acquire(dragon_lock_t* lock, int64_t timeout_ms) {
  if (lock == nullptr) return DRAGON_INVALID_ARGUMENT;
  return lock->object->acquire(c::deadline_of(timeout_ms));
}

dragon_status_t dragon_lock_release(dragon_lock_t* lock) {
  if (lock == nullptr) return DRAGON_INVALID_ARGUMENT;
  return lock->object->release();
}

uint32_t dragon_lock_holder(const dragon_lock_t* lock) {
  return c::answers(lock) ? lock->object->holder() : 0;
}
