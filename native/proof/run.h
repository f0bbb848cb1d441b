// One run of the kill-point driver: starts the workers of a plan, kills and stops as it says, has
// the dead reclaimed, helps along who waits for ever, and judges what is left.
//
// Goals: whatever goes wrong ends as one line with the fault, within a deadline, and no process
// is left behind.
// Non-goals: being a launcher. The watcher serves the broker and is the last participant.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "proof/journal.h"
#include "proof/scene.h"
#include "proof/worker.h"

namespace dragon::proof {

struct Tally {
  uint64_t runs = 0;
  uint64_t kills = 0;    // first victims that died at their point
  uint64_t seconds = 0;  // second victims
  uint64_t stops = 0;
  uint64_t points = 0;
};

class Run {
 public:
  // `records` is shared memory that the caller keeps for run after run.
  Run(const RunPlan& plan, Records& records, Tally& tally);
  ~Run();

  // The fault, or nothing.
  std::string execute();
  // What the processes were doing, for a fault that is a hang.
  std::string state() const;

 private:
  struct Process {
    pid_t pid = 0;
    uint32_t number = 0;  // 0: a reclaimer
    Fate fate = Fate::kLives;
    bool may_die = false;
    bool stopped = false;
    bool running = false;
    uint64_t due_ns = 0;  // of the shot, or of the continuation
  };
  void start();
  template <typename Body>
  void fork_process(uint32_t number, Fate fate, bool may_die, Body&& body);
  void watch();
  void wait_a_moment() const;
  void look_at(Process& process);
  void on_stop(Process& process);
  void on_end(Process& process, int status);
  void act(Process& process);
  void recover();
  void help();
  void help_one(const Entry& entry);
  void drain(uint32_t channel, uint32_t messages);
  void offer(uint32_t channel);
  void offer_permit();
  std::string finish_queue();
  bool has_ended(uint32_t channel, Role role) const;
  void kill_all();
  std::string judge();
  bool workers_done() const;
  const Entry* last_entry(uint32_t process) const;

  const RunPlan& plan_;
  Records& records_;
  Tally& tally_;
  Scene scene_;
  std::vector<Process> processes_;
  std::vector<pid_t> dead_;
  std::vector<uint8_t> buffer_;
  std::string fault_;
  uint64_t began_ns_ = 0;
  uint64_t died_ns_ = 0;
  uint64_t helped_ns_ = 0;
  bool second_done_ = false;
  bool reclaiming_ = false;
  ptrdiff_t in_reclamation_ = 0;  // the first of the dead
};

}  // namespace dragon::proof
