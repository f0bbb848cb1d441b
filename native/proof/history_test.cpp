// The judge of histories finds what a broken channel would show.
// variants: plain
#include "proof/history.h"

#include <doctest/doctest.h>

#include "proof/proof_fixture.h"

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
  Noted note(uint32_t process, EntryKind kind, uint64_t message) {
    return Noted((*records_).journals[process], kind, OpKind::kSend, 0, 0, Patience::kTry, message);
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
