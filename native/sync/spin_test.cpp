// When a waiter looks before it sleeps, and when it does not.
// variants: plain asan
#include "sync/spin.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "sync/deadline.h"
#include "sync/segment_fixture.h"

using namespace dragon;

namespace {

constexpr uint64_t kKey = 7;

// Looks that one wait makes in vain.
int looks_in_vain(SpinPolicy& policy, uint64_t key = kKey) {
  int looks = 0;
  CHECK_FALSE(policy.spin(key, [&] {
    ++looks;
    return false;
  }));
  return looks;
}

// Waits in a row that do not look.
int skips(SpinPolicy& policy) {
  int waits = 0;
  while (looks_in_vain(policy) == 0) ++waits;
  return waits;
}

uint64_t short_yield() {
  return 300;
}
uint64_t long_yield() {
  return 5'000'000;
}

void pin_here(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  REQUIRE(::sched_setaffinity(0, sizeof(set), &set) == 0);
}

}  // namespace

TEST_CASE("a wait that ends while it looks goes on looking [SYN-036]") {
  SpinPolicy policy(short_yield);
  for (int wait = 0; wait < 100; ++wait) {
    int looks = 0;
    CHECK(policy.spin(kKey, [&] { return ++looks == 3; }));
    CHECK(looks == 3);
  }
}

TEST_CASE("a wait looks for a while only, and less often if that does not pay [SYN-036]") {
  SpinPolicy policy(short_yield);
  const uint64_t before = now_ns();
  CHECK(looks_in_vain(policy) > 1);
  CHECK(now_ns() - before < 50'000'000);  // 20 us, and what else runs here
  int longest = 0;
  for (int failures = 0; failures < 12; ++failures) longest = std::max(longest, skips(policy));
  CHECK(longest == 255);
  CHECK(looks_in_vain(policy, kKey + 1) > 1);  // each place for itself
}

TEST_CASE("where others want the core nobody looks for 10 ms and longer [SYN-036]") {
  SpinPolicy policy(long_yield);
  looks_in_vain(policy);
  uint64_t crowded_ns = 0;
  for (int round = 0; round < 3; ++round) {
    const uint64_t before = now_ns();
    CHECK(looks_in_vain(policy, kKey + 1) == 0);  // wherever it waits
    ::usleep(crowded_ns == 0 ? 11'000 : 2 * crowded_ns / 1'000);
    CHECK(looks_in_vain(policy, kKey + 1) == 0);
    crowded_ns = now_ns() - before;
  }
}

TEST_CASE("a yield to another thread takes longer than one to nobody [SYN-036]") {
  pin_here(sched_getcpu());
  std::atomic<bool> ended{false};
  std::thread other([&] {
    while (!ended.load()) {
    }
  });
  ::usleep(1'000);
  uint64_t longest = 0;
  for (int i = 0; i < 10; ++i) longest = std::max(longest, yield_ns());
  CHECK(longest > kYieldNsMax);
  ended = true;
  other.join();
}
