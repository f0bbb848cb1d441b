// Events.
#include "c/objects.h"

namespace c = dragon::c;

dragon_status_t dragon_event_create(dragon_pool_t* pool, int set, dragon_event_t** out) {
  return c::create_object<dragon::Event>(pool, out, set != 0);
}

dragon_status_t dragon_event_attach(dragon_node_t* node, const dragon_handle_t* handle,
                                    dragon_event_t** out) {
  return c::attach_object<dragon::Event>(node, handle, out);
}

dragon_status_t dragon_event_handle(const dragon_event_t* event, dragon_handle_t* out) {
  return c::handle_of(event, out);
}

dragon_status_t dragon_event_destroy(dragon_event_t* event) {
  return c::destroy_object(event);
}

void dragon_event_close(dragon_event_t* event) {
  delete event;
}

dragon_status_t dragon_event_set(dragon_event_t* event) {
  if (event == nullptr) return DRAGON_INVALID_ARGUMENT;
  return event->object->set();
}

dragon_status_t dragon_event_clear(dragon_event_t* event) {
  if (event == nullptr) return DRAGON_INVALID_ARGUMENT;
  return event->object->clear();
}

dragon_status_t dragon_event_wait(dragon_event_t* event, int64_t timeout_ms) {
  if (event == nullptr) return DRAGON_INVALID_ARGUMENT;
  return event->object->wait(c::deadline_of(timeout_ms));
}

int dragon_event_is_set(const dragon_event_t* event) {
  return c::answers(event) && event->object->is_set() ? 1 : 0;
}
