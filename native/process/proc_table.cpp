#include "process/proc_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "process/unique_fd.h"

namespace dragon::process {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

std::string proc_path(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::optional<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
  }
}

// The entries of a directory whose names are numbers.
void numbers_in(const std::string& path, std::vector<pid_t>& out) {
  const Directory directory(opendir(path.c_str()));
  if (!directory) return;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    out.push_back(static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10)));
  }
}

void append_numbers(const std::string& text, std::vector<pid_t>& out) {
  const char* at = text.c_str();
  for (;;) {
    char* end = nullptr;
    const long value = std::strtol(at, &end, 10);
    if (end == at) return;
    out.push_back(static_cast<pid_t>(value));
    at = end;
  }
}

// For kernels without /proc/PID/task/TID/children.
std::vector<pid_t> children_by_scan(pid_t parent) {
  std::vector<pid_t> children;
  for (pid_t pid : all_processes()) {
    const auto stat = read_stat(pid);
    if (stat && stat->parent == parent) children.push_back(pid);
  }
  return children;
}

}  // namespace

std::optional<ProcessStat> read_stat(pid_t pid) {
  const auto text = read_file(proc_path(pid, "stat"));
  if (!text) return std::nullopt;
  // "PID (COMMAND) STATE PPID PGRP ..."; the command may itself contain parentheses.
  const size_t open = text->find('(');
  const size_t close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.pid = pid;
  stat.command = text->substr(open + 1, close - open - 1);
  constexpr int kFirstField = 3;
  constexpr int kStartTimeField = 22;
  size_t at = close + 2;
  for (int field = kFirstField; field <= kStartTimeField; ++field) {
    const size_t end = std::min(text->find(' ', at), text->size());
    if (at >= end) return std::nullopt;
    const std::string value = text->substr(at, end - at);
    if (field == 3) stat.state = value[0];
    if (field == 4) stat.parent = static_cast<pid_t>(std::strtol(value.c_str(), nullptr, 10));
    if (field == 5) stat.group = static_cast<pid_t>(std::strtol(value.c_str(), nullptr, 10));
    if (field == 22) stat.start_time = std::strtoull(value.c_str(), nullptr, 10);
    at = end + 1;
  }
  return stat;
}

std::vector<pid_t> children_of(pid_t pid) {
  static const bool kernel_lists_children = ::access("/proc/thread-self/children", F_OK) == 0;
  if (!kernel_lists_children) return children_by_scan(pid);
  std::vector<pid_t> threads;
  std::vector<pid_t> children;
  numbers_in(proc_path(pid, "task"), threads);
  for (pid_t thread : threads) {
    const std::string list = "task/" + std::to_string(thread) + "/children";
    append_numbers(read_file(proc_path(pid, list.c_str())).value_or(""), children);
  }
  return children;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> processes;
  numbers_in("/proc", processes);
  return processes;
}

std::optional<std::string> started_with(pid_t pid, const std::string& variable) {
  const auto environment = read_file(proc_path(pid, "environ"));
  if (!environment) return std::nullopt;
  const std::string prefix = variable + "=";
  std::string_view rest = *environment;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view entry = rest.substr(0, end);
    if (entry.starts_with(prefix)) return std::string(entry.substr(prefix.size()));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

std::vector<ProcessStat> marked_processes(const std::string& run_id) {
  std::vector<pid_t> own_line;
  for (pid_t pid = getpid(); pid > 1;) {
    own_line.push_back(pid);
    const auto stat = read_stat(pid);
    pid = stat ? stat->parent : 0;
  }
  std::vector<ProcessStat> marked;
  for (pid_t pid : all_processes()) {
    if (std::find(own_line.begin(), own_line.end(), pid) != own_line.end()) continue;
    if (started_with(pid, "DRAGON_RUN_ID") != run_id) continue;
    auto stat = read_stat(pid);
    if (stat && stat->state != 'Z') marked.push_back(std::move(*stat));
  }
  return marked;
}

}  // namespace dragon::process
