#include "binding/window.h"

namespace dragon::binding {

Napi::Value Window::buffer(Napi::Env env) {
  napi_value value = current_value(env);
  if (value != nullptr) return {env, value};
  auto* view = new View{shared_from_this()};
  const napi_status made =
      napi_create_external_arraybuffer(env, data_, bytes_, finalize, view, &value);
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

bool Window::detach(Napi::Env env) {
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

// Runs on the environment's own thread, in its event loop or at its end.
void Window::finalize(napi_env env, void*, void* hint) {
  const std::unique_ptr<View> view(static_cast<View*>(hint));
  view->window->end(env, *view);
}

void Window::end(napi_env env, View& view) {
  if (view.ended) return;
  view.ended = true;
  --views_;
  if (current_ == &view) drop_reference(env);
}

napi_value Window::current_value(Napi::Env env) const {
  napi_value value = nullptr;
  if (reference_ != nullptr) napi_get_reference_value(env, reference_, &value);
  return value;
}

void Window::drop_reference(napi_env env) {
  if (reference_ != nullptr) napi_delete_reference(env, reference_);
  reference_ = nullptr;
  current_ = nullptr;
}

}  // namespace dragon::binding
