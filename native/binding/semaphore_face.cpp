// The face of semaphores. Values are numbers: they end at 2^53 - 1.
#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"
#include "event/semaphore.h"

namespace dragon::binding {

namespace {

// 2^53 and more for what is no count, so that it is refused as too large.
uint64_t count_of(const Napi::Value& value) {
  const double number = number_of(value, -1);
  return number >= 0 && number <= double{kSemaphoreMax} ? static_cast<uint64_t>(number)
                                                        : kSemaphoreMax + 1;
}

class SemaphoreFace : public ObjectFace<SemaphoreFace, Semaphore> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).semaphore = Napi::Persistent(
        DefineClass(env, "NativeSemaphore",
                    with_common({
                        InstanceMethod<&SemaphoreFace::try_acquire>("tryAcquire"),
                        InstanceMethod<&SemaphoreFace::acquire_sync>("acquireSync"),
                        InstanceMethod<&SemaphoreFace::release>("release"),
                        InstanceMethod<&SemaphoreFace::try_zero>("tryZero"),
                        InstanceMethod<&SemaphoreFace::wait_zero_sync>("waitZeroSync"),
                        InstanceAccessor<&SemaphoreFace::value>("value"),
                        InstanceAccessor<&SemaphoreFace::bound>("bound"),
                    })));
    exports.Set("createSemaphore", Napi::Function::New<create>(env));
    exports.Set("attachSemaphore", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double lane) {
    const auto known = static_cast<uint32_t>(lane >= 0 && lane <= Semaphore::kLaneMany ? lane : 0);
    return node()->arm(env, object().place(known), shared());
  }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    std::unique_ptr<Semaphore> semaphore;
    const Status status =
        Semaphore::create(pool->pool(), count_of(info[1]), count_of(info[2]), semaphore);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(semaphore), 0, classes(info.Env()).semaphore);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).semaphore);
  }

  // (permits)
  Napi::Value try_acquire(const Napi::CallbackInfo& info) {
    uint64_t before = 0;
    const Status status =
        closed() ? DRAGON_CLOSED : object().try_acquire(before, count_of(info[0]));
    return number_or_status(info.Env(), status, static_cast<double>(before));
  }
  // (timeoutMs, permits)
  Napi::Value acquire_sync(const Napi::CallbackInfo& info) {
    uint64_t before = 0;
    const Status status = closed()
                              ? DRAGON_CLOSED
                              : object().acquire(deadline_of(info[0]), before, count_of(info[1]));
    return number_or_status(info.Env(), status, static_cast<double>(before));
  }
  Napi::Value release(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().release(count_of(info[0])));
  }
  Napi::Value try_zero(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().try_zero());
  }
  Napi::Value wait_zero_sync(const Napi::CallbackInfo& info) {
    return status_value(info.Env(),
                        closed() ? DRAGON_CLOSED : object().wait_zero(deadline_of(info[0])));
  }
  Napi::Value value(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().value()));
  }
  Napi::Value bound(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().bound()));
  }
};

}  // namespace

void init_semaphore(Napi::Env env, Napi::Object exports) {
  SemaphoreFace::init(env, exports);
}

}  // namespace dragon::binding
