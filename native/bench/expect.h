// Ends a measuring program when a call of the core has failed.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "sync/status.h"

namespace dragon::bench {

inline void expect(Status status, const char* what) {
  if (status == DRAGON_SUCCESS) [[likely]] {
    return;
  }
  std::fprintf(stderr, "%s: %s\n", what, dragon_status_name(status));
  std::exit(1);
}

}  // namespace dragon::bench
