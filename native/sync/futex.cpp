#include "sync/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace dragon {

bool futex_wait(const Word32& word, uint32_t expected, Deadline deadline) {
  timespec at;
  at.tv_sec = static_cast<time_t>(deadline.at_ns() / 1'000'000'000);
  at.tv_nsec = static_cast<long>(deadline.at_ns() % 1'000'000'000);
  const timespec* limit = deadline.is_never() ? nullptr : &at;
  // FUTEX_WAIT_BITSET, since only that takes an absolute time.
  const long result = ::syscall(SYS_futex, word.futex_address(), FUTEX_WAIT_BITSET, expected, limit,
                                nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

void futex_wake(const Word32& word, uint32_t count) {
  ::syscall(SYS_futex, word.futex_address(), FUTEX_WAKE, count, nullptr, nullptr, 0);
}

uint32_t spin_rounds() {
  static const uint32_t rounds = [] {
    cpu_set_t usable;
    CPU_ZERO(&usable);
    if (::sched_getaffinity(0, sizeof(usable), &usable) != 0) return 0u;
    return CPU_COUNT(&usable) > 1 ? 100u : 0u;
  }();
  return rounds;
}

}  // namespace dragon
