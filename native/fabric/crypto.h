// What the handshake takes from libcrypto.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dragon::fabric {

constexpr size_t kKeyBytes = 32;
constexpr size_t kDigestBytes = 32;

struct RunKey {
  uint8_t bytes[kKeyBytes] = {};
};

// False if the system has no randomness to give.
bool random_bytes(void* out, size_t length);
// HMAC-SHA-256.
void keyed_digest(const RunKey& key, const void* bytes, size_t length, uint8_t* out);
// In a time that does not tell where the two differ.
bool same_bytes(const void* a, const void* b, size_t length);

}  // namespace dragon::fabric
