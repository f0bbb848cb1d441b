// Copies of every length around the threshold, between places of every alignment.
#include "channel/slot_copy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace dragon;

TEST_CASE("bytes arrive whole wherever they lie [CH-010]") {
  constexpr uint64_t kMargin = 64;
  std::vector<uint8_t> source(kLineCopyBytesMin + 4 * kMargin);
  for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<uint8_t>(i * 7 + i / 256);
  std::vector<uint8_t> target(source.size());
  uint64_t wrong = 0;
  for (const uint64_t more : {uint64_t{0}, uint64_t{1}, uint64_t{63}, uint64_t{64}, uint64_t{65}}) {
    for (uint64_t from = 0; from < kMargin; from += 5) {
      for (uint64_t to = 1; to < kMargin; to += 3) {
        const uint64_t bytes = kLineCopyBytesMin - 1 + more;
        std::fill(target.begin(), target.end(), 0);
        copy_bytes(target.data() + to, source.data() + from, bytes);
        const bool same = std::equal(source.begin() + static_cast<int64_t>(from),
                                     source.begin() + static_cast<int64_t>(from + bytes),
                                     target.begin() + static_cast<int64_t>(to));
        if (!same || target[to - 1] != 0 || target[to + bytes] != 0) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
}
