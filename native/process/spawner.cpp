#include "process/spawner.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace dragon::process {
namespace {

constexpr int kChildFailed = 127;
constexpr size_t kChildStackBytes = 64 * 1024;
// One child is made at a time and its parent sleeps meanwhile, so one stack serves all.
alignas(16) char child_stack[kChildStackBytes];

// Shared with the child, which runs in the parent's memory until execve.
struct Plan {
  const char* path;
  char* const* argv;
  char* const* env;
  const char* directory;
  int stdio[3];  // the target's own number means: as it is
  bool new_group;
  pid_t parent;
  volatile int error = 0;
  volatile SpawnStage stage = SpawnStage::kNone;
};

int fail(Plan& plan, SpawnStage stage) {
  plan.error = errno;
  plan.stage = stage;
  ::_exit(kChildFailed);
}

void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int run_child(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  reset_signals();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Had the parent died before the line above, nobody would ever end this child.
  if (getppid() != plan.parent) ::_exit(kChildFailed);
  if (plan.new_group && ::setpgid(0, 0) != 0) fail(plan, SpawnStage::kCreate);
  for (int target = 0; target < 3; ++target) {
    const int source = plan.stdio[target];
    const int done = source == target ? ::fcntl(target, F_SETFD, 0) : ::dup2(source, target);
    if (done < 0) fail(plan, SpawnStage::kCreate);
  }
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (::chdir(plan.directory) != 0) fail(plan, SpawnStage::kDirectory);
  ::execve(plan.path, plan.argv, plan.env);
  return fail(plan, SpawnStage::kExec);
}

std::vector<char*> pointers(const std::vector<std::string>& list) {
  std::vector<char*> pointers;
  pointers.reserve(list.size() + 1);
  for (const std::string& text : list) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The descriptors of the child; false if one is missing or /dev/null can't be opened.
bool choose_stdio(const SpawnRequest& request, const std::vector<UniqueFd>& passed, UniqueFd& null,
                  int out[3]) {
  size_t next = 0;
  for (int target = 0; target < 3; ++target) {
    switch (request.stdio[target]) {
      case StdioMode::kInherit:
        out[target] = target;
        break;
      case StdioMode::kNull:
        if (!null.valid()) null.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
        if (!null.valid()) return false;
        out[target] = null.get();
        break;
      case StdioMode::kPassed:
        if (next == passed.size()) {
          errno = EBADF;
          return false;
        }
        out[target] = passed[next++].get();
        break;
    }
  }
  return true;
}

std::string_view path_of(const std::vector<std::string>& env) {
  for (const std::string& entry : env) {
    if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

SpawnResult failure(SpawnStage stage, int error) {
  SpawnResult result;
  result.stage = stage;
  result.error = error;
  return result;
}

}  // namespace

int find_program(const SpawnRequest& request, std::string& path) {
  if (request.program.find('/') != std::string::npos) {
    path = request.program;
    return 0;
  }
  std::string_view rest = path_of(request.env);
  int error = ENOENT;
  for (;;) {
    const size_t colon = rest.find(':');
    std::string directory(rest.substr(0, colon));
    if (directory.empty() || directory[0] != '/') {
      directory = request.directory + '/' + directory;
    }
    path = directory + '/' + request.program;
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return 0;
      error = EACCES;
    }
    if (colon == std::string_view::npos) return error;
    rest.remove_prefix(colon + 1);
  }
}

SpawnResult spawn(const SpawnRequest& request, const std::vector<UniqueFd>& passed) {
  std::string path;
  if (const int error = find_program(request, path)) return failure(SpawnStage::kSearch, error);
  const std::vector<char*> argv = pointers(request.argv);
  const std::vector<char*> env = pointers(request.env);
  UniqueFd null;
  Plan plan{};
  plan.path = path.c_str();
  plan.argv = argv.data();
  plan.env = env.data();
  plan.directory = request.directory.c_str();
  plan.new_group = request.new_group;
  plan.parent = getpid();
  if (!choose_stdio(request, passed, null, plan.stdio)) {
    return failure(SpawnStage::kCreate, errno);
  }
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  const pid_t pid = clone(run_child, child_stack + kChildStackBytes, flags, &plan, &pidfd);
  if (pid < 0) return failure(SpawnStage::kCreate, errno);
  SpawnResult result;
  result.pidfd.reset(pidfd);
  if (plan.error == 0) {
    result.pid = pid;
    return result;
  }
  siginfo_t ended;
  while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED) < 0 && errno == EINTR) {
  }
  result.pidfd.reset();
  result.error = plan.error;
  result.stage = plan.stage;
  return result;
}

}  // namespace dragon::process
