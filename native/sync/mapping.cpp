#include "sync/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace dragon {

namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr unsigned kNoExecSeal = 0x8;  // MFD_NOEXEC_SEAL, Linux 6.3

int make_memfd(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal);
  if (fd >= 0 || errno != EINVAL) return fd;
  return ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
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
  const int fd = make_memfd(name);
  if (fd < 0) return DRAGON_SYSTEM;
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0 || ::fcntl(fd, F_ADD_SEALS, kSeals) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    return DRAGON_SYSTEM;
  }
  return attach(fd, out);
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

}  // namespace dragon
