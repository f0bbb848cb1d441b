// For tests: memory that forked processes share.
#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>

#include "proof/journal.h"

namespace dragon::proof {

// Zeroed, and gone with the test.
template <typename T>
class Shared {
 public:
  Shared() {
    void* memory =
        ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    value_ = static_cast<T*>(memory);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T& operator*() { return *value_; }

 private:
  T* value_;
};

using SharedRecords = Shared<Records>;

}  // namespace dragon::proof
