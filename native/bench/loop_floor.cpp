// The floor of a message that an event loop awaits: a poll of libuv on an eventfd which another
// process writes, that answers in the same way. One way, as `floors eventfd` tells it.
//
// libuv comes with Node, inside its executable or beside it. So this is a module that a bare Node
// loads (bench/peers/node/loop-floor.ts); it measures while it is loaded, on loops of its own, and
// no line of JavaScript runs meanwhile. `LOOP_FLOOR_OPTIONS` holds the options of `floors eventfd`.

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "measure.h"

extern "C" {
// Of libuv, whose headers are not installed everywhere. Sizes are asked for, layouts unused.
size_t uv_loop_size();
size_t uv_handle_size(int type);
int uv_loop_init(void* loop);
int uv_run(void* loop, int mode);
int uv_poll_init(void* loop, void* handle, int descriptor);
int uv_poll_start(void* handle, int events, void (*callback)(void*, int, int));
}

namespace dragon::bench {

namespace {

constexpr int kPollHandle = 8;
constexpr int kReadable = 1;
constexpr int kRunOnce = 1;

// One process's loop, which polls one eventfd.
class Loop {
 public:
  explicit Loop(int descriptor)
      : loop_(std::make_unique<std::byte[]>(uv_loop_size())),
        poll_(std::make_unique<std::byte[]>(uv_handle_size(kPollHandle))) {
    awaited_ = descriptor;
    if (uv_loop_init(loop_.get()) != 0) fail("uv_loop_init");
    if (uv_poll_init(loop_.get(), poll_.get(), descriptor) != 0) fail("uv_poll_init");
    if (uv_poll_start(poll_.get(), kReadable, on_readable) != 0) fail("uv_poll_start");
  }

  // Turns the loop until the eventfd has been read once more.
  void await() {
    for (const std::uint64_t before = reads_; reads_ == before;) uv_run(loop_.get(), kRunOnce);
  }

 private:
  static void on_readable(void*, int, int) {
    std::uint64_t value = 0;
    if (read(awaited_, &value, sizeof value) != sizeof value) fail_errno("read");
    ++reads_;
  }

  // A process has one loop only, so the callback needs no context.
  static inline int awaited_ = -1;
  static inline std::uint64_t reads_ = 0;
  std::unique_ptr<std::byte[]> loop_;
  std::unique_ptr<std::byte[]> poll_;
};

void ring(int descriptor) {
  const std::uint64_t one = 1;
  if (write(descriptor, &one, sizeof one) != sizeof one) fail_errno("write");
}

void measure(const Options& options) {
  const int ask = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int answer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (ask < 0 || answer < 0) fail_errno("eventfd");
  // Each process makes its loop after the fork.
  std::unique_ptr<Loop> loop;
  const auto await = [&loop](int descriptor) {
    if (loop == nullptr) loop = std::make_unique<Loop>(descriptor);
    loop->await();
  };
  run_ping_pong(
      PingPong::from(options, 1000, 1),
      [&] {
        ring(ask);
        await(answer);
      },
      [&] {
        await(ask);
        ring(answer);
      });
}

void measure_from_environment() {
  const char* text = std::getenv("LOOP_FLOOR_OPTIONS");
  std::istringstream words(text == nullptr ? "" : text);
  std::vector<std::string> options{"loop-floor"};
  for (std::string word; words >> word;) options.push_back(word);
  std::vector<char*> arguments;
  for (std::string& option : options) arguments.push_back(option.data());
  measure(Options(static_cast<int>(arguments.size()), arguments.data(), 1));
}

}  // namespace

}  // namespace dragon::bench

/// Node calls this when it has loaded the module; what it returns is the module's exports.
extern "C" void* napi_register_module_v1(void*, void* exports) {
  dragon::bench::measure_from_environment();
  return exports;
}
