// The face of events.
#include "event/event.h"

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

class EventFace : public ObjectFace<EventFace, Event> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).event =
        Napi::Persistent(DefineClass(env, "NativeEvent",
                                     with_common({
                                         InstanceMethod<&EventFace::set>("set"),
                                         InstanceMethod<&EventFace::clear>("clear"),
                                         InstanceMethod<&EventFace::try_wait>("tryWait"),
                                         InstanceMethod<&EventFace::wait_sync>("waitSync"),
                                         InstanceAccessor<&EventFace::is_set>("isSet"),
                                         InstanceAccessor<&EventFace::times_set>("timesSet"),
                                     })));
    exports.Set("createEvent", Napi::Function::New<create>(env));
    exports.Set("attachEvent", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double) { return node()->arm(env, object().place(), shared()); }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    std::unique_ptr<Event> event;
    const Status status = Event::create(pool->pool(), info[1].ToBoolean(), event);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(event), 0, classes(info.Env()).event);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).event);
  }

  Napi::Value set(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().set());
  }
  Napi::Value clear(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().clear());
  }
  Napi::Value try_wait(const Napi::CallbackInfo& info) {
    const auto since = static_cast<uint64_t>(number_of(info[0], 0));
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().try_wait(since));
  }
  Napi::Value wait_sync(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().wait(deadline_of(info[0])));
  }
  Napi::Value is_set(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), !closed() && object().is_set());
  }
  Napi::Value times_set(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().times_set()));
  }
};

}  // namespace

void init_event(Napi::Env env, Napi::Object exports) {
  EventFace::init(env, exports);
}

}  // namespace dragon::binding
