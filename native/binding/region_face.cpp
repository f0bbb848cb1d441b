// The face of regions.
#include "channel/region.h"

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"
#include "binding/window.h"

namespace dragon::binding {

namespace {

class RegionFace : public ObjectFace<RegionFace, Region> {
 public:
  using ObjectFace::ObjectFace;

  static void init(Napi::Env env, Napi::Object exports) {
    classes(env).region =
        Napi::Persistent(DefineClass(env, "NativeRegion",
                                     with_common({
                                         InstanceMethod<&RegionFace::buffer>("buffer"),
                                         InstanceAccessor<&RegionFace::bytes>("byteLength"),
                                     })));
    exports.Set("createRegion", Napi::Function::New<create>(env));
    exports.Set("attachRegion", Napi::Function::New<attach_to>(env));
  }

  Napi::Value arm_at(Napi::Env env, double) {
    return number_or_status(env, DRAGON_NOT_SUPPORTED, 0);
  }
  bool let_go(Napi::Env env) {
    const bool gone = window_ == nullptr || window_->detach(env);
    window_ = nullptr;
    return gone;
  }

 private:
  static Napi::Value create(const Napi::CallbackInfo& info) {
    PoolFace* pool = PoolFace::of(info[0]);
    if (pool == nullptr) return status_value(info.Env(), DRAGON_CLOSED);
    const double bytes = number_of(info[1], 0);
    if (!(bytes >= 1)) return status_value(info.Env(), DRAGON_INVALID_ARGUMENT);
    if (bytes > 9e15) return status_value(info.Env(), DRAGON_TOO_LARGE);
    std::unique_ptr<Region> region;
    const Status status = Region::create(pool->pool(), static_cast<uint64_t>(bytes), region);
    if (status != DRAGON_SUCCESS) return failure(info.Env(), status);
    return make(pool->node(), std::move(region), 0, classes(info.Env()).region);
  }
  static Napi::Value attach_to(const Napi::CallbackInfo& info) {
    return attach(info, classes(info.Env()).region);
  }

  Napi::Value buffer(const Napi::CallbackInfo& info) {
    if (closed()) return status_value(info.Env(), DRAGON_CLOSED);
    if (window_ == nullptr) {
      window_ =
          std::make_shared<Window>(node()->leases(), shared(), object().data(), object().bytes());
    }
    return window_->buffer(info.Env());
  }
  Napi::Value bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().bytes()));
  }

  std::shared_ptr<Window> window_;
};

}  // namespace

void init_region(Napi::Env env, Napi::Object exports) {
  RegionFace::init(env, exports);
}

}  // namespace dragon::binding
