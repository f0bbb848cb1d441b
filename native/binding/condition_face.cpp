// The face of conditions. A wait is known by the number that `enter` gives it, which is also the
// lane to arm.
#include "event/condition.h"

#include <unordered_map>

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/lock_face.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

class ConditionFace : public ObjectFace<ConditionFace, Condition> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).condition =
        Napi::Persistent(DefineClass(env, "NativeCondition",
                                     with_common({
                                         InstanceMethod<&ConditionFace::enter>("enter"),
                                         InstanceMethod<&ConditionFace::look>("look"),
                                         InstanceMethod<&ConditionFace::leave>("leave"),
                                         InstanceMethod<&ConditionFace::wait_sync>("waitSync"),
                                         InstanceMethod<&ConditionFace::notify>("notify"),
                                         InstanceAccessor<&ConditionFace::waiting>("waiting"),
                                     })));
    exports.Set("createCondition", Napi::Function::New<create>(env));
    exports.Set("attachCondition", Napi::Function::New<attach_to>(env));
  }

  // In the queue of the lane waiters stand in the order of their tickets.
  Napi::Value arm_at(Napi::Env env, double wait) {
    const auto found = tickets_.find(static_cast<uint32_t>(wait));
    if (found == tickets_.end()) return number_or_status(env, DRAGON_CLOSED, 0);
    return node()->arm(env, object().place(), shared(), found->second.number);
  }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    const double waiters = number_of(info[1], 0);
    if (!(waiters >= 1 && waiters <= kConditionWaitersMax)) {
      return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
    }
    std::unique_ptr<Condition> condition;
    const Status status =
        Condition::create(pool->pool(), static_cast<uint32_t>(waiters), condition);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(condition), 0, classes(info.Env()).condition);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).condition);
  }

  // The number of the wait, or minus a status.
  Napi::Value enter(const Napi::CallbackInfo& info) {
    Condition::Ticket ticket;
    const Status status = closed() ? DRAGON_CLOSED : object().enter(ticket);
    if (status == DRAGON_SUCCESS) tickets_[++last_] = ticket;
    return number_or_status(info.Env(), status, last_);
  }
  Napi::Value look(const Napi::CallbackInfo& info) {
    const auto found = tickets_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == tickets_.end()) return status_value(info.Env(), DRAGON_CLOSED);
    const Status status = object().look(found->second);
    if (status == DRAGON_SUCCESS) tickets_.erase(found);
    return status_value(info.Env(), status);
  }
  Napi::Value leave(const Napi::CallbackInfo& info) {
    const auto found = tickets_.find(static_cast<uint32_t>(number_of(info[0], 0)));
    if (closed() || found == tickets_.end()) return status_value(info.Env(), DRAGON_CLOSED);
    const Condition::Ticket ticket = found->second;
    tickets_.erase(found);
    return status_value(info.Env(), object().leave(ticket, info[1].ToBoolean()));
  }
  // (lock, timeoutMs)
  Napi::Value wait_sync(const Napi::CallbackInfo& info) {
    LockFace* lock = LockFace::of(info[0]);
    const bool usable = !closed() && lock != nullptr && lock->lock() != nullptr;
    return status_value(
        info.Env(), usable ? object().wait(*lock->lock(), deadline_of(info[1])) : DRAGON_CLOSED);
  }
  // How many were notified, or minus a status.
  Napi::Value notify(const Napi::CallbackInfo& info) {
    const double count = number_of(info[0], -1);
    uint32_t notified = 0;
    if (!(count >= 0)) return number_or_status(info.Env(), DRAGON_INVALID_ARGUMENT, 0);
    const uint32_t most = count >= UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(count);
    const Status status = closed() ? DRAGON_CLOSED : object().notify(most, notified);
    return number_or_status(info.Env(), status, notified);
  }
  Napi::Value waiting(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : object().waiting());
  }

  std::unordered_map<uint32_t, Condition::Ticket> tickets_;
  uint32_t last_ = 0;
};

}  // namespace

void init_condition(Napi::Env env, Napi::Object exports) {
  ConditionFace::init(env, exports);
}

}  // namespace dragon::binding
