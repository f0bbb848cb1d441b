// The futex calls, between processes, with absolute deadlines on the monotonic clock.
#pragma once

#include <cstdint>

#include "sync/deadline.h"
#include "sync/word.h"

namespace dragon {

// Returns when the word is not `expected`, on a wake, at the deadline, or on a signal; false only
// at the deadline. Callers look again.
bool futex_wait(const Word32& word, uint32_t expected, Deadline deadline);

// Wakes up to `count` waiters.
void futex_wake(const Word32& word, uint32_t count);

// Tells the processor that this thread spins.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Rounds worth spinning before a sleep: 0 on a machine with one usable core.
uint32_t spin_rounds();

}  // namespace dragon
