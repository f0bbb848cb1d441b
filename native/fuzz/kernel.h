// A kernel made of memory, for fuzz targets: the core's system calls end here and not in Linux.
//
// Goals: no system call in an execution; what a descriptor may hold is as Linux has it, with its
// rarer answers (interrupted, cut short, no descriptor left) for the asking; a descriptor that is
// left open, or closed twice, is found.
// Non-goals: threads, waiting, any call that no target reaches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dragon::fuzz {

// Ends the process as a finding.
void require(bool condition);

// A file of `size` bytes that begins with `length` given ones. Only one is open at a time.
constexpr uint64_t kFileBytesMax = 64u << 20;
int make_file(const uint8_t* bytes, size_t length, uint64_t size, int seals);

// Neither a file nor a socket.
int make_device();

// What one send of the peer brings. The bytes stay the caller's until they are read.
struct Arrival {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  uint32_t descriptors = 0;
  bool credentials = false;     // come along, before the descriptors
  int error = 0;                // what the first look at it ends in
  bool no_descriptors = false;  // the receiver has none left: they are cut off
};

// One end of a pair whose other end is the target's.
int make_stream();
void arrive(int socket, const Arrival& arrival);
void hang_up(int socket);
// Whether a receive would bring anything, be it the end; false if the socket is closed.
bool is_readable(int socket);

// Lets a client of `uid` connect to the one listener; its socket once it was accepted, or -1.
void connect_client(uint32_t uid);
int accepted_client();
// What was sent to the peer of `socket` and not taken yet; false if nothing.
struct Sent {
  uint8_t bytes[64];
  size_t length = 0;
};
bool take_sent(int socket, Sent& out);
constexpr uint32_t kOwnUid = 1000;

// All processes end that are watched.
void end_processes(bool ended);

uint32_t open_descriptors();

}  // namespace dragon::fuzz
