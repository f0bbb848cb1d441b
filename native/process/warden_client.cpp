#include "process/warden_client.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "process/pidfd.h"

extern char** environ;

namespace dragon::process {
namespace {

constexpr int kSocketInWarden = 3;

template <typename Message>
bool take(const Frame& frame, std::vector<WardenClient::Event>& events) {
  Message message;
  if (!decode(frame.payload, message)) return false;
  events.emplace_back(message);
  return true;
}

// posix_spawn of the static executable; from a big process it costs about a millisecond, and
// it is the only process that the launcher itself starts.
int spawn_warden(const WardenStart& start, int socket, pid_t& pid) {
  std::string keep = start.keep_base ? "keep" : "remove";
  std::string executable = start.executable;
  std::string base = start.base;
  std::string name = start.name;
  char* argv[] = {executable.data(), base.data(), name.data(), keep.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // Node marks its standard streams close-on-exec; a dup2 onto itself clears that.
  for (int fd = 0; fd < kSocketInWarden; ++fd) posix_spawn_file_actions_adddup2(&actions, fd, fd);
  posix_spawn_file_actions_adddup2(&actions, socket, kSocketInWarden);
  posix_spawn_file_actions_addclosefrom_np(&actions, kSocketInWarden + 1);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawn(&pid, executable.c_str(), &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

int WardenClient::start(const WardenStart& start, std::unique_ptr<WardenClient>& out) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  pid_t pid = 0;
  if (const int error = spawn_warden(start, theirs.get(), pid)) return error;
  UniqueFd pidfd = open_pidfd(pid);
  if (!pidfd.valid()) return errno;  // the socket closes here, which ends the warden
  out.reset(new WardenClient(std::move(ours), std::move(pidfd), pid));
  return 0;
}

int WardenClient::spawn(const SpawnRequest& request, const std::vector<int>& passed) {
  std::vector<UniqueFd> copies;
  for (int fd : passed) {
    copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copies.back().valid()) return errno;
  }
  std::string payload = encode(request);
  if (payload.size() > kFramePayloadBytesMax) return E2BIG;
  socket_.queue(FrameType::kSpawn, std::move(payload), std::move(copies));
  return 0;
}

void WardenClient::signal(uint64_t tag, int signal) {
  socket_.queue(FrameType::kSignal, encode(SignalRequest{tag, signal}));
}

void WardenClient::halt(int grace_ms) {
  socket_.queue(FrameType::kHalt, encode(HaltRequest{static_cast<uint32_t>(grace_ms)}));
}

bool WardenClient::read(std::vector<Event>& events) {
  std::vector<Frame> frames;
  bool good = socket_.read(frames) == FrameSocket::ReadResult::kOpen;
  for (const Frame& frame : frames) {
    switch (frame.type) {
      case FrameType::kSpawned:
        good = take<SpawnedEvent>(frame, events) && good;
        break;
      case FrameType::kExited:
        good = take<ExitedEvent>(frame, events) && good;
        break;
      case FrameType::kHalted:
        good = take<HaltedEvent>(frame, events) && good;
        break;
      case FrameType::kSpawn:
      case FrameType::kSignal:
      case FrameType::kHalt:
        good = false;
        break;
    }
  }
  return good;
}

}  // namespace dragon::process
