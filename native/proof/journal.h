// What the processes of a run write down, in memory that outlives them.
//
// It is no part of what is tested, so it is written with plain atomics that are no kill points: a
// process dies between two of its entries, never inside one.
#pragma once

#include <atomic>
#include <cstdint>

#include "memory/handle.h"
#include "proof/script.h"
#include "sync/deadline.h"

namespace dragon::proof {

// Process 0 is the watcher of the run, 1.. are its workers.
constexpr uint32_t kProcesses = kWorkersMax + 1;
constexpr uint32_t kEntriesMax = 4'096;
constexpr uint32_t kMailboxes = 4;

// process << 32 | number: a sender's messages are numbered in the order of its sends.
constexpr uint64_t message_id(uint32_t process, uint32_t number) {
  return static_cast<uint64_t>(process) << 32 | number;
}
constexpr uint32_t sender_of(uint64_t message) {
  return static_cast<uint32_t>(message >> 32);
}

enum class EntryKind : uint8_t {
  kSend,
  kReceive,
  kPop,    // received, nobody knows what
  kSeen,   // a poll that said whether the channel has a message: EMPTY, or SUCCESS
  kWatch,  // waits until any channel has one
  kOpen,   // a handle in a role, until kClose: `message` is the role
  kClose,
  kTake,
  kGive,
  kOther
};

struct Entry {
  EntryKind kind;
  uint8_t channel;
  uint8_t patience;
  uint8_t op;                  // OpKind
  std::atomic<uint32_t> done;  // 0 while the call runs, for ever if its process died in it
  uint32_t status;
  uint32_t step;  // index of the operation in its script
  uint64_t message;
  uint64_t begin_ns;
  uint64_t end_ns;
};

struct Journal {
  std::atomic<uint32_t> count;
  std::atomic<uint32_t> next_message;
  Entry entries[kEntriesMax];
  char fault[200];  // why the process gave up
};

struct Mailbox {
  std::atomic<uint32_t> state;  // 0 empty, 1 being used, 2 full
  HandleBytes handle;
};

struct Records {
  Journal journals[kProcesses];
  std::atomic<uint64_t> arm[kProcesses];      // kill point to arm before the next operation
  std::atomic<uint32_t> guards[kLocks];       // who is in the critical section
  std::atomic<uint32_t> writer;               // who is in it as a writer, died there, or nobody
  std::atomic<uint32_t> readers[kProcesses];  // pids of those that are in it as readers
  std::atomic<uint64_t> points;               // kill points that were passed, in all processes
  Mailbox mailboxes[kMailboxes];
};

// One entry from its begin to its end.
class Noted {
 public:
  Noted(Journal& journal, EntryKind kind, OpKind op, uint32_t step, uint32_t channel,
        Patience patience, uint64_t message)
      : entry_(journal.entries[journal.count.load() % kEntriesMax]) {
    entry_.kind = kind;
    entry_.op = static_cast<uint8_t>(op);
    entry_.step = step;
    entry_.channel = static_cast<uint8_t>(channel);
    entry_.patience = static_cast<uint8_t>(patience);
    entry_.message = message;
    entry_.status = DRAGON_SUCCESS;
    entry_.end_ns = 0;
    entry_.done.store(0);
    entry_.begin_ns = now_ns();
    journal.count.fetch_add(1);
  }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;

  void message(uint64_t id) { entry_.message = id; }
  Status end(Status status) {
    entry_.status = status;
    entry_.end_ns = now_ns();
    entry_.done.store(1);
    return status;
  }

 private:
  Entry& entry_;
};

// The bytes of a message or an allocation are made of its number.
inline uint8_t pattern_byte(uint64_t id, uint64_t at) {
  return static_cast<uint8_t>((id * 0x9e3779b97f4a7c15ull >> 40) + at * 7);
}
inline void fill_pattern(uint8_t* bytes, uint64_t length, uint64_t id) {
  for (uint64_t at = 0; at < length; ++at) bytes[at] = pattern_byte(id, at);
}
inline bool has_pattern(const uint8_t* bytes, uint64_t length, uint64_t id) {
  for (uint64_t at = 0; at < length; ++at) {
    if (bytes[at] != pattern_byte(id, at)) return false;
  }
  return true;
}

}  // namespace dragon::proof
