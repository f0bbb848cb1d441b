// The floors: the least that the machine charges for a kind of work. One function each.
#pragma once

namespace dragon::bench {

class Options;

/// One-way hand-off through a word in shared memory, the waiter looking all the time.
void spin_floor(const Options& options);
/// One-way hand-off, the waiter asleep in a futex.
void futex_floor(const Options& options);
/// One-way hand-off through an eventfd with blocking reads.
void eventfd_floor(const Options& options);
/// One-way hand-off of eight bytes through a pipe with blocking reads.
void pipe_floor(const Options& options);
/// One-way hand-off of `--bytes` through a socket pair of packets, blocking.
void socket_floor(const Options& options);
/// One-way hand-off of `--bytes` through POSIX message queues, blocking.
void message_queue_floor(const Options& options);

/// One-way hand-off of `--bytes` through a TCP connection over the loopback, blocking.
void tcp_floor(const Options& options);
/// Messages of `--bytes` through such a connection, the receiver reading all of them.
void tcp_stream_floor(const Options& options);

/// Starts the command after `--` by posix_spawn until it is reaped.
void spawn_floor(const Options& options);

/// Copies `--bytes` from one buffer to another in one process.
void memcpy_floor(const Options& options);

/// Cells of 64 bytes through a bounded ring, with `--producers` and `--consumers`.
void ring_floor(const Options& options);
/// Messages of `--bytes` through a ring of bytes of the best size, the receiver reading all of
/// them.
void stream_floor(const Options& options);
/// One cell into such a ring and out again in one process.
void ring_pair_floor(const Options& options);
/// Lock and unlock of an uncontended process-shared pthread mutex.
void mutex_floor(const Options& options);

/// A word in shared memory taken and given back by two compare-and-swaps, uncontended.
void atomic_pair_floor(const Options& options);
/// malloc and free of `--bytes`.
void malloc_floor(const Options& options);

}  // namespace dragon::bench
