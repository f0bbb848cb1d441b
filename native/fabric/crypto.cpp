#include "fabric/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

namespace dragon::fabric {

bool random_bytes(void* out, size_t length) {
  return ::RAND_bytes(static_cast<unsigned char*>(out), static_cast<int>(length)) == 1;
}

void keyed_digest(const RunKey& key, const void* bytes, size_t length, uint8_t* out) {
  unsigned int written = 0;
  const auto* from = static_cast<const unsigned char*>(bytes);
  const unsigned char* made =
      ::HMAC(::EVP_sha256(), key.bytes, static_cast<int>(kKeyBytes), from, length, out, &written);
  // A proof that nobody can make is refused by everybody.
  if (made == nullptr || written != kDigestBytes) ::RAND_bytes(out, kDigestBytes);
}

bool same_bytes(const void* a, const void* b, size_t length) {
  return ::CRYPTO_memcmp(a, b, length) == 0;
}

}  // namespace dragon::fabric
