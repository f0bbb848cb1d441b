// The face of barriers. A wait is known by the number that `arrive` gives it.
#include "event/barrier.h"

#include <unordered_map>

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

class BarrierFace : public ObjectFace<BarrierFace, Barrier> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).barrier =
        Napi::Persistent(DefineClass(env, "NativeBarrier",
                                     with_common({
                                         InstanceMethod<&BarrierFace::arrive>("arrive"),
                                         InstanceMethod<&BarrierFace::look>("look"),
                                         InstanceMethod<&BarrierFace::give_up>("giveUp"),
                                         InstanceMethod<&BarrierFace::finish>("finish"),
                                         InstanceMethod<&BarrierFace::is_acting>("isActing"),
                                         InstanceMethod<&BarrierFace::arrive_sync>("arriveSync"),
                                         InstanceMethod<&BarrierFace::look_sync>("lookSync"),
                                         InstanceMethod<&BarrierFace::try_arrive>("tryArrive"),
                                         InstanceMethod<&BarrierFace::try_wait>("tryWait"),
                                         InstanceMethod<&BarrierFace::wait_sync>("waitSync"),
                                         InstanceMethod<&BarrierFace::abort>("abort"),
                                         InstanceMethod<&BarrierFace::reset>("reset"),
                                         InstanceAccessor<&BarrierFace::acts>("acts"),
                                         InstanceAccessor<&BarrierFace::broken>("broken"),
                                         InstanceAccessor<&BarrierFace::parties>("parties"),
                                         InstanceAccessor<&BarrierFace::waiting>("waiting"),
                                     })));
    exports.Set("createBarrier", Napi::Function::New<create>(env));
    exports.Set("attachBarrier", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double) { return node()->arm(env, object().place(), shared()); }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    const double parties = number_of(info[1], 0);
    if (!(parties >= 1 && parties <= kBarrierPartiesMax)) {
      return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
    }
    std::unique_ptr<Barrier> barrier;
    const Status status =
        Barrier::create(pool->pool(), static_cast<uint32_t>(parties), info[2].ToBoolean(), barrier);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(barrier), 0, classes(info.Env()).barrier);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).barrier);
  }

  // The number of the wait, which `look` and the like take, or minus a status.
  Napi::Value arrive(const Napi::CallbackInfo& info) {
    Barrier::Arrival arrival;
    return arrived(info, closed() ? DRAGON_CLOSED : object().arrive(arrival), arrival);
  }
  Napi::Value arrive_sync(const Napi::CallbackInfo& info) {
    Barrier::Arrival arrival;
    const Status status = closed() ? DRAGON_CLOSED : object().enter(deadline_of(info[0]), arrival);
    return arrived(info, status, arrival);
  }
  // Minus WOULD_BLOCK unless it is the last.
  Napi::Value try_arrive(const Napi::CallbackInfo& info) {
    Barrier::Arrival arrival;
    Status status = closed() ? DRAGON_CLOSED : object().try_wait(arrival);
    if (status == DRAGON_WOULD_BLOCK && arrival.generation == 0) return failed(info, status);
    return arrived(info, status, arrival);
  }
  Napi::Value arrived(const Napi::CallbackInfo& info, Status status,
                      const Barrier::Arrival& arrival) {
    const bool waits = status == DRAGON_WOULD_BLOCK || status == DRAGON_SUCCESS;
    if (waits && arrival.generation != 0) {
      arrivals_[++last_] = arrival;
      status = DRAGON_SUCCESS;
    }
    return number_or_status(info.Env(), status, last_);
  }
  // The same as `look`, once it has ended or the deadline is over.
  Napi::Value look_sync(const Napi::CallbackInfo& info) {
    const auto found = arrivals_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == arrivals_.end()) return failed(info, DRAGON_CLOSED);
    const Barrier::Arrival arrival = found->second;
    arrivals_.erase(found);
    const Status status = object().wait_for(arrival, deadline_of(info[1]));
    return number_or_status(info.Env(), status, arrival.index);
  }
  Napi::Value finish(const Napi::CallbackInfo& info) {
    const auto found = arrivals_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == arrivals_.end()) return failed(info, DRAGON_CLOSED);
    const Barrier::Arrival arrival = found->second;
    arrivals_.erase(found);
    return number_or_status(info.Env(), object().finish(arrival), arrival.index);
  }
  Napi::Value is_acting(const Napi::CallbackInfo& info) {
    const auto found = arrivals_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    const bool known = !closed() && found != arrivals_.end();
    return Napi::Boolean::New(info.Env(), known && object().is_acting(found->second));
  }
  Napi::Value acts(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), !closed() && object().acts());
  }
  // The index of the arrival, or minus a status.
  Napi::Value look(const Napi::CallbackInfo& info) {
    const auto found = arrivals_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == arrivals_.end()) return failed(info, DRAGON_CLOSED);
    const Barrier::Arrival arrival = found->second;
    const Status status = object().look(arrival, info[1].ToBoolean());
    if (status != DRAGON_WOULD_BLOCK) arrivals_.erase(found);
    return number_or_status(info.Env(), status, arrival.index);
  }
  Napi::Value give_up(const Napi::CallbackInfo& info) {
    const auto found = arrivals_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == arrivals_.end()) return failed(info, DRAGON_CLOSED);
    const Barrier::Arrival arrival = found->second;
    arrivals_.erase(found);
    return number_or_status(info.Env(), object().give_up(arrival), arrival.index);
  }
  Napi::Value try_wait(const Napi::CallbackInfo& info) {
    Barrier::Arrival arrival;
    const Status status = closed() ? DRAGON_CLOSED : object().try_wait(arrival);
    return number_or_status(info.Env(), status, arrival.index);
  }
  Napi::Value wait_sync(const Napi::CallbackInfo& info) {
    uint32_t index = 0;
    const Status status = closed() ? DRAGON_CLOSED : object().wait(deadline_of(info[0]), index);
    return number_or_status(info.Env(), status, index);
  }
  Napi::Value abort(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().abort());
  }
  Napi::Value reset(const Napi::CallbackInfo& info) {
    return status_value(info.Env(), closed() ? DRAGON_CLOSED : object().reset());
  }
  Napi::Value broken(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), !closed() && object().broken());
  }
  Napi::Value parties(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().parties());
  }
  Napi::Value waiting(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().waiting());
  }
  static Napi::Value failed(const Napi::CallbackInfo& info, Status status) {
    return number_or_status(info.Env(), status, 0);
  }

  std::unordered_map<uint32_t, Barrier::Arrival> arrivals_;
  uint32_t last_ = 0;
};

}  // namespace

void init_barrier(Napi::Env env, Napi::Object exports) {
  BarrierFace::init(env, exports);
}

}  // namespace dragon::binding
