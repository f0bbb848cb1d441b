// The JavaScript face of native/process: the warden, signals, sweeps and what /proc says.
//
// Goals: nothing here decides; arguments are converted, results are an errno (0 is success),
// a boolean or a plain object. `src/launcher/process-binding.ts` declares the face.
#include "binding/process.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "binding/loop_poll.h"
#include "binding/process_warden.h"
#include "process/proc_table.h"
#include "process/run_directory.h"
#include "process/signal_watcher.h"
#include "process/sweep.h"

namespace dragon::binding {
namespace {

std::string Text(const Napi::Value& value) {
  return value.ToString().Utf8Value();
}
int Int(const Napi::Value& value) {
  return value.ToNumber().Int32Value();
}
Napi::Value Number(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}
Napi::Value Boolean(Napi::Env env, bool value) {
  return Napi::Boolean::New(env, value);
}

// ---- signals -------------------------------------------------------------------------------

struct Watch {
  process::SignalWatcher watcher;
  LoopPoll poll;
  Napi::FunctionReference listener;
};

// watchSignals(numbers, (signal, fromKernel, sender, timeMs) => void): a function that ends
// the watch, or an errno. The watch keeps no event loop alive.
Napi::Value WatchSignals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto watch = std::make_shared<Watch>();
  std::vector<int> signals;
  const auto numbers = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); ++i) signals.push_back(Int(numbers.Get(i)));
  if (const int error = watch->watcher.Start(signals)) return Number(env, error);
  watch->listener = Napi::Persistent(info[1].As<Napi::Function>());
  const auto report = [env, watch] {
    for (const process::SignalReport& report : watch->watcher.Read()) {
      CallBack(env, watch->listener,
               {static_cast<double>(report.signal), static_cast<double>(report.from_kernel),
                static_cast<double>(report.sender), static_cast<double>(report.time_ms)});
    }
  };
  if (!watch->poll.Open(env, watch->watcher.fd(), report)) return Number(env, ENOTSUP);
  watch->poll.Listen(false);
  watch->poll.Unref();
  return Napi::Function::New(env, [watch](const Napi::CallbackInfo&) {
    watch->poll.Close();
    watch->watcher.Stop();
  });
}

// ---- sweeps --------------------------------------------------------------------------------

Napi::Value BecomeSubreaper(const Napi::CallbackInfo& info) {
  return Number(info.Env(), prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : errno);
}

// sweepChildren(timeoutMs): true when no child is left.
Napi::Value SweepChildren(const Napi::CallbackInfo& info) {
  return Boolean(info.Env(), process::SweepChildren(Int(info[0])));
}

// sweepMarked(runId, timeoutMs): true when no process of the run is left.
Napi::Value SweepMarked(const Napi::CallbackInfo& info) {
  return Boolean(info.Env(), process::SweepMarked(Text(info[0]), Int(info[1])));
}

// removeRunDirectory(base, name, keepBase): 0 or an errno.
Napi::Value RemoveRunDirectory(const Napi::CallbackInfo& info) {
  const std::string base = Text(info[0]);
  const int error = process::RemoveRunDirectory(base, Text(info[1]));
  if (!info[2].ToBoolean()) process::RemoveEmptyBase(base);
  return Number(info.Env(), error);
}

// ---- processes -----------------------------------------------------------------------------

Napi::Object StatObject(Napi::Env env, const process::ProcessStat& stat) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Number(env, stat.pid));
  object.Set("parent", Number(env, stat.parent));
  object.Set("state", Napi::String::New(env, std::string(1, stat.state)));
  object.Set("startTime", Number(env, static_cast<double>(stat.start_time)));
  object.Set("command", Napi::String::New(env, stat.command));
  return object;
}

// processStat(pid): an object, or undefined when there is no such process.
Napi::Value ProcessStat(const Napi::CallbackInfo& info) {
  const auto stat = process::ReadStat(Int(info[0]));
  if (!stat) return info.Env().Undefined();
  return StatObject(info.Env(), *stat);
}

// markedProcesses(runId): objects.
Napi::Value MarkedProcesses(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  for (const auto& stat : process::MarkedProcesses(Text(info[0]))) {
    list.Set(list.Length(), StatObject(env, stat));
  }
  return list;
}

// startedWith(pid, variable): the variable's value, or undefined.
Napi::Value StartedWith(const Napi::CallbackInfo& info) {
  const auto value = process::StartedWith(Int(info[0]), Text(info[1]));
  if (!value) return info.Env().Undefined();
  return Napi::String::New(info.Env(), *value);
}

// endProcess(code): ends this process at once, without taking Node's environment apart.
Napi::Value EndProcess(const Napi::CallbackInfo& info) {
  ::_exit(Int(info[0]));
}

}  // namespace

void InitProcess(Napi::Env env, Napi::Object exports) {
  const auto function = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, call, name));
  };
  function("startWarden", StartWarden);
  function("watchSignals", WatchSignals);
  function("becomeSubreaper", BecomeSubreaper);
  function("sweepChildren", SweepChildren);
  function("sweepMarked", SweepMarked);
  function("removeRunDirectory", RemoveRunDirectory);
  function("processStat", ProcessStat);
  function("markedProcesses", MarkedProcesses);
  function("startedWith", StartedWith);
  function("endProcess", EndProcess);
}

}  // namespace dragon::binding
