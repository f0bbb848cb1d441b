#include "proof/streams.h"

#include <algorithm>
#include <vector>

#include "memory/object.h"

namespace dragon::proof {

namespace {

struct Held {
  uint64_t role;
  uint64_t from_ns;
  uint64_t to_ns;
};

uint64_t last_sign_of_life(const Entry& entry) {
  return entry.done.load() != 0 ? entry.end_ns : entry.begin_ns;
}

// A process has one handle of a channel at a time.
void read_handles(const Journal& journal, uint32_t channel, std::vector<Held>& out) {
  const uint32_t count = std::min(journal.count.load(), kEntriesMax);
  bool open = false;
  Held held{};
  for (uint32_t at = 0; at < count; ++at) {
    const Entry& entry = journal.entries[at];
    if (open) held.to_ns = std::max(held.to_ns, last_sign_of_life(entry));
    const bool ended = entry.done.load() != 0;
    if (entry.channel != channel) continue;
    if (entry.kind == EntryKind::kOpen && ended && entry.status == DRAGON_SUCCESS) {
      held = {entry.message, entry.end_ns, entry.end_ns};
      open = true;
    } else if (entry.kind == EntryKind::kClose && open) {
      held.to_ns = entry.begin_ns;
      out.push_back(held);
      open = false;
    }
  }
  if (open) out.push_back(held);
}

}  // namespace

std::string compare_ends(const Records& records, uint32_t channel) {
  std::vector<Held> handles;
  for (const Journal& journal : records.journals) read_handles(journal, channel, handles);
  for (const Journal& journal : records.journals) {
    const uint32_t count = std::min(journal.count.load(), kEntriesMax);
    for (uint32_t at = 0; at < count; ++at) {
      const Entry& entry = journal.entries[at];
      const bool ended = entry.status == DRAGON_EOF || entry.status == DRAGON_BROKEN_PIPE;
      if (entry.done.load() == 0 || entry.channel != channel || !ended) continue;
      const auto other =
          static_cast<uint64_t>(entry.status == DRAGON_EOF ? Role::kSender : Role::kReceiver);
      const auto speaks_against = [&](const Held& held) {
        return held.role == other && held.from_ns < entry.begin_ns && held.to_ns > entry.end_ns;
      };
      if (std::none_of(handles.begin(), handles.end(), speaks_against)) continue;
      return std::string("a stream ended (") +
             dragon_status_name(static_cast<Status>(entry.status)) +
             ") while somebody had its other end open";
    }
  }
  return "";
}

}  // namespace dragon::proof
