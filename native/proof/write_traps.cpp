#include "proof/write_traps.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace dragon::proof {

#if defined(__x86_64__)

namespace {

constexpr greg_t kTrapFlag = 0x100;

// Of one stepped process, which has nothing else: a handler has no other place to look.
const Mapping* trapped[2];

bool is_trapped(const void* address) {
  const auto* at = static_cast<const uint8_t*>(address);
  for (const Mapping* mapping : trapped) {
    if (at >= mapping->base() && at < mapping->base() + mapping->bytes()) return true;
  }
  return false;
}

void protect(int protection) {
  for (const Mapping* mapping : trapped) {
    ::mprotect(mapping->base(), mapping->bytes(), protection);
  }
}

void on_write(int signal, siginfo_t* info, void* context) {
  if (!is_trapped(info->si_addr)) {
    ::signal(signal, SIG_DFL);  // a fault of the call itself: it faults again
    return;
  }
  ::kill(::getpid(), SIGSTOP);
  protect(PROT_READ | PROT_WRITE);
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] |= kTrapFlag;
}

void after_write(int, siginfo_t*, void* context) {
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  protect(PROT_READ);
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

bool trap_writes(const Mapping* const (&mappings)[2]) {
  trapped[0] = mappings[0];
  trapped[1] = mappings[1];
  handle(SIGSEGV, on_write);
  handle(SIGTRAP, after_write);
  protect(PROT_READ);
  return true;
}

#else

bool trap_writes(const Mapping* const (&)[2]) {
  return false;
}

#endif

}  // namespace dragon::proof
