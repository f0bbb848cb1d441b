// Numbered points at which a test may kill the process.
//
// Goals: in a build with DRAGON_KILL_POINTS every change of shared memory made through Word
// passes one point first, so a test can kill -9 a process between any two of them.
// Non-goals: nothing of this is called in the product's build.
#pragma once

#include <cstdint>

namespace dragon {

// The process kills itself with SIGKILL instead of passing point `n` (counted from 1, from this
// call on); 0 disarms. Also resets the count.
void kill_points_arm(uint64_t n);

// The same with SIGSTOP: the process stops before point `n` and goes on when continued.
void stop_points_arm(uint64_t n);

// Points passed since the last arm.
uint64_t kill_points_passed();

// Called before each change of shared memory.
void kill_point();

}  // namespace dragon
