// Seeded numbers (splitmix64): the same everywhere, unlike those of the standard library's
// distributions.
#pragma once

#include <cstdint>

namespace dragon::fabric {

class SimRandom {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // From 0 to `end` - 1.
  uint64_t below(uint64_t end) { return next() % end; }
  bool chance(double share) {
    return static_cast<double>(next() >> 11) < share * static_cast<double>(uint64_t{1} << 53);
  }

 private:
  uint64_t state_;
};

}  // namespace dragon::fabric
