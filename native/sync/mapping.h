// A sealed memfd of a fixed size, mapped as a whole; memory is committed range by range.
//
// The file has its final size from the start and is sealed against shrinking and growing, so no
// access can end in SIGBUS because of the file's end. It takes memory only where it was
// committed: nothing is handed out before `commit` has got its pages from the system.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sync/status.h"

namespace dragon {

// What pages a mapping has. kHuge: reserved huge pages, if the system has any left. kTransparent:
// pages that the kernel may join to huge ones.
enum class PageKind : uint32_t { kSmall = 0, kTransparent = 1, kHuge = 2 };

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  static Status create(const char* name, uint64_t bytes, Mapping& out);
  // The same of reserved huge pages, whole ones; SYSTEM or OUT_OF_MEMORY if there are none.
  static Status create_huge(const char* name, uint64_t bytes, Mapping& out);
  // Takes `fd` over, also on failure. LAYOUT if the file is not sealed as it must be.
  static Status attach(int fd, Mapping& out);

  // OUT_OF_MEMORY with errno when the system has no pages left. May be called again for the same
  // range, by several processes at once.
  Status commit(uint64_t offset, uint64_t bytes) const;
  // Gives the pages of a range back to the system; they read as zero afterwards.
  Status punch(uint64_t offset, uint64_t bytes) const;

  // Touches committed pages, so that no later access has to.
  void populate(uint64_t offset, uint64_t bytes) const;
  // Asks for huge pages wherever a range allows them; false if the kernel has none of this kind.
  bool join_pages() const;
  // Memory that is committed from now on comes from this NUMA node if it has some.
  // INVALID_ARGUMENT if there is no such node, NOT_SUPPORTED if the kernel knows of no nodes.
  Status prefer_node(int node) const;
  // Makes a range unwritable in this mapping.
  Status protect(uint64_t offset, uint64_t bytes) const;

  int fd() const { return fd_; }
  uint8_t* base() const { return base_; }
  uint64_t bytes() const { return bytes_; }
  bool valid() const { return base_ != nullptr; }

 private:
  int fd_ = -1;
  uint8_t* base_ = nullptr;
  uint64_t bytes_ = 0;
};

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kHugePageBytes = 2 << 20;
constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace dragon
