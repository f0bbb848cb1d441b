// The measurements of `memory`, one function each.
#pragma once

#include <cstdint>

#include "measure.h"
#include "pool_pair.h"

namespace dragon::bench {

uint64_t allocate(Pool& pool, uint64_t bytes);

void measure_pair(const Options& options);
void measure_rate(const Options& options);
void measure_handover(const Options& options);
void measure_full(const Options& options);

}  // namespace dragon::bench
