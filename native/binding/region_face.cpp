// The face of regions, and the ArrayBuffer over their bytes.
#include "channel/region.h"

#include "binding/classes.h"
#include "binding/event_faces.h"
#include "binding/object_face.h"

namespace dragon::binding {

namespace {

// What an attachment shows to JavaScript. An ArrayBuffer and every view of it keep the region open,
// also when the face is gone; a close detaches it.
class RegionWindow final : public Shown, public std::enable_shared_from_this<RegionWindow> {
 public:
  RegionWindow(std::shared_ptr<LeaseTable> table, std::shared_ptr<Region> region)
      : table_(std::move(table)), region_(std::move(region)) {
    table_->add(this);
  }
  ~RegionWindow() { table_->remove(this); }

  Napi::Value buffer(Napi::Env env) {
    napi_value value = current_value(env);
    if (value != nullptr) return {env, value};
    auto* view = new View{shared_from_this()};
    const napi_status made = napi_create_external_arraybuffer(
        env, region_->data(), region_->bytes(), finalize, view, &value);
    if (made != napi_ok) {
      delete view;
      return env.Undefined();
    }
    drop_reference(env);
    napi_create_reference(env, value, 0, &reference_);
    current_ = view;
    ++views_;
    return {env, value};
  }

  void hide(Napi::Env env) override { detach(env); }

  // False if an ArrayBuffer still shows the bytes: they were moved to one of another identity, or
  // one was dropped and has not been collected yet.
  bool detach(Napi::Env env) {
    napi_value value = current_value(env);
    bool detached = true;
    if (value != nullptr) napi_is_detached_arraybuffer(env, value, &detached);
    if (!detached) {
      // It may be the last that keeps this window.
      const auto self = shared_from_this();
      View* view = current_;
      if (napi_detach_arraybuffer(env, value) == napi_ok && view == current_) end(env, *view);
    }
    return views_ == 0;
  }

 private:
  // An ArrayBuffer.
  struct View {
    std::shared_ptr<RegionWindow> window;
    bool ended = false;
  };

  // Runs on the environment's own thread, in its event loop or at its end.
  static void finalize(napi_env env, void*, void* hint) {
    const std::unique_ptr<View> view(static_cast<View*>(hint));
    view->window->end(env, *view);
  }

  void end(napi_env env, View& view) {
    if (view.ended) return;
    view.ended = true;
    --views_;
    if (current_ == &view) drop_reference(env);
  }

  napi_value current_value(Napi::Env env) const {
    napi_value value = nullptr;
    if (reference_ != nullptr) napi_get_reference_value(env, reference_, &value);
    return value;
  }

  void drop_reference(napi_env env) {
    if (reference_ != nullptr) napi_delete_reference(env, reference_);
    reference_ = nullptr;
    current_ = nullptr;
  }

  const std::shared_ptr<LeaseTable> table_;
  const std::shared_ptr<Region> region_;
  napi_ref reference_ = nullptr;  // weak, to the ArrayBuffer of `current_`
  View* current_ = nullptr;
  int views_ = 0;  // that show the bytes
};

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
    if (window_ == nullptr) window_ = std::make_shared<RegionWindow>(node()->leases(), shared());
    return window_->buffer(info.Env());
  }
  Napi::Value bytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), closed() ? 0 : static_cast<double>(object().bytes()));
  }

  std::shared_ptr<RegionWindow> window_;
};

}  // namespace

void init_region(Napi::Env env, Napi::Object exports) {
  RegionFace::init(env, exports);
}

}  // namespace dragon::binding
