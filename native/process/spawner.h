// Starts one process.
//
// The child is made with clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD): no page table is copied,
// the caller sleeps until the child has called execve, and a failure before that is reported
// with its errno. The child starts with default signal dispositions, an empty signal mask, no
// descriptor but its three, and dies when its parent does.
//
// Non-goals: watching the child (its owner polls the pidfd), policy of any kind.
#pragma once

#include <sys/types.h>

#include "process/frame.h"
#include "process/unique_fd.h"

namespace dragon::process {

struct SpawnResult {
  pid_t pid = 0;  // 0 on failure
  UniqueFd pidfd;
  int error = 0;
  SpawnStage stage = SpawnStage::kNone;
};

// `passed` holds the descriptors for the entries of `request.stdio` that are kPassed, in order.
SpawnResult spawn(const SpawnRequest& request, const std::vector<UniqueFd>& passed);

// The file that `program` names: itself if it has a slash, else the first executable regular
// file in the PATH of `env`. Returns 0, or ENOENT, or EACCES if only files that may not be
// executed were found.
int find_program(const SpawnRequest& request, std::string& path);

}  // namespace dragon::process
