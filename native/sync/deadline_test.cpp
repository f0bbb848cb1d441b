// variants: plain
#include "sync/deadline.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace dragon;

TEST_CASE("every number of milliseconds is a deadline [SYN-060]") {
  CHECK(Deadline::from_timeout_ms(0).is_once());
  for (const double forever : {-1.0, -0.001, 1e300, 9e9, HUGE_VAL, std::nan("")}) {
    CHECK(Deadline::from_timeout_ms(forever).is_never());
  }
  for (const double soon : {0.0001, 5.0, 8e9}) {
    const Deadline deadline = Deadline::from_timeout_ms(soon);
    CHECK_FALSE(deadline.is_never());
    CHECK_FALSE(deadline.is_once());
    CHECK(deadline.passed() == (soon < 1));
  }
  CHECK(Deadline::after_ns(UINT64_MAX).is_never());
  CHECK(Deadline::after_ns(UINT64_MAX - 1).is_never());
  CHECK_FALSE(Deadline::never().passed());
  CHECK(Deadline::once().passed());
  CHECK(Deadline::never().earlier(Deadline::once()).is_once());
}
