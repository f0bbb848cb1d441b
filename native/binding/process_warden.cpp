#include "binding/process_warden.h"

#include <cerrno>
#include <string>

#include "binding/loop_poll.h"
#include "process/warden_client.h"

namespace dragon::binding {
namespace {

// What the listener's first argument says; the others are the fields of the frame.
enum class WardenEvent { kSpawned = 1, kExited = 2, kHalted = 3, kGone = 4 };

std::vector<std::string> texts_of(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  std::vector<std::string> texts;
  texts.reserve(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    texts.push_back(Napi::Value(list.Get(i)).ToString().Utf8Value());
  }
  return texts;
}

uint64_t tag(const Napi::Value& value) {
  return static_cast<uint64_t>(value.ToNumber().Int64Value());
}

// Held by the object's functions, and by itself while the warden lives.
class WardenState : public std::enable_shared_from_this<WardenState> {
 public:
  explicit WardenState(Napi::Env env) : env_(env) {}

  // Returns 0 or an errno.
  int start(const process::WardenStart& start, const Napi::Function& listener) {
    if (const int error = process::WardenClient::start(start, client_)) return error;
    listener_ = Napi::Persistent(listener);
    self_ = shared_from_this();
    if (!frames_.open(env_, client_->socket(), [this] { on_frames(); }) ||
        !end_.open(env_, client_->pidfd(), [this] { on_end(); })) {
      close();
      return ENOTSUP;
    }
    frames_.listen(false);
    end_.listen(false);
    return 0;
  }

  pid_t pid() const { return client_->pid(); }

  // spawn(tag, program, directory, argv, env, stdio, newGroup): entries of stdio are
  // 'inherit', 'null' or a descriptor. Returns 0 or an errno.
  int spawn(const Napi::CallbackInfo& info) {
    if (!client_) return ESHUTDOWN;
    process::SpawnRequest request;
    request.tag = tag(info[0]);
    request.program = info[1].ToString().Utf8Value();
    request.directory = info[2].ToString().Utf8Value();
    request.argv = texts_of(info[3]);
    request.env = texts_of(info[4]);
    request.new_group = info[6].ToBoolean();
    std::vector<int> passed;
    const auto stdio = info[5].As<Napi::Array>();
    for (uint32_t i = 0; i < 3; ++i) {
      const Napi::Value entry = stdio.Get(i);
      process::StdioMode& mode = request.stdio[i];
      if (entry.IsNumber()) {
        mode = process::StdioMode::kPassed;
        passed.push_back(entry.ToNumber().Int32Value());
      } else if (entry.ToString().Utf8Value() == "null") {
        mode = process::StdioMode::kNull;
      }
    }
    const int error = client_->spawn(request, passed);
    flush();
    return error;
  }

  void signal(const Napi::CallbackInfo& info) {
    if (!client_) return;
    client_->signal(tag(info[0]), info[1].ToNumber().Int32Value());
    flush();
  }

  void halt(const Napi::CallbackInfo& info) {
    if (!client_) return;
    client_->halt(info[0].ToNumber().Int32Value());
    flush();
  }

  void close() {
    frames_.close();
    end_.close();
    client_.reset();
    self_.reset();
  }

 private:
  void flush() {
    client_->flush();
    frames_.listen(client_->has_output());
  }

  void tell(WardenEvent event, std::vector<double> numbers) {
    numbers.insert(numbers.begin(), static_cast<double>(event));
    call_back(env_, listener_, numbers);
  }

  void tell(const process::SpawnedEvent& event) {
    tell(WardenEvent::kSpawned,
         {static_cast<double>(event.tag), static_cast<double>(event.pid),
          static_cast<double>(event.error), static_cast<double>(event.stage)});
  }
  void tell(const process::ExitedEvent& event) {
    tell(WardenEvent::kExited,
         {static_cast<double>(event.tag), static_cast<double>(event.pid),
          static_cast<double>(event.code), static_cast<double>(event.signal)});
  }
  void tell(const process::HaltedEvent& event) {
    tell(WardenEvent::kHalted, {static_cast<double>(event.left)});
  }

  // The listener may close the warden; each step looks whether it is still there.
  void on_frames() {
    const auto keep = shared_from_this();
    std::vector<process::WardenClient::Event> events;
    if (client_->read(events)) {
      flush();
    } else {
      frames_.close();  // the end of the process follows
    }
    for (const auto& event : events) {
      if (client_) std::visit([this](const auto& kind) { tell(kind); }, event);
    }
  }

  void on_end() {
    const auto keep = shared_from_this();
    process::ExitStatus status;
    if (!client_->reap(status)) return;
    on_frames();  // what the warden wrote before it ended comes first
    if (!client_) return;
    close();
    tell(WardenEvent::kGone,
         {static_cast<double>(status.code), static_cast<double>(status.signal)});
  }

  Napi::Env env_;
  std::unique_ptr<process::WardenClient> client_;
  Napi::FunctionReference listener_;
  LoopPoll frames_;
  LoopPoll end_;
  std::shared_ptr<WardenState> self_;
};

}  // namespace

Napi::Value start_warden(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto state = std::make_shared<WardenState>(env);
  const process::WardenStart start{info[0].ToString().Utf8Value(), info[1].ToString().Utf8Value(),
                                   info[2].ToString().Utf8Value(), info[3].ToBoolean()};
  const int error = state->start(start, info[4].As<Napi::Function>());
  if (error != 0) return Napi::Number::New(env, error);
  Napi::Object face = Napi::Object::New(env);
  const auto method = [&](const char* name, auto call) {
    face.Set(name, Napi::Function::New(env, call, name));
  };
  face.Set("pid", Napi::Number::New(env, state->pid()));
  method("spawn", [state](const Napi::CallbackInfo& call) {
    return Napi::Value(Napi::Number::New(call.Env(), state->spawn(call)));
  });
  method("signal", [state](const Napi::CallbackInfo& call) { state->signal(call); });
  method("halt", [state](const Napi::CallbackInfo& call) { state->halt(call); });
  method("close", [state](const Napi::CallbackInfo&) { state->close(); });
  return face;
}

}  // namespace dragon::binding
