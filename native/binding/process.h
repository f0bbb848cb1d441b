// The JavaScript face of native/process.
#pragma once

#include <napi.h>

namespace dragon::binding {

void init_process(Napi::Env env, Napi::Object exports);

}  // namespace dragon::binding
