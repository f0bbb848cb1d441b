// How long an event loop looks before it sleeps.
#include "sync/bell_look.h"

#include <doctest/doctest.h>

using namespace dragon;

namespace {

uint64_t yield_takes = 0;
int yields = 0;

uint64_t counted_yield() {
  ++yields;
  return yield_takes;
}

}  // namespace

TEST_CASE("an event loop that looks in vain does so less and less often [SYN-091]") {
  yield_takes = 100;
  BellLook look(counted_yield);
  int looks = 0;
  for (int sleep = 0; sleep < 1'000; ++sleep) {
    bool looked = false;
    CHECK_FALSE(look.look([&] {
      looked = true;
      return false;
    }));
    if (looked) ++looks;
  }
  // After 1, 3, 7, ... 255 sleeps, and then every 256th.
  CHECK(looks >= 9);
  CHECK(looks <= 11);
}

TEST_CASE("it yields only after 2 us, and at once where only that has paid [SYN-091]") {
  yields = 0;
  yield_takes = 5'000;
  BellLook look(counted_yield);
  const auto rings_at_a_yield = [] { return yields > 0; };
  const uint64_t before = now_ns();
  CHECK(look.look(rings_at_a_yield));
  CHECK(now_ns() - before >= kBellQuietNs);
  CHECK(yields == 1);
  yields = 0;
  int looks = 0;
  CHECK(look.look([&] {
    ++looks;
    return yields > 0;
  }));
  CHECK(looks == 1);
}

TEST_CASE("a yield that cost the core for long is not tried again soon [SYN-091]") {
  yields = 0;
  yield_takes = 3'000'000;
  BellLook look(counted_yield);
  CHECK(look.look([] { return yields > 0; }));
  CHECK_FALSE(look.look([] { return true; }));  // left out
  CHECK(yields == 1);
}
