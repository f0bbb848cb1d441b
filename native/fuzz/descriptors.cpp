#include "fuzz/descriptors.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sync/mapping.h"

namespace dragon::fuzz {

namespace {

// Poisoned while no file is mapped: marking all of a large one would be most of the work.
constexpr size_t kGuardedBytes = 4 * kPageBytes;

uint8_t* file_memory() {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* base = ::mmap(nullptr, kFileBytesMax + kPageBytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  require(base != MAP_FAILED);
  __asan_poison_memory_region(base, kGuardedBytes);
  return static_cast<uint8_t*>(base);
}

bool is_socket(Kind kind) {
  return kind == Kind::kStream || kind == Kind::kPackets;
}

}  // namespace

void require(bool condition) {
  if (!condition) ::abort();
}

Kernel& kernel() {
  static Kernel only;
  return only;
}

Object& object_of(int fd) {
  require(fd < kFirstFd + kFdsMax);
  Object& object = kernel().objects[fd - kFirstFd];
  require(object.kind != Kind::kFree);
  return object;
}

int open_object(Kind kind) {
  Kernel& own = kernel();
  for (int i = 0; i < kFdsMax; ++i) {
    Object& object = own.objects[i];
    if (object.kind != Kind::kFree) continue;
    object.kind = kind;
    object.hung_up = false;
    object.watched = false;
    object.count = 0;
    object.next_read = 0;
    object.sent.length = 0;
    ++own.open;
    return kFirstFd + i;
  }
  return -1;
}

void close_object(int fd) {
  object_of(fd).kind = Kind::kFree;
  --kernel().open;
}

int make_file(const uint8_t* bytes, size_t length, uint64_t size, int seals) {
  Kernel& own = kernel();
  if (own.file == nullptr) own.file = file_memory();
  require(size <= kFileBytesMax && length <= size);
  const size_t touched = length > own.file_written ? length : own.file_written;
  __asan_unpoison_memory_region(own.file, touched);
  ::memset(own.file, 0, own.file_written);
  if (length > 0) ::memcpy(own.file, bytes, length);
  __asan_poison_memory_region(own.file, touched);
  own.file_written = length;
  const int fd = open_object(Kind::kFile);
  object_of(fd).file_bytes = size;
  object_of(fd).seals = seals;
  return fd;
}

uint8_t* map_file(const Object& file) {
  uint8_t* base = kernel().file;
  const uint64_t mapped = round_up(file.file_bytes, kPageBytes);
  const size_t touched =
      kernel().file_written > kGuardedBytes ? kernel().file_written : kGuardedBytes;
  __asan_unpoison_memory_region(base, mapped < touched ? mapped : touched);
  if (mapped >= kGuardedBytes) __asan_poison_memory_region(base + mapped, kPageBytes);
  return base;
}

bool unmap_file(void* base) {
  Kernel& own = kernel();
  if (base != own.file) return false;
  __asan_poison_memory_region(own.file, kGuardedBytes);
  return true;
}

int make_device() {
  return open_object(Kind::kDevice);
}

int make_stream() {
  return open_object(Kind::kStream);
}

void arrive(int socket, const Arrival& arrival) {
  if (!is_ours(socket)) return;
  Object& object = kernel().objects[socket - kFirstFd];
  if (!is_socket(object.kind) || object.count == kArrivalsMax) return;
  object.arrivals[(object.first + object.count++) % kArrivalsMax] = arrival;
}

void hang_up(int socket) {
  if (!is_ours(socket)) return;
  Object& object = kernel().objects[socket - kFirstFd];
  if (is_socket(object.kind)) object.hung_up = true;
}

bool is_readable(int socket) {
  if (!is_ours(socket)) return false;
  const Object& object = kernel().objects[socket - kFirstFd];
  return is_socket(object.kind) && (object.count > 0 || object.hung_up);
}

void connect_client(uint32_t uid) {
  Kernel& own = kernel();
  own.pending = true;
  own.pending_uid = uid;
  own.accepted = -1;
}

int accepted_client() {
  return kernel().accepted;
}

bool take_sent(int socket, Sent& out) {
  if (!is_ours(socket)) return false;
  Object& object = kernel().objects[socket - kFirstFd];
  if (!is_socket(object.kind) || object.sent.length == 0) return false;
  out = object.sent;
  object.sent.length = 0;
  return true;
}

void end_processes(bool ended) {
  kernel().processes_ended = ended;
}

uint32_t open_descriptors() {
  return kernel().open;
}

}  // namespace dragon::fuzz
