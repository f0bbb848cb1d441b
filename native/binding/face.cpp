// Conversions between JavaScript values and the core's arguments.
#include "binding/face.h"

#include <cerrno>

namespace dragon::binding {

std::string& last_error_text() {
  static thread_local std::string text;
  return text;
}

Napi::Value failure(Napi::Env env, Status status) {
  const bool has_errno =
      status == DRAGON_SYSTEM || status == DRAGON_OUT_OF_MEMORY || status == DRAGON_RUNTIME_GONE;
  last_error_text() = has_errno && errno != 0 ? std::strerror(errno) : "";
  return status_value(env, status);
}

bool bytes_of(const Napi::Value& value, Bytes& out) {
  if (!value.IsTypedArray()) return false;
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  uint8_t* base = static_cast<uint8_t*>(array.ArrayBuffer().Data());
  out.length = array.ByteLength();
  out.data = base == nullptr ? nullptr : base + array.ByteOffset();
  return out.data != nullptr || out.length == 0;
}

double number_of(const Napi::Value& value, double otherwise) {
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : otherwise;
}

Napi::Value copy_of(Napi::Env env, const uint8_t* data, size_t length) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, length);
  if (length > 0) std::memcpy(buffer.Data(), data, length);
  return Napi::Uint8Array::New(env, length, buffer, 0);
}

bool Parts::take(const Napi::Value& value) {
  Bytes bytes;
  if (bytes_of(value, bytes)) {
    vectors_[0] = {bytes.data, bytes.length};
    count_ = 1;
    return true;
  }
  if (!value.IsArray()) return false;
  const Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > kPartsMax) return false;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    if (!bytes_of(array.Get(i), bytes)) return false;
    vectors_[count_++] = {bytes.data, bytes.length};
  }
  return true;
}

}  // namespace dragon::binding
