// Conversions that all faces share.
//
// Goals: a condition of the data path reaches JavaScript as a status number, a wrong argument as
// INVALID_ARGUMENT; nothing throws. Non-goals: no behaviour of objects.
#pragma once

#include <napi.h>
#include <sys/uio.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "memory/handle.h"
#include "sync/deadline.h"
#include "sync/status.h"

namespace dragon::binding {

// What the last failed factory has to add to its status, for `lastErrorText`.
std::string& last_error_text();
// Notes errno's text for the statuses that come from system calls, and converts the status.
Napi::Value failure(Napi::Env env, Status status);

inline Napi::Value status_value(Napi::Env env, Status status) {
  return Napi::Number::New(env, static_cast<double>(status));
}

// The bytes of a Uint8Array argument; false for anything else.
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};
bool bytes_of(const Napi::Value& value, Bytes& out);
double number_of(const Napi::Value& value, double otherwise);
// A tag that travels with a message: an integer that a JavaScript number can hold.
inline bool hints_of(double number, uint64_t& out) {
  if (!(number >= 0 && number <= 9007199254740991.0)) return false;
  out = static_cast<uint64_t>(number);
  return true;
}

Napi::Value copy_of(Napi::Env env, const uint8_t* data, size_t length);
inline Napi::Value copy_of(Napi::Env env, const HandleBytes& handle) {
  return copy_of(env, handle, kHandleBytes);
}

inline Deadline deadline_of(const Napi::Value& timeout_ms) {
  return Deadline::from_timeout_ms(number_of(timeout_ms, -1));
}

// A message's parts: one Uint8Array or an array of them.
class Parts {
 public:
  static constexpr size_t kPartsMax = 64;
  // False if the value is something else, or has too many parts.
  bool take(const Napi::Value& value);
  const iovec* data() const { return vectors_; }
  size_t count() const { return count_; }

 private:
  iovec vectors_[kPartsMax];
  size_t count_ = 0;
};

// The face behind a wrapped object; nullptr if the value is not of that class.
template <typename Face>
Face* face_of(const Napi::Value& value, const Napi::FunctionReference& constructor) {
  if (!value.IsObject()) return nullptr;
  const Napi::Object object = value.As<Napi::Object>();
  if (!object.InstanceOf(constructor.Value())) return nullptr;
  return Face::Unwrap(object);
}

}  // namespace dragon::binding
