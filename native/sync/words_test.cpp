// Kill points, and the absence of system calls.
// variants: plain
#include "sync/word.h"

#include <signal.h>

#include "sync/kill_points.h"
#include "sync/segment_fixture.h"

using namespace dragon;
using namespace dragon::test;

TEST_CASE("each change of a shared word is one kill point, before it takes place [SYN-001]") {
  Word32& word = shared_variable<Word32>();
  kill_points_arm(0);
  word.store(1);
  word.exchange(2);
  word.replace(2, 3);
  word.replace(9, 4);
  word.fetch_add(1);
  word.fetch_sub(1);
  word.fetch_or(4);
  word.fetch_and(6);
  word.load();
  CHECK(kill_points_passed() == 8);
  word.store(0);
  const pid_t pid = fork_child([&] {
    kill_points_arm(3);
    for (uint32_t i = 1; i < 10; ++i) word.store(i);
  });
  const int status = wait_for(pid);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(word.load() == 2);
}

TEST_CASE("a process can be stopped at a point and go on [SYN-001]") {
  Word32& word = shared_variable<Word32>();
  const pid_t pid = fork_child([&] {
    stop_points_arm(2);
    for (uint32_t i = 1; i < 4; ++i) word.store(i);
  });
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  CHECK(WIFSTOPPED(status));
  CHECK(word.load() == 1);
  ::kill(pid, SIGCONT);
  CHECK(wait_for(pid) == 0);
  CHECK(word.load() == 3);
}
