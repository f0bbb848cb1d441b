// The launcher's end: starts a warden and speaks with it.
//
// Goals: nothing here blocks; the owner polls `socket()` for frames and `pidfd()` for the
// warden's own end.
// Non-goals: no event loop, no JavaScript (`native/binding/process.cpp`).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "process/frame_socket.h"
#include "process/sweep.h"

namespace dragon::process {

struct WardenStart {
  std::string executable;
  std::string base;
  std::string name;
  bool keep_base = true;
};

class WardenClient {
 public:
  using Event = std::variant<SpawnedEvent, ExitedEvent, HaltedEvent>;

  // Starts the executable. Returns 0 and the client, or an errno.
  static int start(const WardenStart& start, std::unique_ptr<WardenClient>& out);

  int socket() const { return socket_.fd(); }
  int pidfd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }
  bool has_output() const { return socket_.has_output(); }

  // `passed`: descriptors for the entries that are kPassed; they are duplicated, so the caller
  // keeps its own. Returns 0, or an errno if that failed.
  int spawn(const SpawnRequest& request, const std::vector<int>& passed);
  void signal(uint64_t tag, int signal);
  void halt(int grace_ms);
  void flush() { socket_.flush(); }

  // False when the socket has ended or carries nonsense; the warden is then gone or going.
  bool read(std::vector<Event>& events);

  // Reaps the warden once `pidfd()` is readable.
  bool reap(ExitStatus& status) { return reap_child(pid_, status); }

 private:
  WardenClient(UniqueFd socket, UniqueFd pidfd, pid_t pid)
      : socket_(std::move(socket)), pidfd_(std::move(pidfd)), pid_(pid) {}

  FrameSocket socket_;
  UniqueFd pidfd_;
  pid_t pid_;
};

}  // namespace dragon::process
