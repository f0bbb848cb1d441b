// The face of a warden: an object with `pid`, `spawn`, `signal`, `halt` and `close`.
#pragma once

#include <napi.h>

namespace dragon::binding {

// startWarden(executable, base, name, keepBase, listener): the object, or an errno.
Napi::Value start_warden(const Napi::CallbackInfo& info);

}  // namespace dragon::binding
