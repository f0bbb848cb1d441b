// For tests: a node segment without a broker, and actors on it.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "sync/parking.h"

namespace dragon::test {

inline void check_ok(Status status) {
  INFO("status ", dragon_status_name(status));
  REQUIRE(status == DRAGON_SUCCESS);
}

// A directory that must be empty when the test ends.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/dragon-test.XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() { CHECK_MESSAGE(::rmdir(path_.c_str()) == 0, "files left in ", path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One actor with its view of the segment.
class TestActor {
 public:
  TestActor(NodeSegment& segment, const std::string& dir) : table(segment) {
    me.table = &table;
    check_ok(table.enter("test", me.id));
    check_ok(bell.open(dir.c_str(), table, me.id, true));
    lot = std::make_unique<ParkingLot>(segment, table, me, bell);
  }

  ActorTable table;
  Actor me;
  Bell bell;
  std::unique_ptr<ParkingLot> lot;
};

struct SegmentFixture {
  SegmentFixture() { check_ok(NodeSegment::create({1, 2}, segment)); }
  std::unique_ptr<TestActor> actor() { return std::make_unique<TestActor>(segment, dir.path()); }

  TemporaryDirectory dir;
  NodeSegment segment;
};

// Memory that forked processes share, zeroed.
template <typename T>
T& shared_variable() {
  void* memory =
      ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return *static_cast<T*>(memory);
}

// Runs `body` in a forked process, which ends without destructors.
template <typename Body>
pid_t fork_child(Body&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  REQUIRE(pid > 0);
  return pid;
}

inline int wait_for(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

}  // namespace dragon::test
