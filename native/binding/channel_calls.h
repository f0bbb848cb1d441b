// The calls of a channel's data path.
//
// They are plain functions that take a channel's port for their first argument, and say what they
// have to say in a number and in words of memory shared with JavaScript: a method call on a wrapped
// object, an object for a result and each property of one would cost more than the message.
#pragma once

#include <napi.h>

namespace dragon::binding {

// Words of a port; src/core/native.ts knows the same numbers.
enum PortWord : uint32_t { kPortHints = 0, kPortStatus = 1 };

void init_channel_calls(Napi::Env env, Napi::Object exports);

}  // namespace dragon::binding
