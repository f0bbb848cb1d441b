#include "sync/bell_look.h"

namespace dragon {

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
