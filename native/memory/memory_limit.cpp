#include "memory/memory_limit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace dragon {

namespace {

std::string read_text(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char part[4096];
  for (ssize_t length; (length = ::read(fd, part, sizeof(part))) > 0;) {
    text.append(part, static_cast<size_t>(length));
  }
  ::close(fd);
  return text;
}

uint64_t host_memory_bytes() {
  const std::string text = read_text("/proc/meminfo");
  const size_t at = text.find("MemTotal:");
  if (at == std::string::npos) return UINT64_MAX;
  return ::strtoull(text.c_str() + at + 9, nullptr, 10) * 1024;
}

// A limit file holds a number, or "max" for none.
uint64_t limit_in(const std::string& path) {
  const std::string text = read_text(path);
  if (text.empty() || text[0] < '0' || text[0] > '9') return UINT64_MAX;
  const uint64_t bytes = ::strtoull(text.c_str(), nullptr, 10);
  return bytes == 0 ? UINT64_MAX : bytes;
}

// The smallest limit from the group up to the root of its mount; inside a container the group's
// path may not exist, then only the root's counts.
uint64_t limit_up_from(const std::string& mount, std::string group, const char* file) {
  uint64_t limit = limit_in(mount + "/" + file);
  while (group.size() > 1) {
    limit = std::min(limit, limit_in(mount + group + "/" + file));
    group.resize(group.rfind('/'));
  }
  return limit;
}

uint64_t group_memory_bytes() {
  uint64_t limit = UINT64_MAX;
  const std::string groups = read_text("/proc/self/cgroup");
  size_t at = 0;
  while (at < groups.size()) {
    const size_t end = std::min(groups.find('\n', at), groups.size());
    const std::string line = groups.substr(at, end - at);
    at = end + 1;
    // hierarchy:controllers:path
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      limit = std::min(limit, limit_up_from("/sys/fs/cgroup", path, "memory.max"));
    } else if (controllers == "memory") {
      limit =
          std::min(limit, limit_up_from("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

}  // namespace

uint64_t allowed_memory_bytes() {
  return std::min(host_memory_bytes(), group_memory_bytes());
}

uint64_t default_pool_limit_bytes() {
  const uint64_t most = 4ull << 30;
  const uint64_t half = allowed_memory_bytes() / 2;
  return std::max<uint64_t>(std::min(most, half) / (1 << 20), 16) << 20;
}

}  // namespace dragon
