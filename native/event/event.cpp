#include "event/event.h"

namespace dragon {

Status Event::create(const std::shared_ptr<Pool>& pool, bool set, std::unique_ptr<Event>& out) {
  std::unique_ptr<Event> event(new Event());
  Status status = event->begin_create(pool, HandleKind::kEvent, sizeof(EventHeader));
  if (status != DRAGON_SUCCESS) return status;
  if (set) event->shared().state.store(1 << 1 | 1);
  status = event->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(event);
  return status;
}

Status Event::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                     bool adopt, RecordId& adopted, std::unique_ptr<Event>& out) {
  std::unique_ptr<Event> event(new Event());
  const Status status = event->attach_to(node, HandleKind::kEvent, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(event);
  return status;
}

Status Event::set() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  uint64_t found = shared().state.load();
  do {
    if ((found & 1) != 0) return DRAGON_SUCCESS;
  } while (!shared().state.cas(found, found + 2 + 1));
  wake_all_lanes();
  return DRAGON_SUCCESS;
}

Status Event::clear() {
  const Status status = usable();
  if (status == DRAGON_SUCCESS) shared().state.fetch_and(~1ull);
  return status;
}

Status Event::try_wait(uint64_t since) const {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const uint64_t state = shared().state.load();
  return (state & 1) != 0 || state >> 1 != since ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
}

Status Event::wait(Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  const uint64_t since = times_set();
  return wait_until(node().lot(), place(), deadline, false, [&] { return try_wait(since); });
}

}  // namespace dragon
