// The version, and handles as text.
#include "dragon/abi.h"

namespace {

constexpr char kDigits[] = "0123456789abcdef";

int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace

uint32_t dragon_abi_version(void) {
  return DRAGON_ABI_VERSION;
}

const char* dragon_version(void) {
  return DRAGON_VERSION;
}

void dragon_handle_to_text(const dragon_handle_t* handle, char* out) {
  if (handle == nullptr || out == nullptr) return;
  for (const uint8_t byte : handle->bytes) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
  *out = 0;
}

dragon_status_t dragon_handle_from_text(const char* text, dragon_handle_t* out) {
  if (text == nullptr || out == nullptr) return DRAGON_INVALID_ARGUMENT;
  dragon_handle_t handle;
  for (uint8_t& byte : handle.bytes) {
    // A text that is too short ends here, since its last character is no digit.
    const int high = digit_of(text[0]);
    const int low = high < 0 ? -1 : digit_of(text[1]);
    if (low < 0) return DRAGON_BAD_HANDLE;
    byte = static_cast<uint8_t>(high << 4 | low);
    text += 2;
  }
  if (*text != 0) return DRAGON_BAD_HANDLE;
  *out = handle;
  return DRAGON_SUCCESS;
}
