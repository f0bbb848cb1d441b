#include "proof/history.h"

#include <algorithm>
#include <map>
#include <vector>

#include "proof/scene.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kNeverNs = UINT64_MAX;

// One message, from its send to its receive.
struct Passage {
  uint64_t id = 0;
  bool sure = false;     // its send returned
  bool lent = false;     // its payload may be freed before it is received
  bool receipt = false;  // its send was back when it was received
  uint64_t put_ns = 0;   // the send began
  uint64_t sent_ns = 0;
  uint64_t begin_ns = kNeverNs;  // of the receive
  uint64_t end_ns = kNeverNs;
  uint32_t receiver = 0;
  uint32_t place = 0;  // in its receiver's journal
  bool received() const { return begin_ns != kNeverNs; }
};

// A call that found the channel empty, or not.
struct Look {
  uint64_t begin_ns;
  uint64_t end_ns;
};

std::string name_of(uint64_t id) {
  return "message " + std::to_string(static_cast<uint32_t>(id)) + " of process " +
         std::to_string(sender_of(id));
}

class Comparison {
 public:
  Comparison(const Records& records, uint32_t channel) : records_(records), channel_(channel) {}

  std::string run() {
    for (uint32_t process = 0; process < kProcesses; ++process) read_sends(process);
    for (uint32_t process = 0; process < kProcesses; ++process) read_receives(process);
    if (!fault_.empty()) return fault_;
    check_losses();
    if (fault_.empty()) check_receipts();
    if (fault_.empty()) check_order();
    if (fault_.empty()) check_empty();
    if (fault_.empty()) check_seen();
    return fault_;
  }

 private:
  template <typename Visit>
  void each(uint32_t process, EntryKind kind, Visit visit) {
    const Journal& journal = records_.journals[process];
    const uint32_t count = std::min(journal.count.load(), kEntriesMax);
    for (uint32_t at = 0; at < count; ++at) {
      const Entry& entry = journal.entries[at];
      if (entry.kind == kind && entry.channel == channel_) visit(entry, at);
    }
  }

  void read_sends(uint32_t process) {
    each(process, EntryKind::kSend, [&](const Entry& entry, uint32_t) {
      const bool ended = entry.done.load() != 0;
      const bool receipt = entry.op == static_cast<uint8_t>(OpKind::kAwaitReceipt);
      if (ended && entry.status != DRAGON_SUCCESS) {
        if (receipt) visits_.push_back({entry.begin_ns, entry.end_ns});
        return;
      }
      Passage& passage = passages_[entry.message];
      passage.id = entry.message;
      passage.sure = ended;
      passage.receipt = receipt && ended;
      passage.lent = entry.op == static_cast<uint8_t>(OpKind::kSendLent);
      passage.put_ns = entry.begin_ns;
      passage.sent_ns = ended ? entry.end_ns : kNeverNs;
    });
  }

  // What all calls have in common that look at the head; whether they ended.
  bool read_look(const Entry& entry) {
    if (entry.done.load() == 0) return false;
    const Look look{entry.begin_ns, entry.end_ns};
    if (entry.status == DRAGON_EMPTY || entry.status == DRAGON_EOF) looks_.push_back(look);
    return true;
  }

  void read_receives(uint32_t process) {
    each(process, EntryKind::kSeen, [&](const Entry& entry, uint32_t) {
      if (read_look(entry) && entry.status == DRAGON_SUCCESS) {
        seen_.push_back({entry.begin_ns, entry.end_ns});
      }
    });
    each(process, EntryKind::kPop, [&](const Entry& entry, uint32_t) {
      if (!read_look(entry))
        ++died_receiving_;
      else if (entry.status == DRAGON_SUCCESS)
        ++popped_;
    });
    each(process, EntryKind::kReceive, [&](const Entry& entry, uint32_t at) {
      if (!read_look(entry)) {
        ++died_receiving_;
        return;
      }
      if (entry.status == DRAGON_OBJECT_DESTROYED) ++destroyed_;
      if (entry.status != DRAGON_SUCCESS) return;
      const auto found = passages_.find(entry.message);
      if (found == passages_.end()) {
        fault_ = name_of(entry.message) + " was received and not sent";
      } else if (found->second.received()) {
        fault_ = name_of(entry.message) + " was received twice";
      } else {
        Passage& passage = found->second;
        passage.begin_ns = entry.begin_ns;
        passage.end_ns = entry.end_ns;
        passage.receiver = process;
        passage.place = at;
      }
    });
  }

  // A receiver that died in its call may have taken one message with it. Only messages with lent
  // payloads may come without theirs.
  void check_losses() {
    uint32_t lost = 0;
    uint32_t lost_lent = 0;
    uint32_t maybe = 0;
    uint32_t lent = 0;
    uint64_t which = 0;
    for (const auto& [id, passage] : passages_) {
      if (passage.received()) continue;
      ++maybe;
      if (passage.lent) ++lent;
      if (!passage.sure) continue;
      ++(passage.lent ? lost_lent : lost);
      if (!passage.lent || which == 0) which = id;
    }
    const uint32_t taken = died_receiving_ + popped_;
    if (lost > taken || lost + lost_lent > taken + destroyed_) {
      fault_ = name_of(which) + " was sent and never received (" +
               std::to_string(lost + lost_lent) + " lost, " + std::to_string(popped_) +
               " popped, " + std::to_string(destroyed_) + " without their payload, " +
               std::to_string(died_receiving_) + " receivers died in the call)";
    } else if (destroyed_ > lent) {
      fault_ = "a message without its payload was received, and nobody had freed it";
    } else if (popped_ + destroyed_ > maybe) {
      fault_ = "more messages were popped than were sent";
    }
  }

  // Who waits for the receipt is not back before.
  void check_receipts() {
    for (const auto& [id, passage] : passages_) {
      if (!passage.receipt || !passage.received() || passage.begin_ns <= passage.sent_ns) continue;
      fault_ = "the sender of " + name_of(id) + " was back before it was received";
    }
  }

  // There was one, if somebody says so.
  void check_seen() {
    for (const Look& look : seen_) {
      const auto there = [&](const auto& each) {
        return each.second.put_ns <= look.end_ns && each.second.end_ns >= look.begin_ns;
      };
      const auto passing = [&](const Look& visit) {
        return visit.begin_ns <= look.end_ns && visit.end_ns >= look.begin_ns;
      };
      if (std::any_of(passages_.begin(), passages_.end(), there)) continue;
      if (std::any_of(visits_.begin(), visits_.end(), passing)) continue;
      fault_ = "a message was seen while there was none";
    }
  }

  static bool overtaken(const Passage& first, const Passage& second) {
    if (second.end_ns < first.begin_ns) return true;
    return first.receiver == second.receiver && second.place < first.place;
  }

  void check_order() {
    for (auto first = passages_.begin(); first != passages_.end(); ++first) {
      if (!first->second.received()) continue;
      for (auto second = std::next(first); second != passages_.end(); ++second) {
        if (sender_of(second->first) != sender_of(first->first)) break;
        if (!second->second.received() || !overtaken(first->second, second->second)) continue;
        fault_ = name_of(second->first) + " overtook " + name_of(first->first);
        return;
      }
    }
  }

  void check_empty() {
    for (const Look& look : looks_) {
      for (const auto& [id, passage] : passages_) {
        const bool there = passage.sure && passage.sent_ns < look.begin_ns && passage.received() &&
                           passage.begin_ns > look.end_ns;
        if (!there) continue;
        fault_ = "the channel was found empty while " + name_of(id) + " was in it";
        return;
      }
    }
  }

  const Records& records_;
  const uint32_t channel_;
  std::map<uint64_t, Passage> passages_;  // by sender, then in the order of the sends
  std::vector<Look> looks_;               // that found it empty
  std::vector<Look> seen_;                // that found it not empty
  std::vector<Look> visits_;  // messages that were put in and taken back by their senders
  uint32_t died_receiving_ = 0;
  uint32_t popped_ = 0;
  uint32_t destroyed_ = 0;
  std::string fault_;
};

}  // namespace

std::string compare_with_queue(const Records& records, uint32_t channel) {
  return Comparison(records, channel).run();
}

std::string compare_permits(const Records& records, uint64_t value) {
  int64_t expected = kPermits;
  int64_t unsure = 0;
  for (const Journal& journal : records.journals) {
    const uint32_t count = std::min(journal.count.load(), kEntriesMax);
    for (uint32_t at = 0; at < count; ++at) {
      const Entry& entry = journal.entries[at];
      if (entry.kind != EntryKind::kTake && entry.kind != EntryKind::kGive) continue;
      const bool done = entry.done.load() != 0;
      unsure += done ? 0 : 1;
      if (!done || entry.status != DRAGON_SUCCESS) continue;
      expected += entry.kind == EntryKind::kGive ? 1 : -1;
    }
  }
  const int64_t apart = static_cast<int64_t>(value) - expected;
  if (apart >= -unsure && apart <= unsure) return "";
  return "the semaphore has " + std::to_string(value) + " permits instead of " +
         std::to_string(expected) + ", give or take " + std::to_string(unsure);
}

}  // namespace dragon::proof
