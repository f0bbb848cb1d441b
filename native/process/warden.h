// The warden: parent of everything on its node but the launcher, and the last to leave.
//
// It starts processes on request, tells how they ended, and ends the run: at the launcher's
// request, or when the launcher is gone, which it sees as the end of its socket. Then it kills
// everything below it, waits until nothing is left, removes the run's directory and exits.
//
// Goals: nothing of a run survives it, whatever died and whenever; it never waits for the
// launcher; it is small enough to be read in one sitting.
// Non-goals: restarting anything, reading any process's output, knowing what a process is for.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "process/frame_socket.h"
#include "process/sweep.h"

namespace dragon::process {

struct WardenOptions {
  std::string base;       // the directory that holds the runs' directories
  std::string name;       // the run, and the name of its directory in the base
  bool keep_base = true;  // false: the base is removed when it is empty
  // How long a SIGKILLed process may take before the launcher is told that it is left. The
  // warden itself stays until the last one is gone.
  int patience_ms = 5000;
};

class Warden {
 public:
  Warden(UniqueFd socket, WardenOptions options);

  // Serves until the run has ended and nothing is left; the process's exit code.
  int run();

 private:
  enum class Phase { kServing, kTerminating, kKilling };
  struct Child {
    pid_t pid;
    UniqueFd pidfd;
  };

  bool prepare();
  int wait_ms() const;
  void turn(int wait_ms);
  void on_socket();
  bool handle(Frame& frame);
  bool handle_spawn(Frame& frame);
  bool handle_signal(const Frame& frame);
  bool handle_halt(const Frame& frame);
  void report_exit(uint64_t tag, ExitStatus status);
  void reap_all();
  void end_run(int grace_ms);
  void kill();
  // One round of ending the run; true when nothing is left.
  bool sweep();
  void flush();
  void tell_halted();

  UniqueFd epoll_;
  UniqueFd signals_;
  FrameSocket socket_;
  WardenOptions options_;
  std::unordered_map<uint64_t, Child> children_;  // by tag
  std::unordered_map<pid_t, uint64_t> tags_;
  Phase phase_ = Phase::kServing;
  bool launcher_gone_ = false;
  bool told_halted_ = false;
  bool polling_output_ = false;
  bool orphans_may_have_ended_ = false;
  int64_t phase_deadline_ms_ = 0;
  int64_t next_orphans_ms_ = 0;
};

}  // namespace dragon::process
