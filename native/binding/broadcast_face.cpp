// The face of broadcasts.
#include "event/broadcast.h"

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

class BroadcastFace : public ObjectFace<BroadcastFace, Broadcast> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).broadcast = Napi::Persistent(
        DefineClass(env, "NativeBroadcast",
                    with_common({
                        InstanceMethod<&BroadcastFace::try_publish>("tryPublish"),
                        InstanceMethod<&BroadcastFace::publish_sync>("publishSync"),
                        InstanceMethod<&BroadcastFace::try_read>("tryRead"),
                        InstanceMethod<&BroadcastFace::wait_sync>("waitSync"),
                        InstanceAccessor<&BroadcastFace::round>("round"),
                        InstanceAccessor<&BroadcastFace::payload_bytes>("payloadBytes"),
                        InstanceAccessor<&BroadcastFace::last_round>("lastRound"),
                        InstanceAccessor<&BroadcastFace::last_missed>("lastMissed"),
                        InstanceAccessor<&BroadcastFace::last_woken>("lastWoken"),
                    })));
    exports.Set("createBroadcast", Napi::Function::New<create>(env));
    exports.Set("attachBroadcast", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double lane) {
    const bool writes = lane == Broadcast::kLaneBuffer;
    return node()->arm(env, writes ? object().buffer_place() : object().place(), shared());
  }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    const double payload_bytes = number_of(info[1], -1);
    const double rounds = number_of(info[2], 0);
    const bool fits = payload_bytes >= 0 && payload_bytes <= kBroadcastPayloadMax && rounds >= 1 &&
                      rounds <= kBroadcastRoundsMax;
    if (!fits) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
    BroadcastOptions options;
    options.payload_bytes = static_cast<uint32_t>(payload_bytes);
    options.rounds = static_cast<uint32_t>(rounds);
    std::unique_ptr<Broadcast> broadcast;
    const Status status = Broadcast::create(pool->pool(), options, broadcast);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(broadcast), 0, classes(info.Env()).broadcast);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).broadcast);
  }

  // The number of the round, or minus a status.
  Napi::Value try_publish(const Napi::CallbackInfo& info) {
    return publish(info, Deadline::once());
  }
  // (payload, timeoutMs)
  Napi::Value publish_sync(const Napi::CallbackInfo& info) {
    return publish(info, deadline_of(info[1]));
  }
  Napi::Value publish(const Napi::CallbackInfo& info, Deadline deadline) {
    Bytes bytes;
    uint64_t round = 0;
    if (!bytes_of(info[0], bytes)) return number_or_status(info.Env(), DRAGON_INVALID_ARGUMENT, 0);
    const Status status =
        closed() ? DRAGON_CLOSED
                 : object().publish(bytes.data, bytes.length, deadline, round, last_woken_);
    return number_or_status(info.Env(), status, static_cast<double>(round));
  }
  // The payload of the first readable round from the given one on, or a status.
  Napi::Value try_read(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    const auto from = static_cast<uint64_t>(number_of(info[0], 0));
    return payload(info, object().try_read(from, buffer_, last_));
  }
  Napi::Value wait_sync(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    return payload(info, object().wait(deadline_of(info[0]), buffer_, last_));
  }
  Napi::Value payload(const Napi::CallbackInfo& info, Status status) {
    if (status != DRAGON_SUCCESS) return status_value(info.Env(), status);
    return copy_of(info.Env(), buffer_, last_.bytes);
  }
  Napi::Value round(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().round()));
  }
  Napi::Value payload_bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().payload_bytes());
  }
  Napi::Value last_round(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(last_.round));
  }
  Napi::Value last_missed(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(last_.missed));
  }
  Napi::Value last_woken(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), last_woken_);
  }

  BroadcastRound last_;
  uint32_t last_woken_ = 0;
  uint8_t buffer_[kBroadcastPayloadMax];
};

}  // namespace

void init_broadcast(Napi::Env env, Napi::Object exports) {
  BroadcastFace::init(env, exports);
}

}  // namespace dragon::binding
