// What `channels` measures.
#pragma once

namespace dragon::bench {

class Options;

void measure_latency(const Options& options);
void measure_large(const Options& options);
void measure_rate(const Options& options);
void measure_copy(const Options& options);
void measure_create(const Options& options);
void measure_idle(const Options& options);

}  // namespace dragon::bench
