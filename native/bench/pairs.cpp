// `pairs --pairs N [--over channel|pipe|socket|futex] [--ms N] [--cpus A,B]`: pairs of processes
// that play ping-pong at the same time, all of them blocking, on the processors A and B (0,1)
// together.
//
// Prints the rate of all pairs in round trips a second; with `--report p99` the 99th percentile of
// a round trip in nanoseconds.

#include <linux/futex.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel/channel.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

namespace {

constexpr size_t kMessageBytes = 64;
constexpr size_t kSamplesMax = 1 << 16;

// What the processes of one run share; samples are taken evenly over the run.
struct Game {
  std::atomic<int> ready;
  std::atomic<bool> begun;
  std::atomic<bool> ended;
};

struct Score {
  std::atomic<std::uint64_t> round_trips;
  std::atomic<std::uint64_t> longest_ns;
  std::uint64_t samples;
  std::uint32_t ns[kSamplesMax];
};

// One side's way to the other and back.
class Ends {
 public:
  virtual ~Ends() = default;
  virtual void attach(bool asks) = 0;
  virtual void put() = 0;
  virtual void take() = 0;
  // What the next `put` says, and the last `take` heard: whether the game is over.
  bool over = false;
};

// Two pipes, or one pair of sockets that keep message bounds.
class KernelEnds : public Ends {
 public:
  explicit KernelEnds(bool sockets) {
    if (!sockets) {
      if (::pipe(there_) != 0 || ::pipe(back_) != 0) fail_errno("pipe");
      return;
    }
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) fail_errno("socketpair");
    back_[0] = there_[1] = ends[0];
    there_[0] = back_[1] = ends[1];
  }
  void attach(bool asks) override {
    out_ = asks ? there_[1] : back_[1];
    in_ = asks ? back_[0] : there_[0];
  }
  void put() override {
    bytes_[0] = over ? 1 : 0;
    if (::write(out_, bytes_, sizeof bytes_) != sizeof bytes_) fail_errno("write");
  }
  void take() override {
    if (::read(in_, bytes_, sizeof bytes_) != sizeof bytes_) fail_errno("read");
    over = bytes_[0] != 0;
  }

 private:
  int there_[2];
  int back_[2];
  int out_ = -1;
  int in_ = -1;
  char bytes_[kMessageBytes] = {};
};

// A word in shared memory each way, the waiter asleep in a futex.
class FutexEnds : public Ends {
 public:
  void attach(bool asks) override {
    out_ = asks ? &lines_->there : &lines_->back;
    in_ = asks ? &lines_->back : &lines_->there;
  }
  void put() override {
    if (over) lines_->over.store(true);
    out_->fetch_add(1);
    syscall(SYS_futex, out_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
  void take() override {
    while (in_->load() == seen_) syscall(SYS_futex, in_, FUTEX_WAIT, seen_, nullptr, nullptr, 0);
    ++seen_;
    over = lines_->over.load();
  }

 private:
  struct Lines {
    alignas(64) std::atomic<std::uint32_t> there;
    alignas(64) std::atomic<std::uint32_t> back;
    std::atomic<bool> over;
  };
  Lines* lines_ = new (shared_memory(sizeof(Lines))) Lines{};
  std::atomic<std::uint32_t>* out_ = nullptr;
  std::atomic<std::uint32_t>* in_ = nullptr;
  std::uint32_t seen_ = 0;
};

class ChannelEnds : public Ends {
 public:
  explicit ChannelEnds(NodeRoom& room) : room_(room), there_(room.make()), back_(room.make()) {
    there_->serialize(there_handle_);
    back_->serialize(back_handle_);
  }
  void attach(bool asks) override {
    out_ = room_.open(asks ? there_handle_ : back_handle_);
    in_ = room_.open(asks ? back_handle_ : there_handle_);
  }
  void put() override {
    bytes_[0] = over ? 1 : 0;
    const iovec part{bytes_, sizeof bytes_};
    expect(out_->send(&part, 1, 0, Deadline::never()), "send");
  }
  void take() override {
    ReceivedMessage message;
    expect(in_->receive(buffer_, Deadline::never(), message), "receive");
    over = buffer_[0] != 0;
  }

 private:
  NodeRoom& room_;
  std::unique_ptr<Channel> there_;
  std::unique_ptr<Channel> back_;
  HandleBytes there_handle_;
  HandleBytes back_handle_;
  std::unique_ptr<Channel> out_;
  std::unique_ptr<Channel> in_;
  uint8_t bytes_[kMessageBytes] = {};
  uint8_t buffer_[256] = {};
};

void ask(Ends& ends, const Game& game, Score& score) {
  while (!game.ended.load(std::memory_order_relaxed)) {
    const std::uint64_t start = now_ns();
    ends.put();
    ends.take();
    const std::uint64_t took = now_ns() - start;
    // Later samples take the place of earlier ones, so a long run is seen up to its end.
    score.ns[score.samples++ % kSamplesMax] =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(took, UINT32_MAX));
    if (took > score.longest_ns.load(std::memory_order_relaxed)) score.longest_ns.store(took);
    score.round_trips.store(score.samples, std::memory_order_relaxed);
  }
}

// Starts one side of a pair. The asking side ends by itself and tells the other.
int start_side(Ends& ends, bool asks, Game& game, Score& score) {
  const int child = start_echo_process();
  if (child != 0) return child;
  ends.attach(asks);
  game.ready.fetch_add(1);
  while (!game.begun.load()) ::usleep(200);
  if (asks) {
    ask(ends, game, score);
    ends.over = true;
    ends.put();
    _Exit(0);
  }
  for (ends.take(); !ends.over; ends.take()) ends.put();
  _Exit(0);
}

void measure(const Options& options) {
  const auto pairs = static_cast<size_t>(std::max(1L, options.number("pairs", 4)));
  const auto ms = static_cast<unsigned>(options.number("ms", 1000));
  const std::string over = options.text("over", "channel");
  if (over != "channel" && over != "pipe" && over != "socket" && over != "futex") {
    fail("--over is channel, pipe, socket or futex");
  }
  const std::string reported = options.text("report", "rate");
  if (reported != "rate" && reported != "p99") fail("--report is rate or p99");
  auto [first_cpu, second_cpu] = options.cpus();
  if (first_cpu < 0) std::tie(first_cpu, second_cpu) = std::pair(0, 1);
  std::unique_ptr<NodeRoom> room;
  if (over == "channel") room = std::make_unique<NodeRoom>();
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(first_cpu, &set);
  CPU_SET(second_cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) fail_errno("sched_setaffinity");
  auto* game = new (shared_memory(sizeof(Game))) Game{};
  auto* scores = static_cast<Score*>(shared_memory(sizeof(Score) * pairs));
  std::vector<std::unique_ptr<Ends>> ends;
  std::vector<int> children;
  for (size_t i = 0; i < pairs; ++i) {
    if (room != nullptr) {
      ends.push_back(std::make_unique<ChannelEnds>(*room));
    } else if (over == "futex") {
      ends.push_back(std::make_unique<FutexEnds>());
    } else {
      ends.push_back(std::make_unique<KernelEnds>(over == "socket"));
    }
    for (const bool asks : {true, false}) {
      children.push_back(start_side(*ends.back(), asks, *game, scores[i]));
    }
  }
  while (game->ready.load() < static_cast<int>(children.size())) ::usleep(1000);
  const std::uint64_t start = now_ns();
  game->begun.store(true);
  ::usleep(ms * 1000);
  std::uint64_t round_trips = 0;
  std::uint64_t longest = 0;
  for (size_t i = 0; i < pairs; ++i) round_trips += scores[i].round_trips.load();
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  game->ended.store(true);
  for (const int child : children) expect_success(child);
  std::vector<std::uint32_t> samples;
  for (size_t i = 0; i < pairs; ++i) {
    const auto count = std::min<std::uint64_t>(scores[i].samples, kSamplesMax);
    samples.insert(samples.end(), scores[i].ns, scores[i].ns + count);
    longest = std::max(longest, scores[i].longest_ns.load());
  }
  if (samples.empty()) fail("nothing was measured");
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    return samples[static_cast<size_t>(static_cast<double>(samples.size() - 1) * share)];
  };
  const double rate = static_cast<double>(round_trips) / seconds;
  const bool is_tail = reported == "p99";
  const double figure = is_tail ? static_cast<double>(at(0.99)) : rate;
  std::printf(R"({"unit":"%s","n":%zu,"p50":%.6g,"p99":%.6g,"min":%.6g,"detail":)"
              R"({"rate":%.6g,"p50Ns":%u,"p99Ns":%u,"p999Ns":%u,"longestNs":%llu}})"
              "\n",
              is_tail ? "ns" : "1/s", samples.size(), figure, figure, figure, rate, at(0.5),
              at(0.99), at(0.999), static_cast<unsigned long long>(longest));
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  measure(Options(argc, argv, 1));
  return 0;
}
