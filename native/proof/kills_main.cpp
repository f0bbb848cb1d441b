// The kill-point driver.
//
//     kills [--runs N] [--seed S] [--jobs J] [--repeat R]
//
// Runs the seeds S, S+1, .. S+N-1, J at a time, each R times. A failing seed is printed with its
// script and the fault, and `kills --seed S --runs 1 --repeat 1000` looks for it again. The last
// line is `kills: N passed, M failed`.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "proof/run.h"

using namespace dragon;
using namespace dragon::proof;

namespace {

struct Options {
  uint64_t runs = 100;
  uint64_t seed = 1;
  uint64_t jobs = 2;
  uint64_t repeat = 1;
};

// What the lanes have done so far.
struct Lane {
  Tally tally;
  std::atomic<uint64_t> failed;
};

constexpr uint64_t kFailuresMax = 3;  // a lane stops there

template <typename T>
T* shared_array(size_t count) {
  void* memory =
      ::mmap(nullptr, sizeof(T) * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<T*>(memory);
}

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return false;
    char* end = nullptr;
    const uint64_t value = ::strtoull(argv[i + 1], &end, 10);
    if (end == argv[i + 1] || *end != '\0') return false;
    if (::strcmp(argv[i], "--runs") == 0) {
      out.runs = value;
    } else if (::strcmp(argv[i], "--seed") == 0) {
      out.seed = value;
    } else if (::strcmp(argv[i], "--jobs") == 0 && value > 0) {
      out.jobs = value;
    } else if (::strcmp(argv[i], "--repeat") == 0) {
      out.repeat = value;
    } else {
      return false;
    }
  }
  return true;
}

bool run_seed(uint64_t seed, Records& records, Lane& lane) {
  const RunPlan plan = plan_of(seed);
  const std::string fault = Run(plan, records, lane.tally).execute();
  if (fault.empty()) return true;
  ++lane.failed;
  ::printf("FAULT with seed %llu: %s\n%s\n", static_cast<unsigned long long>(seed), fault.c_str(),
           text_of(plan).c_str());
  ::fflush(stdout);
  return false;
}

void run_lane(const Options& options, uint64_t number, Lane& lane) {
  Records* records = shared_array<Records>(1);
  if (records == nullptr) ::_exit(2);
  for (uint64_t i = number; i < options.runs; i += options.jobs) {
    for (uint64_t round = 0; round < options.repeat; ++round) {
      if (!run_seed(options.seed + i, *records, lane) && lane.failed.load() >= kFailuresMax) return;
    }
  }
  lane.tally.points = records->points.load();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    ::fprintf(stderr, "usage: kills [--runs N] [--seed S] [--jobs J] [--repeat R]\n");
    return 2;
  }
  Lane* lanes = shared_array<Lane>(options.jobs);
  std::vector<pid_t> pids;
  for (uint64_t number = 0; number < options.jobs; ++number) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      run_lane(options, number, lanes[number]);
      ::exit(0);
    }
    pids.push_back(pid);
  }
  Tally all;
  uint64_t failed = 0;
  for (uint64_t number = 0; number < options.jobs; ++number) {
    int status = 0;
    ::waitpid(pids[number], &status, 0);
    const Lane& lane = lanes[number];
    failed += lane.failed.load() + (status == 0 ? 0 : 1);
    if (status != 0) ::printf("FAULT: a lane ended with status %d\n", status);
    all.runs += lane.tally.runs;
    all.kills += lane.tally.kills;
    all.seconds += lane.tally.seconds;
    all.stops += lane.tally.stops;
    all.points += lane.tally.points;
  }
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  ::printf("%llu runs from seed %llu: %llu killed, %llu second deaths, %llu stops\n",
           number(all.runs), number(options.seed), number(all.kills), number(all.seconds),
           number(all.stops));
  ::printf("kills: %llu passed, %llu failed\n",
           number(all.runs - (failed < all.runs ? failed : all.runs)), number(failed));
  return failed == 0 ? 0 : 1;
}
