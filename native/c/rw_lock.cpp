// Reader-writer locks.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_rw_lock_create(dragon_pool_t* pool, uint32_t readers,
                                      dragon_rw_lock_t** out) {
  return c::create_object<dragon::RwLock>(pool, out, readers);
}

dragon_status_t dragon_rw_lock_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                      dragon_rw_lock_t** out) {
  return c::attach_object<dragon::RwLock>(node, handle, out);
}

dragon_status_t dragon_rw_lock_handle(const dragon_rw_lock_t* rw_lock, dragon_handle_t* out) {
  return c::handle_of(rw_lock, out);
}

dragon_status_t dragon_rw_lock_destroy(dragon_rw_lock_t* rw_lock) {
  return c::destroy_object(rw_lock);
}

void dragon_rw_lock_close(dragon_rw_lock_t* rw_lock) {
  delete rw_lock;
}

dragon_status_t dragon_rw_lock_read(dragon_rw_lock_t* lock, int64_t timeout_ms) {
  if (lock == nullptr) return DRAGON_INVALID_ARGUMENT;
  return lock->object->read(c::deadline_of(timeout_ms));
}

dragon_status_t dragon_rw_lock_end_read(dragon_rw_lock_t* lock) {
  return lock == nullptr ? DRAGON_INVALID_ARGUMENT : lock->object->end_read();
}

dragon_status_t dragon_rw_lock_write(dragon_rw_lock_t* lock, int64_t timeout_ms) {
  if (lock == nullptr) return DRAGON_INVALID_ARGUMENT;
  return lock->object->write(c::deadline_of(timeout_ms));
}

dragon_status_t dragon_rw_lock_end_write(dragon_rw_lock_t* lock) {
  return lock == nullptr ? DRAGON_INVALID_ARGUMENT : lock->object->end_write();
}

uint32_t dragon_rw_lock_writer(const dragon_rw_lock_t* lock) {
  return c::answers(lock) ? lock->object->writer() : 0;
}

uint32_t dragon_rw_lock_readers(const dragon_rw_lock_t* lock) {
  return c::answers(lock) ? lock->object->readers() : 0;
}
