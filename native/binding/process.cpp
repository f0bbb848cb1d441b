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

std::string text_of(const Napi::Value& value) {
  return value.ToString().Utf8Value();
}
int int_of(const Napi::Value& value) {
  return value.ToNumber().Int32Value();
}
Napi::Value number_value(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}
Napi::Value boolean_value(Napi::Env env, bool value) {
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
Napi::Value watch_signals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto watch = std::make_shared<Watch>();
  std::vector<int> signals;
  const auto numbers = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); ++i) signals.push_back(int_of(numbers.Get(i)));
  if (const int error = watch->watcher.start(signals)) return number_value(env, error);
  watch->listener = Napi::Persistent(info[1].As<Napi::Function>());
  const auto report = [env, watch] {
    for (const process::SignalReport& report : watch->watcher.read()) {
      call_back(env, watch->listener,
                {static_cast<double>(report.signal), static_cast<double>(report.from_kernel),
                 static_cast<double>(report.sender), static_cast<double>(report.time_ms)});
    }
  };
  if (!watch->poll.open(env, watch->watcher.fd(), report)) return number_value(env, ENOTSUP);
  watch->poll.listen(false);
  watch->poll.unref();
  return Napi::Function::New(env, [watch](const Napi::CallbackInfo&) {
    watch->poll.close();
    watch->watcher.stop();
  });
}

// ---- sweeps --------------------------------------------------------------------------------

Napi::Value become_subreaper(const Napi::CallbackInfo& info) {
  return number_value(info.Env(), prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : errno);
}

// sweepChildren(timeoutMs): true when no child is left.
Napi::Value sweep_children(const Napi::CallbackInfo& info) {
  return boolean_value(info.Env(), process::sweep_children(int_of(info[0])));
}

// sweepMarked(runId, timeoutMs): true when no process of the run is left.
Napi::Value sweep_marked(const Napi::CallbackInfo& info) {
  return boolean_value(info.Env(), process::sweep_marked(text_of(info[0]), int_of(info[1])));
}

// removeRunDirectory(base, name, keepBase): 0 or an errno.
Napi::Value remove_run_directory(const Napi::CallbackInfo& info) {
  const std::string base = text_of(info[0]);
  const int error = process::remove_run_directory(base, text_of(info[1]));
  if (!info[2].ToBoolean()) process::remove_empty_base(base);
  return number_value(info.Env(), error);
}

// ---- processes -----------------------------------------------------------------------------

Napi::Object stat_object(Napi::Env env, const process::ProcessStat& stat) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", number_value(env, stat.pid));
  object.Set("parent", number_value(env, stat.parent));
  object.Set("state", Napi::String::New(env, std::string(1, stat.state)));
  object.Set("startTime", number_value(env, static_cast<double>(stat.start_time)));
  object.Set("command", Napi::String::New(env, stat.command));
  return object;
}

// processStat(pid): an object, or undefined when there is no such process.
Napi::Value process_stat(const Napi::CallbackInfo& info) {
  const auto stat = process::read_stat(int_of(info[0]));
  if (!stat) return info.Env().Undefined();
  return stat_object(info.Env(), *stat);
}

// markedProcesses(runId): objects.
Napi::Value marked_processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array list = Napi::Array::New(env);
  for (const auto& stat : process::marked_processes(text_of(info[0]))) {
    list.Set(list.Length(), stat_object(env, stat));
  }
  return list;
}

// startedWith(pid, variable): the variable's value, or undefined.
Napi::Value started_with(const Napi::CallbackInfo& info) {
  const auto value = process::started_with(int_of(info[0]), text_of(info[1]));
  if (!value) return info.Env().Undefined();
  return Napi::String::New(info.Env(), *value);
}

// endProcess(code): ends this process at once, without taking Node's environment apart.
Napi::Value end_process(const Napi::CallbackInfo& info) {
  ::_exit(int_of(info[0]));
}

}  // namespace

void init_process(Napi::Env env, Napi::Object exports) {
  const auto function = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, call, name));
  };
  function("startWarden", start_warden);
  function("watchSignals", watch_signals);
  function("becomeSubreaper", become_subreaper);
  function("sweepChildren", sweep_children);
  function("sweepMarked", sweep_marked);
  function("removeRunDirectory", remove_run_directory);
  function("processStat", process_stat);
  function("markedProcesses", marked_processes);
  function("startedWith", started_with);
  function("endProcess", end_process);
}

}  // namespace dragon::binding
