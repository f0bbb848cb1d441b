// What `remote` measures.
#pragma once

namespace dragon::bench {

class Options;

void measure_remote_latency(const Options& options);
void measure_remote_rate(const Options& options);
void measure_remote_stream(const Options& options);
/// The hand-offs that a remote message can't do without, in a chain.
void remote_floor(const Options& options);

}  // namespace dragon::bench
