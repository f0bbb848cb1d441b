// CRC-32C (Castagnoli) of headers and handles. Small inputs, so a table of bytes is enough.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dragon {

uint32_t crc32c(const void* bytes, size_t length);

}  // namespace dragon
