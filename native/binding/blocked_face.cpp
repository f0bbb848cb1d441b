// The face of what `dragon ps --blocked` asks for.
#include "event/blocked.h"

#include <cinttypes>
#include <cstdio>

#include "binding/event_faces.h"
#include "binding/node_face.h"

namespace dragon::binding {

namespace {

std::string hex_key(uint64_t key) {
  char text[24];
  std::snprintf(text, sizeof text, "%" PRIx64, key >> kLaneBits);
  return text;
}

Napi::Value blocked_waits_of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  const NodeFace* face = NodeFace::of(info[0]);
  if (face == nullptr || face->node() == nullptr) return list;
  const uint64_t now = now_ns();
  for (const BlockedWait& blocked : blocked_waits(face->node())) {
    const WaitInfo& wait = blocked.wait;
    ActorInfo actor;
    face->node()->actors().info(actor_slot(wait.actor), actor);
    Napi::Array wakers = Napi::Array::New(env, blocked.wakers.size());
    for (uint32_t i = 0; i < blocked.wakers.size(); ++i) wakers.Set(i, blocked.wakers[i]);
    Napi::Object object = Napi::Object::New(env);
    object.Set("actorId", wait.actor);
    object.Set("pid", actor.pid);
    object.Set("objectId", hex_key(wait.key));
    object.Set("lane", static_cast<uint32_t>(wait.key & ((1u << kLaneBits) - 1)));
    object.Set("blocked", wait.kind != WaitKind::kEventLoop);
    object.Set("sinceMs", now > wait.since_ns ? (now - wait.since_ns) / 1e6 : 0.0);
    object.Set("object", blocked.object);
    object.Set("operation", blocked.operation);
    object.Set("wakers", wakers);
    object.Set("others", blocked.others);
    list.Set(list.Length(), object);
  }
  return list;
}

}  // namespace

void init_blocked(Napi::Env env, Napi::Object exports) {
  exports.Set("blockedWaits", Napi::Function::New<blocked_waits_of>(env));
}

}  // namespace dragon::binding
