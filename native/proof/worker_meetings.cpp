// A worker's use of semaphores, barriers, events, broadcasts and conditions.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proof/received.h"
#include "proof/worker.h"

namespace dragon::proof {

namespace {

// Whether the process has not ended, as the system says.
bool runs(uint32_t pid) {
  char path[32];
  ::snprintf(path, sizeof(path), "/proc/%u/stat", pid);
  FILE* file = ::fopen(path, "re");
  if (file == nullptr) return false;
  char line[200] = {};
  const char* read = ::fgets(line, sizeof(line), file);
  ::fclose(file);
  const char* end = read == nullptr ? nullptr : ::strrchr(line, ')');
  return end != nullptr && end[1] == ' ' && end[2] != 'Z' && end[2] != 'X';
}

}  // namespace

void Worker::permit(const Op& op, Patience patience) {
  uint64_t before = 0;
  Status status;
  {
    Noted noted(journal(), EntryKind::kTake, op.kind, step_, 0, patience, 0);
    status = noted.end(meetings_.semaphore->acquire(deadline_of(patience, op.number), before));
  }
  expect(status, "take a permit");
  if (status != DRAGON_SUCCESS) return;
  if (op.number % 4 == 0) ::usleep(op.number % 100);
  Noted noted(journal(), EntryKind::kGive, op.kind, step_, 0, patience, 0);
  if (noted.end(meetings_.semaphore->release(1)) != DRAGON_SUCCESS) fail("give a permit back");
}

void Worker::meet(const Op& op, Patience) {
  uint32_t index = 0;
  const Status status = meetings_.barrier->wait(deadline_of(Patience::kShort, op.number), index);
  if (status == DRAGON_SUCCESS && index >= kParties) fail("more parties than the barrier has");
  if (status != DRAGON_BARRIER_BROKEN) expect(status, "meet");
  if (status != DRAGON_SUCCESS) expect(meetings_.barrier->reset(), "reset a barrier");
}

void Worker::event(const Op& op, Patience) {
  Event& event = *meetings_.event;
  if (op.number % 3 == 0) {
    expect(event.set(), "set an event");
  } else if (op.number % 3 == 1) {
    expect(event.clear(), "clear an event");
  } else {
    expect(event.wait(deadline_of(Patience::kShort, op.number)), "wait for an event");
  }
}

// A round holds bytes of one pattern; how long it is says which.
void Worker::broadcast(const Op& op, Patience) {
  Broadcast& broadcast = *meetings_.broadcast;
  uint8_t bytes[kRoundBytes];
  if (op.number % 2 == 0) {
    const uint64_t length = op.number % kRoundBytes;
    fill_pattern(bytes, length, length);
    uint64_t round = 0;
    uint32_t woken = 0;
    expect(broadcast.publish(bytes, length, deadline_of(Patience::kShort, op.number), round, woken),
           "publish");
    return;
  }
  BroadcastRound round;
  const Status status = op.number % 3 == 0
                            ? broadcast.wait(deadline_of(Patience::kShort, op.number), bytes, round)
                            : broadcast.try_read(broadcast.round(), bytes, round);
  expect(status, "read a round");
  if (status == DRAGON_SUCCESS && !has_pattern(bytes, round.bytes, round.bytes)) {
    fail("a round does not have the bytes that were published");
  }
}

void Worker::condition(const Op& op, Patience) {
  Condition& condition = *meetings_.condition;
  uint32_t notified = 0;
  if (op.number % 2 == 0) return expect(condition.notify(1, notified), "notify");
  LockObject& lock = *locks_[kLocks];
  const Status held = lock.acquire(deadline_of(Patience::kShort, op.number));
  if (held != DRAGON_OWNER_DIED) expect(held, "acquire for a condition");
  if (held != DRAGON_SUCCESS && held != DRAGON_OWNER_DIED) return;
  expect(condition.wait(lock, deadline_of(Patience::kShort, op.number)), "wait at a condition");
  if (lock.release() != DRAGON_SUCCESS) fail("a condition gave the lock away");
}

// OWNER_DIED as long as no writer has ended after one that died.
void Worker::read(const Op& op, Patience patience) {
  RwLock& lock = *meetings_.rw_lock;
  Status status;
  {
    Noted noted(journal(), EntryKind::kOther, op.kind, step_, 0, patience, 0);
    status = noted.end(lock.read(deadline_of(patience, op.number)));
  }
  if (status != DRAGON_OWNER_DIED) expect(status, "read");
  if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) return;
  records_.readers[process_].store(static_cast<uint32_t>(::getpid()));
  if (status == DRAGON_SUCCESS && records_.writer.load() != 0) fail("a reader beside a writer");
  inside(op);
  records_.readers[process_].store(0);
  if (lock.end_read() != DRAGON_SUCCESS) fail("a reader that was put out");
}

void Worker::write(const Op& op, Patience patience) {
  RwLock& lock = *meetings_.rw_lock;
  Status status;
  {
    Noted noted(journal(), EntryKind::kOther, op.kind, step_, 0, patience, 0);
    status = noted.end(lock.write(deadline_of(patience, op.number)));
  }
  if (status != DRAGON_OWNER_DIED) expect(status, "write");
  if (status != DRAGON_SUCCESS && status != DRAGON_OWNER_DIED) return;
  const uint32_t before = records_.writer.exchange(process_);
  if (before != 0 && status == DRAGON_SUCCESS) fail("two writers");
  for (const auto& reader : records_.readers) {
    const uint32_t pid = reader.load();
    if (pid != 0 && runs(pid)) fail("a writer beside a reader");
  }
  inside(op);
  uint32_t mine = process_;
  if (!records_.writer.compare_exchange_strong(mine, 0)) fail("another writer came in");
  if (lock.end_write() != DRAGON_SUCCESS) fail("a writer that was put out");
}

// Nobody helps the queue along, so nobody waits for ever.
void Worker::queue(const Op& op, Patience patience) {
  const Patience brief = patience == Patience::kLong ? Patience::kShort : patience;
  if (op.number % 3 == 0) return put_item(op, brief);
  if (op.number % 3 == 1) return finish_item(op, brief);
  Noted noted(journal(), EntryKind::kOther, op.kind, step_, 0, brief, 0);
  const Status status = noted.end(meetings_.queue->join(deadline_of(brief, op.number)));
  if (status == DRAGON_OWNER_DIED) {
    meetings_.queue->forget_lost();
  } else {
    expect(status, "join a queue");
  }
}

void Worker::put_item(const Op& op, Patience patience) {
  const uint64_t id = next_message();
  std::vector<uint8_t> bytes(op.number);
  fill_pattern(bytes.data(), bytes.size(), id);
  const iovec part{bytes.data(), bytes.size()};
  Noted noted(journal(), EntryKind::kSend, op.kind, step_, kQueueChannel, patience, id);
  const Deadline deadline = deadline_of(patience, op.number);
  expect(noted.end(meetings_.queue->put(&part, 1, id, deadline)), "put an item");
}

// In this process's hand from the get on.
void Worker::finish_item(const Op& op, Patience patience) {
  ReceivedMessage item;
  Status status;
  {
    Noted noted(journal(), EntryKind::kReceive, op.kind, step_, kQueueChannel, patience, 0);
    const Deadline deadline = deadline_of(patience, op.number);
    status = meetings_.queue->get(buffer_.data(), deadline, item);
    if (status == DRAGON_SUCCESS) noted.message(id_of(item));
    expect(noted.end(status), "get an item");
  }
  if (status != DRAGON_SUCCESS) return;
  if (meetings_.queue->join(Deadline::once()) != DRAGON_WOULD_BLOCK) {
    fail("a join while an item is in hand");
  }
  end_receipt(item);
  if (meetings_.queue->task_done() != DRAGON_SUCCESS) fail("an item that was in nobody's hand");
}

}  // namespace dragon::proof
