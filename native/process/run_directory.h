// Removes the directory of a run.
//
// Goals: only below the given base, only what belongs to this user, following no link, so that
// a forged entry can't lead the removal elsewhere.
// Non-goals: making the directory (the launcher does).
#pragma once

#include <string>

namespace dragon::process {

// Removes base/name and what is in it. Returns 0, also when it does not exist, or an errno.
int remove_run_directory(const std::string& base, const std::string& name);

// Removes the base if it is empty; another run may be using it, so failure means nothing.
void remove_empty_base(const std::string& base);

// True for the names that runs have: an 'r', then letters, digits and dashes.
bool valid_run_name(const std::string& name);

}  // namespace dragon::process
