// What the faces of channels and locks share: handles, references in flight, the end.
#pragma once

#include <napi.h>

#include "binding/face.h"
#include "channel/managed_object.h"

namespace dragon::binding {

inline Napi::Value serialize_object(Napi::Env env, const ManagedObject* object) {
  if (object == nullptr || object->closed()) return env.Undefined();
  HandleBytes handle;
  object->serialize(handle);
  return copy_of(env, handle);
}

inline Napi::Value destroy_object(Napi::Env env, ManagedObject* object) {
  return status_value(env, object == nullptr ? DRAGON_CLOSED : object->destroy());
}

inline Napi::Value lend_object_face(const Napi::CallbackInfo& info, ManagedObject* object) {
  const double role = number_of(info[0], -1);
  if (object == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
  if (!(role >= 0 && role < kRoles)) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
  HandleBytes handle;
  const Status status = object->lend(static_cast<Role>(static_cast<uint32_t>(role)), handle);
  if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
  return copy_of(info.Env(), handle);
}

inline void cancel_lent_face(const Napi::CallbackInfo& info, ManagedObject* object) {
  Bytes handle;
  if (object != nullptr && bytes_of(info[0], handle)) {
    object->cancel_lent(handle.data, handle.length);
  }
}

}  // namespace dragon::binding
