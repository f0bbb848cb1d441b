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

// What the kernel says is made up: a core that nobody else wants, or one that two share.
CoreTimes told;
bool tell_alone(CoreTimes& out) {
  told.ran_ns += 1'000'000;
  told.waited_ns += 100'000;
  out = told;
  return true;
}
bool tell_shared(CoreTimes& out) {
  told.ran_ns += 1'000'000;
  told.waited_ns += 1'000'000;
  out = told;
  return true;
}
bool tell_nothing(CoreTimes&) {
  return false;
}

// Has the policy ask twice; it compares.
void sense_twice(SpinPolicy& policy) {
  looks_in_vain(policy);
  ::usleep(kSenseNs / 1'000);
  while (looks_in_vain(policy) == 0) {
  }
}

void pin_here(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  REQUIRE(::sched_setaffinity(0, sizeof(set), &set) == 0);
}

}  // namespace

TEST_CASE("a wait that ends while it looks goes on looking [SYN-036]") {
  SpinPolicy policy(tell_alone);
  for (int wait = 0; wait < 100; ++wait) {
    int looks = 0;
    CHECK(policy.spin(kKey, [&] { return ++looks == 3; }));
    CHECK(looks == 3);
  }
}

TEST_CASE("a wait looks for a while only, and less often if that does not pay [SYN-036]") {
  SpinPolicy policy(tell_alone);
  const uint64_t before = now_ns();
  CHECK(looks_in_vain(policy) > 1);
  CHECK(now_ns() - before < 50'000'000);  // 50 us, and what else runs here
  int longest = 0;
  for (int failures = 0; failures < 12; ++failures) longest = std::max(longest, skips(policy));
  CHECK(longest == 255);
  CHECK(looks_in_vain(policy, kKey + 1) > 1);  // each place for itself
}

TEST_CASE("where others want the core nobody looks for 10 ms and longer [SYN-036]") {
  SpinPolicy policy(tell_shared);
  sense_twice(policy);
  uint64_t crowded_ns = 0;
  for (int round = 0; round < 3; ++round) {
    const uint64_t before = now_ns();
    CHECK(looks_in_vain(policy, kKey + 1) == 0);  // wherever it waits
    ::usleep(crowded_ns == 0 ? 11'000 : 2 * crowded_ns / 1'000);
    CHECK(looks_in_vain(policy, kKey + 1) == 0);
    crowded_ns = now_ns() - before;
  }
}

TEST_CASE("who stands in line for a core rarely, or is not told, goes on looking [SYN-036]") {
  for (const auto tell : {tell_alone, tell_nothing}) {
    SpinPolicy policy(tell);
    sense_twice(policy);
    CHECK(looks_in_vain(policy, kKey + 1) > 1);
  }
}

TEST_CASE("the kernel tells how long a thread has stood in line for a core [SYN-036]") {
  pin_here(sched_getcpu());
  std::atomic<bool> ended{false};
  std::thread other([&] {
    while (!ended.load()) {
    }
  });
  CoreTimes before;
  REQUIRE(read_core_times(before));
  CoreTimes after = before;
  const Deadline patience = Deadline::after_ms(10'000);
  while (after.waited_ns == before.waited_ns && !patience.passed()) {
    REQUIRE(read_core_times(after));
  }
  CHECK(after.waited_ns > before.waited_ns);
  CHECK(after.ran_ns > before.ran_ns);
  ended = true;
  other.join();
}
