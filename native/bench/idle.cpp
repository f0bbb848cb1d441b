// `idle [--processes N] [--ms N] [--settle-ms N]`: what processes cost that are all blocked in a
// receive: the processor time of all of them together, in percent of one core.
//
// The floor is `--over futex`: the same processes blocked in a futex without a time limit.

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "channel/channel.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

namespace {

struct Room {
  std::atomic<int> ready;
  std::atomic<std::uint32_t> word;
};

std::uint64_t cpu_ns_of(int pid) {
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0) fail("clock_getcpuclockid");
  if (::clock_gettime(clock, &time) != 0) fail_errno("clock_gettime");
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

void block_in_receive(NodeRoom& room, const HandleBytes& handle, Room& shared) {
  const std::unique_ptr<Channel> channel = room.open(handle);
  uint8_t buffer[256];
  ReceivedMessage message;
  shared.ready.fetch_add(1);
  expect(channel->receive(buffer, Deadline::never(), message), "receive");
}

void measure(const Options& options) {
  const auto processes = static_cast<int>(std::max(1L, options.number("processes", 100)));
  const auto ms = static_cast<unsigned>(options.number("ms", 5000));
  const auto settle_ms = static_cast<unsigned>(options.number("settle-ms", 3000));
  const std::string over = options.text("over", "channel");
  if (over != "channel" && over != "futex") fail("--over is channel or futex");
  NodeRoom room;
  auto* shared = new (shared_memory(sizeof(Room))) Room{};
  std::vector<std::unique_ptr<Channel>> channels;
  std::vector<int> children;
  for (int i = 0; i < processes; ++i) {
    channels.push_back(room.make());
    HandleBytes handle;
    channels.back()->serialize(handle);
    const int child = start_echo_process();
    if (child == 0) {
      if (over == "channel") {
        block_in_receive(room, handle, *shared);
      } else {
        shared->ready.fetch_add(1);
        syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
      }
      _Exit(0);
    }
    children.push_back(child);
  }
  while (shared->ready.load() < processes) ::usleep(1000);
  ::usleep(settle_ms * 1000);
  std::uint64_t before = 0;
  for (const int child : children) before += cpu_ns_of(child);
  const std::uint64_t start = now_ns();
  ::usleep(ms * 1000);
  std::uint64_t spent = 0;
  for (const int child : children) spent += cpu_ns_of(child);
  const double percent =
      100.0 * static_cast<double>(spent - before) / static_cast<double>(now_ns() - start);
  shared->word.store(1);
  syscall(SYS_futex, &shared->word, FUTEX_WAKE, processes, nullptr, nullptr, 0);
  const iovec part{&shared->word, sizeof shared->word};
  for (const auto& channel : channels) expect(channel->try_send(&part, 1, 0), "send");
  for (const int child : children) expect_success(child);
  // A figure has to be above 0.
  print_result("%", {std::max(percent, 1e-6)});
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  measure(Options(argc, argv, 1));
  return 0;
}
