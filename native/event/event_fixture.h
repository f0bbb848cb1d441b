// For tests: event objects in other actors, threads and processes.
#pragma once

#include <signal.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <thread>

#include "channel/channel_fixture.h"

#ifdef DRAGON_KILL_POINTS
#include "sync/kill_points.h"
#endif

namespace dragon::test {

struct HandleCopy {
  explicit HandleCopy(const ManagedObject& object) { object.serialize(bytes); }
  HandleBytes bytes;
};

template <typename Object>
std::unique_ptr<Object> attach_object(const std::shared_ptr<Node>& node, const HandleCopy& handle) {
  std::unique_ptr<Object> out;
  RecordId adopted = 0;
  check_ok(Object::attach(node, handle.bytes, kHandleBytes, false, adopted, out));
  return out;
}

// A thread that is an actor of its own and has the object attached.
template <typename Object, typename Body>
std::thread object_thread(const NodeFixture& fixture, const Object& object, Body body) {
  const HandleCopy handle(object);
  return std::thread([&fixture, handle, body] {
    const auto node = fixture.attach_thread();
    {
      const auto mine = attach_object<Object>(node, handle);
      body(*mine);
    }
    leave(node);
  });
}

// In a process that may be killed: ends it instead of failing a check.
inline void must_be(Status status, Status expected = DRAGON_SUCCESS) {
  if (status != expected) ::_exit(100 + status);
}

// A forked process with an attachment of its own and the object; it leaves unless it is killed.
template <typename Object, typename Body>
pid_t object_process(const NodeFixture& fixture, const Object& object, Body body) {
  const HandleCopy handle(object);
  return fork_child([&] {
    std::shared_ptr<Node> node;
    must_be(Node::attach(fixture.dir.path(), {}, node));
    std::unique_ptr<Object> mine;
    RecordId adopted = 0;
    must_be(Object::attach(node, handle.bytes, kHandleBytes, false, adopted, mine));
    body(*mine);
    mine.reset();
    leave(node);
  });
}

// How many stand in an object's lane.
inline uint32_t waiters_at(Node& node, const WaitPlace& place) {
  uint32_t count = 0;
  for (uint32_t index = 1; index < node.records().committed(); ++index) {
    WaitInfo wait;
    if (node.lot().info(index, wait) && wait.key == place.key) ++count;
  }
  return count;
}

inline void wait_for_waiters(Node& node, const WaitPlace& place, uint32_t count) {
  while (waiters_at(node, place) < count) ::usleep(500);
  ::usleep(2'000);
}

inline bool is_full_size() {
  const char* size = ::getenv("DRAGON_TEST_SIZE");
  return size != nullptr && std::string(size) == "full";
}

}  // namespace dragon::test
