// A directory that goes when the process that made it is done with it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "measure.h"

namespace dragon::bench {

class ScratchDirectory {
 public:
  ScratchDirectory() : path_((std::filesystem::temp_directory_path() / "bench-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) fail_errno("mkdtemp");
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    if (::getpid() == maker_) std::filesystem::remove_all(path_);
  }

  const std::string& path() const { return path_; }

 private:
  const int maker_ = ::getpid();
  std::string path_;
};

}  // namespace dragon::bench
