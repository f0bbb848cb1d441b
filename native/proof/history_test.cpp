// The judge of histories finds what a broken channel would show.
// variants: plain
#include "proof/history.h"

#include <doctest/doctest.h>

#include "memory/object.h"
#include "proof/proof_fixture.h"
#include "proof/streams.h"

using namespace dragon;
using namespace dragon::proof;

namespace {

// Histories are told in the order of their times: each call takes one tick.
class History {
 public:
  void send(uint32_t process, uint32_t number, Status status = DRAGON_SUCCESS) {
    note(process, EntryKind::kSend, message_id(process, number)).end(status);
    stamp(process);
  }
  void send_as(OpKind op, uint32_t process, uint32_t number, Status status = DRAGON_SUCCESS) {
    note(process, EntryKind::kSend, message_id(process, number), op).end(status);
    stamp(process);
  }
  void end(uint32_t process, EntryKind kind, Status status, uint64_t message = 0) {
    note(process, kind, message).end(status);
    stamp(process);
  }
  // As if the call had begun with the one before.
  void prolong(uint32_t process) {
    Journal& journal = (*records_).journals[process];
    journal.entries[journal.count.load() - 1].begin_ns -= 2;
  }
  std::string judge_ends() { return compare_ends(*records_, 0); }
  void die_sending(uint32_t process, uint32_t number) {
    note(process, EntryKind::kSend, message_id(process, number));
    stamp(process);
  }
  void receive(uint32_t process, uint64_t message) {
    note(process, EntryKind::kReceive, message).end(DRAGON_SUCCESS);
    stamp(process);
  }
  void find_empty(uint32_t process) {
    note(process, EntryKind::kReceive, 0).end(DRAGON_EMPTY);
    stamp(process);
  }
  void die_receiving(uint32_t process) {
    note(process, EntryKind::kReceive, 0);
    stamp(process);
  }
  std::string judge() { return compare_with_queue(*records_, 0); }
  bool finds(const std::string& part) {
    const std::string fault = judge();
    INFO("the judge says: ", fault);
    return fault.find(part) != std::string::npos;
  }

 private:
  Noted note(uint32_t process, EntryKind kind, uint64_t message, OpKind op = OpKind::kSend) {
    return Noted((*records_).journals[process], kind, op, 0, 0, Patience::kTry, message);
  }
  void stamp(uint32_t process) {
    Journal& journal = (*records_).journals[process];
    Entry& entry = journal.entries[journal.count.load() - 1];
    entry.begin_ns = ++now_;
    entry.end_ns = ++now_;
  }
  SharedRecords records_;
  uint64_t now_ = 0;
};

}  // namespace

TEST_CASE_FIXTURE(History, "messages that arrive once and in order are no fault [PRF-003]") {
  send(1, 1);
  send(2, 1);
  send(1, 2);
  send(1, 3, DRAGON_FULL);
  receive(3, message_id(2, 1));
  receive(2, message_id(1, 1));
  receive(3, message_id(1, 2));
  find_empty(3);
  CHECK(judge() == "");
}

TEST_CASE_FIXTURE(History, "a lost message is a fault, unless a receiver died with it [PRF-003]") {
  send(1, 1);
  send(1, 2);
  receive(2, message_id(1, 1));
  CHECK(finds("message 2 of process 1 was sent and never received"));
  die_receiving(3);
  CHECK(judge() == "");
}

TEST_CASE_FIXTURE(History, "a message that comes twice, or from nowhere, is a fault [PRF-003]") {
  send(1, 1);
  receive(2, message_id(1, 1));
  SUBCASE("twice") {
    receive(3, message_id(1, 1));
    CHECK(finds("received twice"));
  }
  SUBCASE("never sent") {
    receive(3, message_id(1, 2));
    CHECK(finds("received and not sent"));
  }
  SUBCASE("a send that said FULL") {
    send(1, 2, DRAGON_FULL);
    receive(3, message_id(1, 2));
    CHECK(finds("received and not sent"));
  }
  SUBCASE("but one whose sender died in the call may come") {
    die_sending(1, 2);
    receive(3, message_id(1, 2));
    CHECK(judge() == "");
  }
}

TEST_CASE_FIXTURE(History, "an overtaken message is a fault, for one receiver or two [PRF-003]") {
  send(1, 1);
  send(1, 2);
  receive(2, message_id(1, 2));
  SUBCASE("the same receiver") {
    receive(2, message_id(1, 1));
  }
  SUBCASE("another receiver, later") {
    receive(3, message_id(1, 1));
  }
  CHECK(finds("message 2 of process 1 overtook message 1"));
}

TEST_CASE_FIXTURE(History, "a channel found empty with a message in it is a fault [PRF-003]") {
  send(1, 1);
  find_empty(2);
  receive(2, message_id(1, 1));
  CHECK(finds("found empty while message 1 of process 1 was in it"));
}

TEST_CASE_FIXTURE(History, "a pop takes one message and no more [PRF-003]") {
  send(1, 1);
  end(2, EntryKind::kPop, DRAGON_SUCCESS);
  CHECK(judge() == "");
  end(2, EntryKind::kPop, DRAGON_SUCCESS);
  CHECK(finds("more messages were popped than were sent"));
}

TEST_CASE_FIXTURE(History, "a sender that is back before the receipt is a fault [PRF-023]") {
  send_as(OpKind::kAwaitReceipt, 1, 1);
  receive(2, message_id(1, 1));
  SUBCASE("one that is back too early") {
    CHECK(finds("the sender of message 1 of process 1 was back before it was received"));
  }
  SUBCASE("one that is back while the receiver is") {
    prolong(2);
    CHECK(judge() == "");
  }
}

TEST_CASE_FIXTURE(History, "a message that was taken back and comes is a fault [PRF-023]") {
  send_as(OpKind::kAwaitReceipt, 1, 1, DRAGON_TIMEOUT);
  CHECK(judge() == "");
  receive(2, message_id(1, 1));
  CHECK(finds("received and not sent"));
}

TEST_CASE_FIXTURE(History, "only a message with a lent payload may come without it [PRF-024]") {
  send(1, 1);
  send_as(OpKind::kSendLent, 1, 2);
  receive(2, message_id(1, 1));
  end(2, EntryKind::kReceive, DRAGON_OBJECT_DESTROYED);
  CHECK(judge() == "");
  send(1, 3);
  end(2, EntryKind::kReceive, DRAGON_OBJECT_DESTROYED);
  CHECK(finds("message 3 of process 1 was sent and never received"));
}

TEST_CASE_FIXTURE(History, "an end of the stream with its other end open is a fault [PRF-025]") {
  const auto sender = static_cast<uint64_t>(Role::kSender);
  end(1, EntryKind::kOpen, DRAGON_SUCCESS, sender);
  end(2, EntryKind::kReceive, DRAGON_EOF);
  CHECK(judge_ends() == "");  // maybe the opener died before
  SUBCASE("for a receiver") {
    end(1, EntryKind::kClose, DRAGON_SUCCESS, sender);
    CHECK(judge_ends().find("a stream ended (EOF)") == 0);
  }
  SUBCASE("but not for a sender") {
    end(2, EntryKind::kSend, DRAGON_BROKEN_PIPE);
    end(2, EntryKind::kReceive, DRAGON_EMPTY);
    CHECK(judge_ends() == "");
  }
}

TEST_CASE_FIXTURE(History, "a set that sees what is not there is a fault [PRF-026]") {
  end(2, EntryKind::kSeen, DRAGON_SUCCESS);
  SUBCASE("before any send") {
    CHECK(finds("a message was seen while there was none"));
    send(1, 1);
    receive(2, message_id(1, 1));
    CHECK(finds("a message was seen while there was none"));
  }
  SUBCASE("while one was there and was taken back") {
    send_as(OpKind::kAwaitReceipt, 1, 1, DRAGON_TIMEOUT);
    end(2, EntryKind::kSeen, DRAGON_EMPTY);
    CHECK(finds("a message was seen"));
    prolong(1);
    CHECK(judge() == "");
  }
}

TEST_CASE_FIXTURE(History, "a set that misses what is there is a fault [PRF-026]") {
  send(1, 1);
  end(2, EntryKind::kSeen, DRAGON_EMPTY);
  receive(2, message_id(1, 1));
  CHECK(finds("found empty while message 1 of process 1 was in it"));
}
