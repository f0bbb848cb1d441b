// How long a blocked waiter yields before it sleeps.
#include "sync/yield_look.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace dragon;

namespace {

constexpr uint64_t kKey = 7;
uint64_t yield_takes = 0;
int yields = 0;

uint64_t counted_yield() {
  ++yields;
  return yield_takes;
}

// Yields that one wait makes in vain, each of so many nanoseconds.
int yields_in_vain(YieldPolicy& policy, uint64_t takes, uint64_t key = kKey) {
  yields = 0;
  yield_takes = takes;
  CHECK_FALSE(policy.look(key, [] { return false; }));
  return yields;
}

// Waits in a row that do not yield.
int skips(YieldPolicy& policy, uint64_t takes) {
  int waits = 0;
  while (yields_in_vain(policy, takes) == 0) ++waits;
  return waits;
}

}  // namespace

TEST_CASE("who has nobody to yield to sleeps after two short yields [SYN-092]") {
  YieldPolicy policy(counted_yield);
  CHECK(yields_in_vain(policy, kYieldNsAlone / 2) == 2);
  int longest = 0;
  for (int failures = 0; failures < 12; ++failures) {
    longest = std::max(longest, skips(policy, kYieldNsAlone / 2));
  }
  CHECK(longest == 255);
  CHECK(yields_in_vain(policy, kYieldNsAlone / 2, kKey + 1) == 2);  // each place for itself
}

TEST_CASE("yields while others run go on for 20 us, and as long as they pay [SYN-092]") {
  YieldPolicy policy(counted_yield);
  CHECK(yields_in_vain(policy, 5'000) == kYieldLookNsMax / 5'000);
  CHECK(yields_in_vain(policy, 5'000) == 0);  // left out
  for (int wait = 0; wait < 100; ++wait) {
    yields = 0;
    CHECK(policy.look(kKey, [] { return yields == 3; }));
    CHECK(yields == 3);
  }
}

TEST_CASE("after a yield that cost the core for long nobody yields for a while [SYN-092]") {
  YieldPolicy policy(counted_yield);
  yield_takes = 30'000'000;
  yields = 0;
  const uint64_t before = now_ns();
  uint64_t paused_ns = 0;
  for (int dear = 1; dear <= 2; ++dear) {
    for (uint64_t key = 0; yields < dear; ++key) policy.look(key, [] { return true; });
    CHECK(now_ns() - before >= paused_ns);
    paused_ns += yield_takes * kYieldPauseMin * static_cast<uint64_t>(dear);
  }
  for (uint64_t key = 0; key < 1'000; ++key) {
    CHECK_FALSE(policy.look(key, [] { return true; }));
  }
  CHECK(yields == 2);
}
