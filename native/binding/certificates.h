// The JavaScript face of reading more certificates than Node brings with it.
#pragma once

#include <napi.h>

namespace dragon::binding {

void init_certificates(Napi::Env env, Napi::Object exports);

}  // namespace dragon::binding
