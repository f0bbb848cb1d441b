// The addon's exports; src/core/native.ts and src/launcher declare them for TypeScript.
#include <napi.h>

#include "binding/certificates.h"
#include "binding/channel_calls.h"
#include "binding/channel_face.h"
#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/face.h"
#include "binding/lock_face.h"
#include "binding/node_face.h"
#include "binding/pool_face.h"
#include "binding/process.h"

namespace dragon::binding {

namespace {

Napi::Value take_last_error_text(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), last_error_text());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Classes());
  NodeFace::init(env, exports);
  PoolFace::init(env, exports);
  AllocationFace::init(env, exports);
  ChannelFace::init(env, exports);
  LockFace::init(env, exports);
  init_event_objects(env, exports);
  init_channel_calls(env, exports);
  init_process(env, exports);
  init_certificates(env, exports);
  exports.Set("lastErrorText", Napi::Function::New<take_last_error_text>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(dragon_native, init)

}  // namespace dragon::binding
