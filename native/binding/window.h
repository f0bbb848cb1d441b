// Memory of an object as an ArrayBuffer, for as long as the object is open.
//
// Goals: the ArrayBuffer and every view of it keep the object, also when its face is gone; `detach`
// takes the bytes from them. Non-goals: allocations that are freed and sent; those have leases.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/lease.h"

namespace dragon::binding {

class Window final : public Shown, public std::enable_shared_from_this<Window> {
 public:
  // `keep` has the bytes open.
  Window(std::shared_ptr<LeaseTable> table, std::shared_ptr<void> keep, void* data, uint64_t bytes)
      : table_(std::move(table)), keep_(std::move(keep)), data_(data), bytes_(bytes) {
    table_->add(this);
  }
  ~Window() { table_->remove(this); }

  Napi::Value buffer(Napi::Env env);
  void hide(Napi::Env env) override { detach(env); }
  // False if an ArrayBuffer still shows the bytes: they were moved to one of another identity, or
  // one was dropped and has not been collected yet.
  bool detach(Napi::Env env);

 private:
  // An ArrayBuffer.
  struct View {
    std::shared_ptr<Window> window;
    bool ended = false;
  };

  static void finalize(napi_env env, void* data, void* hint);
  void end(napi_env env, View& view);
  napi_value current_value(Napi::Env env) const;
  void drop_reference(napi_env env);

  const std::shared_ptr<LeaseTable> table_;
  const std::shared_ptr<void> keep_;
  void* const data_;
  const uint64_t bytes_;
  napi_ref reference_ = nullptr;  // weak, to the ArrayBuffer of `current_`
  View* current_ = nullptr;
  int views_ = 0;  // that show the bytes
};

}  // namespace dragon::binding
