#include "channel/counter.h"

namespace dragon {

Status Counter::create(const std::shared_ptr<Pool>& pool, uint64_t initial,
                       std::unique_ptr<Counter>& out) {
  std::unique_ptr<Counter> counter(new Counter());
  Status status = counter->begin_create(pool, HandleKind::kCounter, sizeof(CounterHeader));
  if (status != DRAGON_SUCCESS) return status;
  counter->shared().value.store(initial);
  status = counter->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(counter);
  return status;
}

Status Counter::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Counter>& out) {
  std::unique_ptr<Counter> counter(new Counter());
  const Status status =
      counter->attach_to(node, HandleKind::kCounter, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(counter);
  return status;
}

Status Counter::add(uint64_t delta, uint64_t& out) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  out = shared().value.fetch_add(delta) + delta;
  wake_all_lanes();
  return DRAGON_SUCCESS;
}

Status Counter::load(uint64_t& out) const {
  const Status status = usable();
  if (status == DRAGON_SUCCESS) out = shared().value.load();
  return status;
}

Status Counter::wait_at_least(uint64_t value, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), place(), deadline, false, [&] {
    uint64_t now = 0;
    const Status status = load(now);
    if (status != DRAGON_SUCCESS) return status;
    return now >= value ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
  });
}

}  // namespace dragon
