// The objects behind the descriptors of the kernel made of memory.
#pragma once

#include <cstdint>

#include "fuzz/kernel.h"

namespace dragon::fuzz {

// Above what the real kernel hands out.
constexpr int kFirstFd = 1 << 20;
constexpr int kFdsMax = 16;
constexpr uint32_t kArrivalsMax = 8;

enum class Kind : uint8_t { kFree, kFile, kDevice, kStream, kPackets, kListener, kEpoll, kProcess };

struct Object {
  Kind kind = Kind::kFree;
  bool hung_up = false;
  bool watched = false;
  uint64_t watch_data = 0;
  // A file.
  uint64_t file_bytes = 0;
  int seals = 0;
  // A socket: what has arrived, `next_read` bytes of the first of it taken; what was sent.
  Arrival arrivals[kArrivalsMax];
  uint32_t first = 0;
  uint32_t count = 0;
  size_t next_read = 0;
  Sent sent;
  uint32_t peer_uid = kOwnUid;
};

struct Kernel {
  Object objects[kFdsMax];
  uint32_t open = 0;
  uint32_t pending_uid = 0;
  bool pending = false;
  int accepted = -1;
  bool processes_ended = false;
  uint8_t* file = nullptr;
  size_t file_written = 0;
};
Kernel& kernel();

constexpr bool is_ours(int fd) {
  return fd >= kFirstFd;
}
// A finding if the descriptor is not open.
Object& object_of(int fd);
// -1 if there is no descriptor left.
int open_object(Kind kind);
void close_object(int fd);

// The file's bytes, mapped from now on.
uint8_t* map_file(const Object& file);
bool unmap_file(void* base);

}  // namespace dragon::fuzz
