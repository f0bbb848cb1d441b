#include "sync/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "sync/word.h"

namespace dragon {

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr unsigned kNoExecSeal = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3

constexpr unsigned kHugePages = MFD_HUGETLB | 21u << 26;  // of 2^21 bytes
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
constexpr int kPreferNode = 1;  // MPOL_PREFERRED
constexpr int kNodesMax = 1024;

int make_memfd(const char* name, unsigned pages) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | pages;
  const int fd = ::memfd_create(name, flags | kNoExecSeal);
  if (fd >= 0 || errno != EINVAL) return fd;
  return ::memfd_create(name, flags);
}

Status make_sealed(const char* name, uint64_t bytes, unsigned pages, Mapping& out) {
  const int fd = make_memfd(name, pages);
  if (fd < 0) return DRAGON_SYSTEM;
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0 || ::fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    return DRAGON_SYSTEM;
  }
  return Mapping::attach(fd, out);
}

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept {
  *this = std::move(other);
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (base_ != nullptr) ::munmap(base_, bytes_);
  if (fd_ >= 0) ::close(fd_);
}

Status Mapping::create(const char* name, uint64_t bytes, Mapping& out) {
  return make_sealed(name, bytes, 0, out);
}

// A first page is committed, since only that tells whether there are any.
Status Mapping::create_huge(const char* name, uint64_t bytes, Mapping& out) {
  Mapping mapping;
  Status status = make_sealed(name, round_up(bytes, kHugePageBytes), kHugePages, mapping);
  if (status == DRAGON_SUCCESS) status = mapping.commit(0, kHugePageBytes);
  if (status == DRAGON_SUCCESS) out = std::move(mapping);
  return status;
}

Status Mapping::attach(int fd, Mapping& out) {
  Mapping mapping;
  mapping.fd_ = fd;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat status;
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(fd, &status) != 0) return DRAGON_LAYOUT;
  if (status.st_size < static_cast<off_t>(kPageBytes)) return DRAGON_LAYOUT;
  const auto bytes = static_cast<uint64_t>(status.st_size);
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) return DRAGON_SYSTEM;
  mapping.base_ = static_cast<uint8_t*>(base);
  mapping.bytes_ = bytes;
  out = std::move(mapping);
  return DRAGON_SUCCESS;
}

Status Mapping::commit(uint64_t offset, uint64_t bytes) const {
  while (::fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) return DRAGON_OUT_OF_MEMORY;
  }
  return DRAGON_SUCCESS;
}

Status Mapping::punch(uint64_t offset, uint64_t bytes) const {
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  const int result = ::fallocate(fd_, mode, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  return result == 0 ? DRAGON_SUCCESS : DRAGON_SYSTEM;
}

void Mapping::populate(uint64_t offset, uint64_t bytes) const {
  if (::madvise(base_ + offset, bytes, MADV_POPULATE_WRITE) == 0) return;
  // An older kernel. Adding nothing writes to the page and changes no byte.
  for (uint64_t at = offset; at < offset + bytes; at += kPageBytes) {
    reinterpret_cast<Word32*>(base_ + at)->fetch_add(0);
  }
}

bool Mapping::join_pages() const {
  return ::madvise(base_, bytes_, MADV_HUGEPAGE) == 0;
}

Status Mapping::prefer_node(int node) const {
  if (node < 0 || node >= kNodesMax) return DRAGON_INVALID_ARGUMENT;
  constexpr int kBits = 8 * sizeof(unsigned long);
  unsigned long nodes[kNodesMax / kBits] = {};
  nodes[node / kBits] = 1ul << node % kBits;
  const long result = ::syscall(SYS_mbind, base_, bytes_, kPreferNode, nodes, kNodesMax, 0);
  if (result == 0) return DRAGON_SUCCESS;
  return errno == EINVAL ? DRAGON_INVALID_ARGUMENT : DRAGON_NOT_SUPPORTED;
}

Status Mapping::protect(uint64_t offset, uint64_t bytes) const {
  return ::mprotect(base_ + offset, bytes, PROT_READ) == 0 ? DRAGON_SUCCESS : DRAGON_SYSTEM;
}

}  // namespace dragon
