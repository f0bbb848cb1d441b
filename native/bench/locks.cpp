// `locks NAME [--lock plain|robust|dragon] [--key value ...]`: what a lock between processes costs.
//
// - `pair`: lock and unlock in one process, nobody else about.
// - `contend`: the same in two processes at once, `--cpus A,B`; the time between two pairs of
//   either.
// - `wait`: `--contenders` processes for `--ms`; the longest wait of any of them, a sample a run.
//
// `plain` and `robust` are process-shared pthread mutexes, the floors; both let newcomers overtake.

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel/lock_object.h"
#include "measure.h"
#include "node_room.h"

namespace dragon::bench {

namespace {

// One process's end of the lock that is measured.
class MeasuredLock {
 public:
  virtual ~MeasuredLock() = default;
  // Called once in each process that uses the lock.
  virtual void attach() {}
  virtual uint64_t pairs(long count) = 0;
  virtual void lock() = 0;
  virtual void unlock() = 0;
};

// The time that `count` pairs take; a template, so that nothing virtual is in a pair.
template <typename Pair>
uint64_t time_of(long count, Pair&& pair) {
  const uint64_t start = now_ns();
  for (long i = 0; i < count; ++i) pair();
  return now_ns() - start;
}

class PthreadLock : public MeasuredLock {
 public:
  explicit PthreadLock(bool robust) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (robust) pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    mutex_ = static_cast<pthread_mutex_t*>(shared_memory(sizeof(pthread_mutex_t)));
    if (pthread_mutex_init(mutex_, &attributes) != 0) fail("pthread_mutex_init");
  }
  uint64_t pairs(long count) override {
    return time_of(count, [this] {
      pthread_mutex_lock(mutex_);
      pthread_mutex_unlock(mutex_);
    });
  }
  void lock() override { pthread_mutex_lock(mutex_); }
  void unlock() override { pthread_mutex_unlock(mutex_); }

 private:
  pthread_mutex_t* mutex_;
};

class DragonLock : public MeasuredLock {
 public:
  DragonLock() {
    expect(LockObject::create(room_.pool(), true, lock_), "create a lock");
    lock_->serialize(handle_);
  }
  void attach() override {
    RecordId adopted = 0;
    std::unique_ptr<LockObject> lock;
    expect(LockObject::attach(room_.attach(), handle_, sizeof handle_, false, adopted, lock),
           "attach to a lock");
    lock_ = std::move(lock);
  }
  uint64_t pairs(long count) override {
    return time_of(count, [this] {
      lock();
      unlock();
    });
  }
  void lock() final { expect(lock_->acquire(Deadline::never()), "acquire"); }
  void unlock() final { expect(lock_->release(), "release"); }

 private:
  NodeRoom room_;
  HandleBytes handle_;
  std::unique_ptr<LockObject> lock_;
};

std::unique_ptr<MeasuredLock> make_lock(const Options& options) {
  const std::string name = options.text("lock", "dragon");
  if (name == "dragon") return std::make_unique<DragonLock>();
  if (name != "plain" && name != "robust") fail("--lock is plain, robust or dragon");
  return std::make_unique<PthreadLock>(name == "robust");
}

void measure_pair(const Options& options) {
  constexpr long kBatch = 1024;
  pin_to(options.cpus().first);
  const auto lock = make_lock(options);
  lock->pairs(kBatch);
  std::vector<double> samples(
      static_cast<std::size_t>(std::max(1L, options.number("rounds", 1000))));
  for (double& sample : samples) sample = static_cast<double>(lock->pairs(kBatch)) / kBatch;
  print_result("ns", std::move(samples), kBatch);
}

struct Contest {
  std::atomic<int> ready;
  std::atomic<bool> begun;
  std::atomic<bool> ended;
  std::atomic<std::uint64_t> pairs;
  std::atomic<std::uint64_t> longest_ns;
};

void meet(Contest& contest, int processes) {
  contest.ready.fetch_add(1);
  while (contest.ready.load() < processes) ::usleep(100);
}

void measure_contend(const Options& options) {
  constexpr long kBatch = 64;
  const long rounds = std::max(1L, options.number("rounds", 50));
  const auto [first_cpu, second_cpu] = options.cpus();
  const auto lock = make_lock(options);
  auto* contest = new (shared_memory(sizeof(Contest))) Contest{};
  const int child = start_echo_process();
  if (child == 0) {
    pin_to(second_cpu);
    lock->attach();
    meet(*contest, 2);
    while (!contest->ended.load(std::memory_order_relaxed)) {
      lock->pairs(kBatch);
      contest->pairs.fetch_add(kBatch, std::memory_order_relaxed);
    }
    _Exit(0);
  }
  pin_to(first_cpu);
  meet(*contest, 2);
  // The samples are 10 ms long: a lock that changes hands every few milliseconds is one whose time
  // of a pair can only be told over longer stretches.
  std::vector<double> samples(static_cast<std::size_t>(rounds));
  for (double& sample : samples) {
    const std::uint64_t start = now_ns();
    const std::uint64_t before = contest->pairs.load();
    std::uint64_t mine = 0;
    std::uint64_t elapsed = 0;
    do {
      lock->pairs(kBatch);
      mine += kBatch;
      elapsed = now_ns() - start;
    } while (elapsed < 10'000'000);
    sample =
        static_cast<double>(elapsed) / static_cast<double>(mine + contest->pairs.load() - before);
  }
  contest->ended.store(true);
  expect_success(child);
  print_result("ns", std::move(samples), 1);
}

void contend_for(MeasuredLock& lock, Contest& contest) {
  std::uint64_t longest = 0;
  while (!contest.ended.load(std::memory_order_relaxed)) {
    const std::uint64_t start = now_ns();
    lock.lock();
    longest = std::max(longest, now_ns() - start);
    lock.unlock();
  }
  std::uint64_t seen = contest.longest_ns.load();
  while (seen < longest && !contest.longest_ns.compare_exchange_weak(seen, longest)) {
  }
}

void measure_wait(const Options& options) {
  const long rounds = std::max(1L, options.number("rounds", 5));
  const int contenders = static_cast<int>(std::max(1L, options.number("contenders", 8)));
  const auto ms = static_cast<unsigned>(options.number("ms", 200));
  std::vector<double> samples;
  for (long round = 0; round < rounds; ++round) {
    const auto lock = make_lock(options);
    auto* contest = new (shared_memory(sizeof(Contest))) Contest{};
    std::vector<int> children;
    for (int i = 0; i < contenders; ++i) {
      const int child = start_echo_process();
      if (child == 0) {
        lock->attach();
        meet(*contest, contenders);
        contend_for(*lock, *contest);
        _Exit(0);
      }
      children.push_back(child);
    }
    while (contest->ready.load() < contenders) ::usleep(1000);
    ::usleep(ms * 1000);
    contest->ended.store(true);
    for (const int child : children) expect_success(child);
    samples.push_back(static_cast<double>(contest->longest_ns.load()));
  }
  print_result("ns", std::move(samples), 1);
}

}  // namespace

}  // namespace dragon::bench

int main(int argc, char** argv) {
  using namespace dragon::bench;
  const std::string_view name = argc > 1 ? argv[1] : "";
  const Options options(argc, argv, 2);
  if (name == "pair") {
    measure_pair(options);
  } else if (name == "contend") {
    measure_contend(options);
  } else if (name == "wait") {
    measure_wait(options);
  } else {
    std::fprintf(stderr, "usage: locks pair|contend|wait [--lock NAME] [--key value ...]\n");
    return 2;
  }
  return 0;
}
