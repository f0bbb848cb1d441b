#include "sync/bell_look.h"

#include <sched.h>

namespace dragon {

uint64_t yield_ns() {
  const uint64_t before = now_ns();
  ::sched_yield();
  return now_ns() - before;
}

bool BellLook::succeeded(uint64_t yield_took) {
  if (yield_took > kYieldNsWorth) {
    failed();
  } else {
    failures_ /= 2;
    yields_at_once_ = yield_took > kYieldNsMax;
  }
  return true;
}

void BellLook::failed() {
  yields_at_once_ = false;
  if (failures_ < kBellFailuresMax) ++failures_;
  skips_ = static_cast<uint8_t>((1u << failures_) - 1);
}

}  // namespace dragon
