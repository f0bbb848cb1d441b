// How much memory this process may use, as container and host say.
#pragma once

#include <cstdint>

namespace dragon {

// The smaller of the host's memory and the limits of the control groups (v1 and v2) around us.
uint64_t allowed_memory_bytes();

// The default limit of a pool: 4 GiB or half of the allowed memory, the smaller.
uint64_t default_pool_limit_bytes();

}  // namespace dragon
