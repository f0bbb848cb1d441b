// The face of reader-writer locks.
#include "event/rw_lock.h"

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

class RwLockFace : public ObjectFace<RwLockFace, RwLock> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).rw_lock =
        Napi::Persistent(DefineClass(env, "NativeRwLock",
                                     with_common({
                                         InstanceMethod<&RwLockFace::attempt>("attempt"),
                                         InstanceMethod<&RwLockFace::wait_sync>("waitSync"),
                                         InstanceMethod<&RwLockFace::end>("end"),
                                         InstanceMethod<&RwLockFace::give_up>("giveUp"),
                                         InstanceAccessor<&RwLockFace::writer>("writer"),
                                         InstanceAccessor<&RwLockFace::readers>("readers"),
                                         InstanceAccessor<&RwLockFace::owner_died>("ownerDied"),
                                     })));
    exports.Set("createRwLock", Napi::Function::New<create>(env));
    exports.Set("attachRwLock", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double lane) {
    const bool writes = lane == RwLock::kLaneWrite;
    return node()->arm(env, writes ? object().write_place() : object().read_place(), shared());
  }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    const double readers = number_of(info[1], 0);
    if (!(readers >= 1 && readers <= kRwReadersMax)) {
      return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
    }
    std::unique_ptr<RwLock> lock;
    const Status status = RwLock::create(pool->pool(), static_cast<uint32_t>(readers), lock);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(lock), 0, classes(info.Env()).rw_lock);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).rw_lock);
  }

  static bool writes(const Napi::CallbackInfo& info) {
    return number_of(info[0], 0) == RwLock::kLaneWrite;
  }

  // The first argument of each is the lane: whether one reads or writes.
  Napi::Value attempt(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    const bool probe = info[1].ToBoolean();
    return status_value(info.Env(),
                        writes(info) ? object().try_write(probe) : object().try_read(probe));
  }
  Napi::Value wait_sync(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    const Deadline deadline = deadline_of(info[1]);
    return status_value(info.Env(),
                        writes(info) ? object().write(deadline) : object().read(deadline));
  }
  Napi::Value end(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    return status_value(info.Env(), writes(info) ? object().end_write() : object().end_read());
  }
  Napi::Value give_up(const Napi::CallbackInfo& info) {
    if (!closed()) object().give_up_write();
    return info.Env().Undefined();
  }
  Napi::Value writer(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().writer());
  }
  Napi::Value readers(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().readers());
  }
  Napi::Value owner_died(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), !closed() && object().owner_died());
  }
};

}  // namespace

void init_rw_lock(Napi::Env env, Napi::Object exports) {
  RwLockFace::init(env, exports);
}

}  // namespace dragon::binding
