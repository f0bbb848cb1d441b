// Fetching a cache line before it is needed.
#pragma once

namespace dragon {

// Asks for the line for writing, so that it has not to be asked for twice.
inline void prefetch_write(const void* address) {
#if defined(__x86_64__)
  // A no-operation where the processor does not have it; the builtin needs a compiler flag.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace dragon
