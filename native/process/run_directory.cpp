#include "process/run_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "process/unique_fd.h"

namespace dragon::process {
namespace {

constexpr int kDepthMax = 8;
constexpr int kOpenFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

int remove_tree(int parent, const char* name, int depth);

// Takes over the descriptor.
int remove_entries(int directory, int depth) {
  DIR* stream = fdopendir(directory);
  if (stream == nullptr) {
    const int error = errno;
    ::close(directory);
    return error;
  }
  int first_error = 0;
  while (const dirent* entry = readdir(stream)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    int error = ::unlinkat(dirfd(stream), entry->d_name, 0) == 0 ? 0 : errno;
    if (error == EISDIR) error = remove_tree(dirfd(stream), entry->d_name, depth + 1);
    if (error != 0 && error != ENOENT && first_error == 0) first_error = error;
  }
  closedir(stream);
  return first_error;
}

int remove_tree(int parent, const char* name, int depth) {
  if (depth > kDepthMax) return ELOOP;
  UniqueFd directory(::openat(parent, name, kOpenFlags));
  if (!directory.valid()) return errno;
  struct stat info {};
  if (::fstat(directory.get(), &info) != 0) return errno;
  if (info.st_uid != geteuid()) return EPERM;
  const int error = remove_entries(directory.release(), depth);
  if (error != 0) return error;
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

}  // namespace

bool valid_run_name(const std::string& name) {
  if (name.size() < 2 || name.size() > 64 || name[0] != 'r') return false;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') return false;
  }
  return true;
}

int remove_run_directory(const std::string& base, const std::string& name) {
  if (!valid_run_name(name)) return EINVAL;
  const UniqueFd parent(::open(base.c_str(), kOpenFlags));
  const int error = parent.valid() ? remove_tree(parent.get(), name.c_str(), 0) : errno;
  return error == ENOENT ? 0 : error;
}

void remove_empty_base(const std::string& base) {
  ::rmdir(base.c_str());
}

}  // namespace dragon::process
