// The calls of a channel's data path.
//
// They are plain functions that take a channel's port for their first argument, and say what they
// have to say in a number and in words of memory shared with JavaScript: a method call on a wrapped
// object, an object for a result and each property of one would cost more than the message.
#pragma once

#include <napi.h>

#include "channel/channel.h"

namespace dragon::binding {

// Words of a port; src/core/native.ts knows the same numbers.
enum PortWord : uint32_t {
  kPortHints = 0,
  kPortStatus = 1,
  kPortReadOnly = 2,  // 1 if the payload that was received last stays its sender's
  kPortBytes = 3,     // length of a message that did not fit
};

// How a send ends and waits, in one number: a ReturnMode, and four times a WaitMode.
constexpr uint32_t kWaitModeShift = 2;
constexpr double kHowUsual = static_cast<double>(ReturnMode::kWhenBuffered);
struct SendWay {
  ReturnMode mode = ReturnMode::kWhenBuffered;
  WaitMode wait = WaitMode::kAdaptive;
};
inline WaitMode wait_mode_of(double number) {
  return number == 1 ? WaitMode::kSpin : number == 2 ? WaitMode::kIdle : WaitMode::kAdaptive;
}
inline SendWay send_way_of(double number) {
  const auto how = static_cast<uint32_t>(number);
  return {static_cast<ReturnMode>(how & ((1u << kWaitModeShift) - 1)),
          wait_mode_of(how >> kWaitModeShift)};
}

void init_channel_calls(Napi::Env env, Napi::Object exports);

}  // namespace dragon::binding
