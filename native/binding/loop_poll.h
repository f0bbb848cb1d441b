// Descriptors in an environment's event loop, and calls back into JavaScript from there.
#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <vector>

namespace dragon::binding {

// Watches one descriptor in the environment's event loop. The handle outlives this object
// until the loop has closed it.
class LoopPoll {
 public:
  ~LoopPoll() { close(); }

  bool open(napi_env env, int fd, std::function<void()> ready) {
    uv_loop_t* loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) return false;
    auto state = std::make_unique<State>();
    state->ready = std::move(ready);
    if (uv_poll_init(loop, &state->handle, fd) != 0) return false;
    state->handle.data = state.get();
    state_ = state.release();
    return true;
  }

  void listen(bool for_output) {
    if (state_ == nullptr) return;
    const int events = UV_READABLE | (for_output ? UV_WRITABLE : 0);
    uv_poll_start(&state_->handle, events,
                  [](uv_poll_t* handle, int, int) { static_cast<State*>(handle->data)->ready(); });
  }

  // From here on the descriptor alone does not keep the loop running, or does again.
  void unref() {
    if (state_ != nullptr) uv_unref(reinterpret_cast<uv_handle_t*>(&state_->handle));
  }
  void ref() {
    if (state_ != nullptr) uv_ref(reinterpret_cast<uv_handle_t*>(&state_->handle));
  }

  void close() {
    if (state_ == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&state_->handle),
             [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
    state_ = nullptr;
  }

 private:
  struct State {
    uv_poll_t handle{};
    std::function<void()> ready;
  };
  State* state_ = nullptr;
};

// Calls back from the event loop; an exception there is the process's uncaught exception.
inline void call_back(Napi::Env env, const Napi::FunctionReference& listener,
                      const std::vector<napi_value>& arguments) {
  if (listener.IsEmpty()) return;
  listener.MakeCallback(env.Global(), arguments);
  if (!env.IsExceptionPending()) return;
  napi_fatal_exception(env, env.GetAndClearPendingException().Value());
}

// The same with numbers for arguments.
inline void call_back(Napi::Env env, const Napi::FunctionReference& listener,
                      const std::vector<double>& numbers) {
  const Napi::HandleScope scope(env);
  std::vector<napi_value> arguments;
  for (double number : numbers) arguments.push_back(Napi::Number::New(env, number));
  call_back(env, listener, arguments);
}

}  // namespace dragon::binding
