// Many producers and consumers, each a process of its own, and the rate at which they move
// messages.
//
// Goals: a round lasts from the first that begins to the last that ends, as they saw it themselves,
// so that the process that counts takes no time from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace dragon::bench {

class Options;

struct CrowdShape {
  long producers = 1;
  long consumers = 1;
  long rounds = 20;
  long messages = 200'000;  // of a round; a multiple of both
  int first_cpu = -1;       // the producers'
  int second_cpu = -1;      // the consumers'

  static CrowdShape from(const Options& options);
};

/// Makes, in each of the processes, what it does for one message.
using Prepare = std::function<std::function<void()>(bool produces)>;

/// Prints messages a second.
void run_crowd(const CrowdShape& shape, const Prepare& prepare);

/// Reads every byte.
std::uint64_t sum_of(const void* bytes, std::size_t count);

/// What somebody does who finds a ring full or empty: looks again, after a while lets others run.
class Patience {
 public:
  void wait();
  void rest() { looks_ = 0; }

 private:
  int looks_ = 0;
};

}  // namespace dragon::bench
