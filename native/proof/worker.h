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
  struct Held {
    RecordId record = 0;
    Role role = Role::kSender;
  };
  void attach();
  void end();
  void step(uint32_t at, Patience patience);
  void inside(const Op& op);

  void lock(const Op& op, Patience patience);
  void count(const Op& op, Patience patience);
  void arm(const Op& op, Patience patience);
  // worker_memory.cpp
  void allocate(const Op& op, Patience patience);
  void free_one(const Op& op, Patience patience);
  void resize(const Op& op, Patience patience);
  void view(const Op& op, Patience patience);
  void end_loan();
  void end_share();
  // worker_messages.cpp
  void send(const Op& op, Patience patience);
  void send_allocation(const Op& op, Patience patience);
  void send_many(const Op& op, Patience patience);
  void send_lent(const Op& op, Patience patience);
  void send_shares(const Op& op, Patience patience);
  void await_receipt(const Op& op, Patience patience);
  void receive(const Op& op, Patience patience);
  void receive_many(const Op& op, Patience patience);
  void receive_into(const Op& op, Patience patience);
  void pop(const Op& op, Patience patience);
  void peek(const Op& op, Patience patience);
  void poll(const Op& op, Patience patience);
  void watch(const Op& op, Patience patience);
  void check(const ReceivedMessage& message);
  void end_receipt(const ReceivedMessage& message);
  void expect_sent(const Op& op, Status status);
  void expect_received(const Op& op, Status status);
  // worker_handles.cpp
  void open_and_close(const Op& op, Patience patience);
  void lend(const Op& op, Patience patience);
  void adopt(const Op& op, Patience patience);
  void own(const Op& op, Patience patience);
  void stream(const Op& op, Patience patience);
  // worker_meetings.cpp
  void permit(const Op& op, Patience patience);
  void meet(const Op& op, Patience patience);
  void event(const Op& op, Patience patience);
  void broadcast(const Op& op, Patience patience);
  void condition(const Op& op, Patience patience);
  void read(const Op& op, Patience patience);
  void write(const Op& op, Patience patience);
  void queue(const Op& op, Patience patience);
  void put_item(const Op& op, Patience patience);
  void finish_item(const Op& op, Patience patience);

  Journal& journal() { return records_.journals[process_]; }
  Channel& channel(const Op& op) { return *channels_[op.object % channels_.size()]; }
  uint64_t next_message();
  bool is_stream(const Op& op) const { return shapes_[op.object % shapes_.size()].end_of_stream; }
  void expect(Status status, const char* what);
  [[noreturn]] void fail(const std::string& text);

  const Scene& scene_;
  const std::vector<ChannelPlan>& shapes_;
  const WorkerPlan& plan_;
  Records& records_;
  const uint32_t process_;
  uint32_t step_ = 0;
  uint64_t stamps_ = 0;
  std::shared_ptr<Node> node_;
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Pool> payloads_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::vector<Held> streams_;  // of each channel
  std::vector<std::unique_ptr<LockObject>> locks_;
  std::unique_ptr<Counter> counter_;
  Meetings meetings_;
  std::vector<Kept> kept_;
  std::vector<Kept> lent_;
  std::vector<Kept> shares_;
  std::vector<uint8_t> buffer_;
};

}  // namespace dragon::proof
