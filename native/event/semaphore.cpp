#include "event/semaphore.h"

#include <algorithm>

#include "channel/hand_over.h"

namespace dragon {

Status Semaphore::create(const std::shared_ptr<Pool>& pool, uint64_t initial, uint64_t bound,
                         std::unique_ptr<Semaphore>& out) {
  const uint64_t most = bound == 0 ? kSemaphoreMax : bound;
  if (most > kSemaphoreMax || initial > most) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Semaphore> semaphore(new Semaphore());
  Status status = semaphore->begin_create(pool, HandleKind::kSemaphore, sizeof(SemaphoreHeader));
  if (status != DRAGON_SUCCESS) return status;
  semaphore->shared().value.store(initial);
  semaphore->shared().bound.store(most);
  status = semaphore->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(semaphore);
  return status;
}

Status Semaphore::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                         bool adopt, RecordId& adopted, std::unique_ptr<Semaphore>& out) {
  std::unique_ptr<Semaphore> semaphore(new Semaphore());
  const Status status =
      semaphore->attach_to(node, HandleKind::kSemaphore, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(semaphore);
  return status;
}

Status Semaphore::try_acquire(uint64_t& before, uint64_t permits) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  SemaphoreHeader& header = shared();
  if (permits == 0 || permits > header.bound.load()) return DRAGON_INVALID_ARGUMENT;
  const uint64_t kept = header.kept.load();
  const uint64_t for_another = kept_for_another(kept, node().me().id) ? 1 : 0;
  uint64_t found = header.value.load();
  do {
    if (found < permits + for_another) return DRAGON_WOULD_BLOCK;
  } while (!header.value.cas(found, found - permits));
  if (kept != 0 && for_another == 0) header.kept.store(0);
  before = found;
  if (found == permits) {
    const WaitPlace zero = zero_place();
    if ((ParkingLot::waiters(*zero.hint) & zero.bit) != 0) node().lot().wake_all(zero);
  }
  return DRAGON_SUCCESS;
}

Status Semaphore::acquire(Deadline deadline, uint64_t& before, uint64_t permits) {
  if (closed()) return DRAGON_CLOSED;
  const bool many = permits > 1;
  const auto attempt = [&](SleepSteps& steps) {
    const Status status = try_acquire(before, permits);
    // Permits and yet none to be had: nobody rings when the time that they are kept is over.
    if (status == DRAGON_WOULD_BLOCK && shared().value.load() >= permits) {
      steps.next_ns = std::min(steps.next_ns, kHandOverNs);
    }
    return status;
  };
  // Who wants several takes no wake from another: each release wakes all of those.
  return wait_until(node().lot(), many ? many_place() : place(), deadline, !many, attempt);
}

Status Semaphore::release(uint64_t permits) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (permits == 0) return DRAGON_INVALID_ARGUMENT;
  SemaphoreHeader& header = shared();
  const WaitPlace waiting = place();
  keep_for_first(node().lot(), waiting, header.kept);
  const uint64_t bound = header.bound.load();
  uint64_t found = header.value.load();
  do {
    if (permits > bound || found > bound - permits) return DRAGON_STATE;
  } while (!header.value.cas(found, found + permits));
  const WaitPlace many = many_place();
  const uint32_t waiters = ParkingLot::waiters(*waiting.hint);
  if ((waiters & many.bit) != 0) node().lot().wake_all(many);
  if ((waiters & waiting.bit) == 0) return DRAGON_SUCCESS;
  for (uint64_t left = permits; left > 0 && node().lot().wake_one(waiting); --left) {
  }
  return DRAGON_SUCCESS;
}

Status Semaphore::try_zero() const {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  return shared().value.load() == 0 ? DRAGON_SUCCESS : DRAGON_WOULD_BLOCK;
}

Status Semaphore::wait_zero(Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), zero_place(), deadline, false, [&] { return try_zero(); });
}

uint64_t Semaphore::bound() const {
  const uint64_t bound = closed() ? 0 : shared().bound.load();
  return bound == kSemaphoreMax ? 0 : bound;
}

}  // namespace dragon
