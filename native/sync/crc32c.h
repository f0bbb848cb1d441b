// CRC-32C (Castagnoli) of headers, handles and small packets: the processor's own instruction where
// every processor of the target has it, else a table of bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dragon {

uint32_t crc32c(const void* bytes, size_t length);

}  // namespace dragon
