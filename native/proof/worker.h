// One process of a run: does its script and writes down what came of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proof/journal.h"
#include "proof/scene.h"

namespace dragon::proof {

// No wait of a run lasts as long; one that does is a hang.
constexpr uint64_t kHangNs = 30'000'000'000;

// Of an operation: none, up to some milliseconds, or until a hang would be noticed.
Deadline deadline_of(Patience patience, uint32_t number);

class Worker {
 public:
  // `process` is its number in the journals.
  Worker(const Scene& scene, const RunPlan& plan, Records& records, uint32_t process);

  // The body of a forked process: ends it with 0, or with 1 and a fault in its journal.
  [[noreturn]] void run();

 private:
  struct Kept {
    Allocation allocation;
    uint64_t stamp;
  };
  void attach();
  void step(uint32_t at, Patience patience);
  void allocate(const Op& op, Patience patience);
  void free_one(const Op& op);
  void send(const Op& op, Patience patience);
  void send_allocation(const Op& op, Patience patience);
  void receive(const Op& op, Patience patience);
  void peek(const Op& op);
  void poll(const Op& op, Patience patience);
  void lock(const Op& op, Patience patience);
  void count(const Op& op);
  void open_and_close(const Op& op);
  void lend(const Op& op);
  void adopt(const Op& op);
  void own(const Op& op);
  void arm(const Op& op);
  // worker_meetings.cpp
  void permit(const Op& op, Patience patience);
  void meet(const Op& op);
  void event(const Op& op);
  void broadcast(const Op& op);
  void condition(const Op& op);
  void end();

  Journal& journal() { return records_.journals[process_]; }
  Channel& channel(const Op& op) { return *channels_[op.object % channels_.size()]; }
  uint64_t next_message();
  void check(const ReceivedMessage& message);
  void expect(Status status, const char* what);
  [[noreturn]] void fail(const std::string& text);

  const Scene& scene_;
  const WorkerPlan& plan_;
  Records& records_;
  const uint32_t process_;
  uint32_t step_ = 0;
  uint64_t stamps_ = 0;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<LockObject>> locks_;
  std::unique_ptr<Counter> counter_;
  Meetings meetings_;
  std::vector<Kept> kept_;
  std::vector<uint8_t> buffer_;
};

}  // namespace dragon::proof
