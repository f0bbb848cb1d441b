// Floors of a hand-off: one process tells another that something happened, and is told back.
//
// Two ways that never sleep (spin) or always do (futex), both on a word in shared memory, and
// two that go through descriptors. Each direction has its own cache line.

#include "floors.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "measure.h"

namespace dragon::bench {

namespace {

struct alignas(64) Line {
  std::atomic<std::uint32_t> word;
};

struct Lines {
  Line ask;
  Line answer;
};
static_assert(sizeof(Lines) == 128);

Lines* make_lines() {
  return new (shared_memory(sizeof(Lines))) Lines{};
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  while (word.load(std::memory_order_acquire) == seen) {
    syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
}

void futex_wake(std::atomic<std::uint32_t>& word) {
  word.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

std::uint64_t read_word(int descriptor) {
  std::uint64_t value = 0;
  if (read(descriptor, &value, sizeof value) != sizeof value) fail_errno("read");
  return value;
}

void write_word(int descriptor) {
  const std::uint64_t one = 1;
  if (write(descriptor, &one, sizeof one) != sizeof one) fail_errno("write");
}

/// A pair of directions, each with an end to read and one to write.
struct Wires {
  int ask_in;
  int ask_out;
  int answer_in;
  int answer_out;
};

void descriptor_ping_pong(const PingPong& shape, const Wires& wires) {
  run_ping_pong(
      shape,
      [wires] {
        write_word(wires.ask_out);
        read_word(wires.answer_in);
      },
      [wires] {
        read_word(wires.ask_in);
        write_word(wires.answer_out);
      });
}

}  // namespace

void spin_floor(const Options& options) {
  const PingPong shape = PingPong::from(options, 1000, 32);
  // On one processor a spinner must let the other one run, else it burns its whole time slice.
  const bool yields = shape.first_cpu >= 0 && shape.first_cpu == shape.second_cpu;
  Lines* lines = make_lines();
  const auto await = [yields](std::atomic<std::uint32_t>& word, std::uint32_t value) {
    while (word.load(std::memory_order_acquire) != value) {
      if (yields) {
        sched_yield();
      } else {
        relax();
      }
    }
  };
  std::uint32_t asked = 0;
  std::uint32_t answered = 0;
  run_ping_pong(
      shape,
      [&] {
        lines->ask.word.store(++asked, std::memory_order_release);
        await(lines->answer.word, asked);
      },
      [&] {
        await(lines->ask.word, ++answered);
        lines->answer.word.store(answered, std::memory_order_release);
      });
}

void futex_floor(const Options& options) {
  Lines* lines = make_lines();
  std::uint32_t seen = 0;
  run_ping_pong(
      PingPong::from(options, 1000, 1),
      [&] {
        futex_wake(lines->ask.word);
        futex_wait(lines->answer.word, seen++);
      },
      [&] {
        futex_wait(lines->ask.word, seen++);
        futex_wake(lines->answer.word);
      });
}

void eventfd_floor(const Options& options) {
  const int ask = eventfd(0, EFD_CLOEXEC);
  const int answer = eventfd(0, EFD_CLOEXEC);
  if (ask < 0 || answer < 0) fail_errno("eventfd");
  descriptor_ping_pong(PingPong::from(options, 1000, 1), {ask, ask, answer, answer});
}

void pipe_floor(const Options& options) {
  int ask[2];
  int answer[2];
  if (pipe(ask) != 0 || pipe(answer) != 0) fail_errno("pipe");
  descriptor_ping_pong(PingPong::from(options, 1000, 1), {ask[0], ask[1], answer[0], answer[1]});
}

}  // namespace dragon::bench
