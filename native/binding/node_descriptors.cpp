// The face of a node attachment: descriptors that processes send to each other.
#include "binding/face.h"
#include "binding/node_face.h"

namespace dragon::binding {

Napi::Value NodeFace::offer_descriptor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (node_ == nullptr) return status_value(env, DRAGON_CLOSED);
  HandleBytes handle;
  const int fd = static_cast<int>(number_of(info[0], -1));
  const Status status = node_->offer_descriptor(fd, handle);
  return status == DRAGON_SUCCESS ? copy_of(env, handle) : failure(env, status);
}

// The descriptor's number, or minus a status.
Napi::Value NodeFace::take_descriptor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes bytes;
  int fd = -1;
  Status status = node_ == nullptr ? DRAGON_CLOSED : DRAGON_BAD_HANDLE;
  if (node_ != nullptr && bytes_of(info[0], bytes)) {
    status = node_->take_descriptor(bytes.data, bytes.length, fd);
  }
  if (status == DRAGON_SUCCESS) return Napi::Number::New(env, fd);
  failure(env, status);
  return Napi::Number::New(env, -static_cast<double>(status));
}

Napi::Value NodeFace::withdraw_descriptor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Bytes bytes;
  if (node_ == nullptr) return status_value(env, DRAGON_CLOSED);
  if (!bytes_of(info[0], bytes)) return status_value(env, DRAGON_BAD_HANDLE);
  return status_value(env, node_->withdraw_descriptor(bytes.data, bytes.length));
}

}  // namespace dragon::binding
