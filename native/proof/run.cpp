#include "proof/run.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "proof/audit.h"
#include "proof/history.h"
#include "proof/received.h"
#include "proof/streams.h"
#include "sync/kill_points.h"

namespace dragon::proof {

namespace {

constexpr uint64_t kHelpNs = 2'000'000;
constexpr uint32_t kDrainMax = 1u << 20;

void reset(Records& records) {
  for (Journal& journal : records.journals) {
    journal.count.store(0);
    journal.next_message.store(0);
    journal.fault[0] = '\0';
  }
  for (auto& arm : records.arm) arm.store(0);
  for (auto& guard : records.guards) guard.store(0);
  records.writer.store(0);
  for (auto& reader : records.readers) reader.store(0);
  for (Mailbox& box : records.mailboxes) box.state.store(0);
}

}  // namespace

Run::Run(const RunPlan& plan, Records& records, Tally& tally)
    : plan_(plan), records_(records), tally_(tally), scene_(plan), buffer_(kChannelBlockBytesMax) {
  reset(records);
}

Run::~Run() {
  kill_all();
}

std::string Run::execute() {
  if (!scene_.fault.empty()) return scene_.fault;
  ++tally_.runs;
  start();
  watch();
  if (!fault_.empty()) {
    const std::string seen = state();
    kill_all();
    return fault_ + "\n" + seen;
  }
  return judge();
}

void Run::start() {
  began_ns_ = now_ns();
  for (uint32_t i = 0; i < plan_.channels.size(); ++i) {
    for (uint32_t k = 0; k < plan_.channels[i].prefill; ++k) offer(i);
  }
  for (uint32_t i = 0; i < plan_.workers.size(); ++i) {
    const WorkerPlan& worker = plan_.workers[i];
    const bool may_die = worker.fate != Fate::kLives && worker.fate != Fate::kStopped;
    fork_process(i + 1, worker.fate, may_die,
                 [&] { Worker(scene_, plan_, records_, i + 1).run(); });
    processes_.back().due_ns = now_ns() + worker.delay_us * uint64_t{1'000};
  }
}

template <typename Body>
void Run::fork_process(uint32_t number, Fate fate, bool may_die, Body&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  if (pid < 0) {
    fault_ = "fork failed";
    return;
  }
  Process process;
  process.pid = pid;
  process.number = number;
  process.fate = fate;
  process.may_die = may_die;
  process.running = true;
  processes_.push_back(process);
}

void Run::watch() {
  while (fault_.empty()) {
    wait_a_moment();
    scene_.serve();
    for (size_t i = 0; i < processes_.size(); ++i) {
      if (processes_[i].running) look_at(processes_[i]);
    }
    if (!fault_.empty()) return;
    recover();
    if (workers_done() && dead_.empty() && !reclaiming_) return;
    help();
    if (now_ns() - began_ns_ > plan_.hang_ns) fault_ = "a hang: the processes did not end";
  }
}

// A child's end is noticed within a millisecond at the latest; the broker's clients at once.
void Run::wait_a_moment() const {
  pollfd clients{scene_.node->broker()->fd(), POLLIN, 0};
  const timespec moment{0, 300'000};
  ::ppoll(&clients, 1, &moment, nullptr);
}

void Run::look_at(Process& process) {
  int status = 0;
  const pid_t ended = ::waitpid(process.pid, &status, WNOHANG | WUNTRACED);
  if (ended == 0) return act(process);
  if (ended == process.pid && WIFSTOPPED(status)) return on_stop(process);
  process.running = false;
  on_end(process, ended == process.pid ? status : -1);
}

void Run::on_stop(Process& process) {
  ++tally_.stops;
  process.stopped = true;
  process.due_ns = now_ns() + plan_.workers[process.number - 1].delay_us * uint64_t{1'000};
}

// What is due from outside: the shot, the continuation, the death of one that stands still.
void Run::act(Process& process) {
  if (now_ns() < process.due_ns) return;
  if (process.fate == Fate::kShot || (process.stopped && process.fate == Fate::kStoppedKilled)) {
    ::kill(process.pid, SIGKILL);
  } else if (process.stopped) {
    process.stopped = false;
    ::kill(process.pid, SIGCONT);
  }
}

void Run::on_end(Process& process, int status) {
  if (process.number == 0) reclaiming_ = false;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && process.may_die) {
    const bool first =
        process.number != 0 && plan_.workers[process.number - 1].fate != Fate::kLives;
    ++(first ? tally_.kills : tally_.seconds);
    if (dead_.empty()) died_ns_ = now_ns();
    dead_.push_back(process.pid);
    return;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    // Those that died since it began are the next one's.
    if (process.number == 0) dead_.erase(dead_.begin(), dead_.begin() + in_reclamation_);
    return;
  }
  const std::string who =
      process.number == 0 ? "the reclaimer" : "worker " + std::to_string(process.number);
  fault_ = who + " ended with status " + std::to_string(status);
  if (process.number != 0) fault_ += std::string(": ") + records_.journals[process.number].fault;
}

void Run::recover() {
  if (dead_.empty() || reclaiming_) return;
  if (plan_.second == SecondVictim::kSurvivor && !second_done_) {
    for (Process& process : processes_) {
      if (!process.running || process.number == 0 || process.fate != Fate::kLives) continue;
      second_done_ = true;
      process.may_die = true;
      records_.arm[process.number].store(plan_.second_point);
      break;
    }
  }
  const uint64_t due_ns = died_ns_ + plan_.recovery_delay_us * uint64_t{1'000};
  const bool late = plan_.recovery == Recovery::kLater && now_ns() < due_ns;
  const bool at_end = plan_.recovery == Recovery::kAtEnd;
  if ((late || at_end) && !workers_done()) return;
  const bool armed = plan_.second == SecondVictim::kReclaimer && !second_done_;
  if (armed) second_done_ = true;
  reclaiming_ = true;
  in_reclamation_ = static_cast<ptrdiff_t>(dead_.size());
  fork_process(0, Fate::kLives, armed, [&] {
    if (armed) kill_points_arm(plan_.second_point);
    std::shared_ptr<Node> node;
    if (Node::attach(scene_.dir, {}, node) != DRAGON_SUCCESS) ::_exit(2);
    for (const pid_t pid : dead_) {
      if (reclaim_process(node, pid) != DRAGON_SUCCESS) ::_exit(3);
    }
    leave(node);
  });
}

const Entry* Run::last_entry(uint32_t process) const {
  const Journal& journal = records_.journals[process];
  const uint32_t count = journal.count.load();
  return count == 0 ? nullptr : &journal.entries[(count - 1) % kEntriesMax];
}

// Who waits for ever waits for somebody who may have gone: the watcher then sends or receives.
void Run::help() {
  const uint64_t now = now_ns();
  if (now - helped_ns_ < kHelpNs) return;
  helped_ns_ = now;
  for (const Process& process : processes_) {
    if (!process.running || process.number == 0) continue;
    const Entry* entry = last_entry(process.number);
    if (entry == nullptr || entry->done.load() != 0) continue;
    const bool for_ever = entry->patience == static_cast<uint8_t>(Patience::kLong);
    if (for_ever && now > entry->begin_ns + kHelpNs) help_one(*entry);
  }
}

void Run::help_one(const Entry& entry) {
  // Who finds that nobody is left at the other end ends without help.
  if (entry.kind == EntryKind::kReceive && !has_ended(entry.channel, Role::kSender))
    offer(entry.channel);
  if (entry.kind == EntryKind::kWatch) offer(entry.channel);
  if (entry.kind == EntryKind::kTake) offer_permit();
  if (entry.kind != EntryKind::kSend) return;
  const bool waits_for_receipt = static_cast<OpKind>(entry.op) == OpKind::kAwaitReceipt;
  const bool ends = has_ended(entry.channel, Role::kReceiver) && !waits_for_receipt;
  if (!ends) drain(entry.channel, 1);
  // It may wait for memory, which the messages of other channels hold.
  if (now_ns() < entry.begin_ns + 5 * kHelpNs) return;
  for (uint32_t i = 0; i < scene_.channels.size(); ++i) {
    if (i != entry.channel) drain(i, 1);
  }
}

bool Run::has_ended(uint32_t channel, Role role) const {
  const Channel& of = *scene_.channels[channel];
  return plan_.channels[channel].end_of_stream && of.ever(role) && of.count(role) == 0;
}

// The dead may have had them all.
void Run::offer_permit() {
  Noted noted(records_.journals[0], EntryKind::kGive, OpKind::kPermit, 0, 0, Patience::kTry, 0);
  noted.end(scene_.meetings.semaphore->release(1));
}

void Run::offer(uint32_t channel) {
  Journal& journal = records_.journals[0];
  const uint64_t id = message_id(0, journal.next_message.fetch_add(1) + 1);
  uint8_t bytes[300];
  const uint64_t length = id % sizeof(bytes);
  fill_pattern(bytes, length, id);
  const iovec part{bytes, length};
  Noted noted(journal, EntryKind::kSend, OpKind::kSend, 0, channel, Patience::kTry, id);
  Channel& to = *scene_.channels[channel];
  // Of a stream that has ended, until somebody who waits has his message.
  RecordId receiver = 0;
  if (has_ended(channel, Role::kReceiver)) to.open_handle(Role::kReceiver, receiver);
  const Status status = noted.end(to.try_send(&part, 1, id));
  if (receiver != 0) to.close_handle(receiver);
  const bool ended = status == DRAGON_BROKEN_PIPE && plan_.channels[channel].end_of_stream;
  if (status != DRAGON_SUCCESS && !is_not_yet(status) && !ended)
    fault_ = fault_of("the watcher's send", status);
}

void Run::drain(uint32_t channel, uint32_t messages) {
  for (uint32_t i = 0; i < messages; ++i) {
    ReceivedMessage message;
    Noted noted(records_.journals[0], EntryKind::kReceive, OpKind::kReceive, 0, channel,
                Patience::kTry, 0);
    const Status status = scene_.channels[channel]->try_receive(buffer_.data(), message);
    if (status == DRAGON_SUCCESS) noted.message(id_of(message));
    noted.end(status);
    if (is_not_yet(status) || status == DRAGON_EOF) return;
    if (status == DRAGON_OBJECT_DESTROYED) continue;  // its payload was freed
    if (status != DRAGON_SUCCESS) {
      fault_ = fault_of("the watcher's receive", status);
      return;
    }
    if (!is_intact(message)) {
      fault_ = "a message that was left does not have the bytes that were sent";
    }
    Channel::release(message);
  }
}

// Takes what is left; then all is finished but what the dead had in hand.
std::string Run::finish_queue() {
  Queue& queue = *scene_.meetings.queue;
  for (;;) {
    ReceivedMessage item;
    Noted noted(records_.journals[0], EntryKind::kReceive, OpKind::kQueue, 0, kQueueChannel,
                Patience::kTry, 0);
    const Status status = queue.get(buffer_.data(), Deadline::once(), item);
    if (status == DRAGON_SUCCESS) noted.message(id_of(item));
    noted.end(status);
    if (status == DRAGON_EMPTY) break;
    if (status != DRAGON_SUCCESS) return fault_of("the watcher's get", status);
    if (!is_intact(item)) return "an item that was left has other bytes";
    Channel::release(item);
    if (queue.task_done() != DRAGON_SUCCESS) return "an item that was in nobody's hand";
  }
  Status status = queue.join(Deadline::once());
  if (status == DRAGON_OWNER_DIED && died_ns_ != 0) {
    queue.forget_lost();
    status = queue.join(Deadline::once());
  }
  if (status != DRAGON_SUCCESS) return fault_of("a join with nothing left", status);
  return compare_with_queue(records_, kQueueChannel);
}

bool Run::workers_done() const {
  return std::none_of(processes_.begin(), processes_.end(), [](const Process& process) {
    return process.running && process.number != 0;
  });
}

std::string Run::judge() {
  std::string fault = audit(scene_);
  for (uint32_t i = 0; i < scene_.channels.size() && fault.empty(); ++i) {
    drain(i, kDrainMax);
    fault = fault_;
    if (fault.empty()) fault = compare_with_queue(records_, i);
    if (fault.empty()) fault = compare_ends(records_, i);
    if (!fault.empty()) fault = "channel " + std::to_string(i) + ": " + fault;
  }
  if (fault.empty()) fault = finish_queue();
  if (fault.empty()) fault = compare_permits(records_, scene_.meetings.semaphore->value());
  if (fault.empty()) fault = audit_use(scene_);
  if (fault.empty()) fault = scene_.end();
  return fault;
}

void Run::kill_all() {
  for (Process& process : processes_) {
    if (!process.running) continue;
    ::kill(process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
    process.running = false;
  }
}

std::string Run::state() const {
  std::string text;
  char line[200];
  for (const Process& process : processes_) {
    const Entry* entry = last_entry(process.number);
    ::snprintf(line, sizeof(line), "  process %u (pid %d) %s%s", process.number, process.pid,
               process.running ? "runs" : "has ended", process.stopped ? ", stopped" : "");
    text += line;
    if (entry != nullptr && process.number != 0) {
      ::snprintf(line, sizeof(line), "; last: step %u %s on %u, %s", entry->step,
                 name_of(static_cast<OpKind>(entry->op)), entry->channel,
                 entry->done.load() != 0 ? "ended" : "not ended");
      text += line;
    }
    text += '\n';
  }
  for (const auto& channel : scene_.channels) {
    ::snprintf(line, sizeof(line), "  a channel with %llu messages of %u\n",
               static_cast<unsigned long long>(channel->message_count()), channel->capacity());
    text += line;
  }
  for (const auto& lock : scene_.locks) {
    ::snprintf(line, sizeof(line), "  a lock held by actor %u\n", lock->holder());
    text += line;
  }
  const PoolStats stats = scene_.pool->stats();
  ::snprintf(line, sizeof(line),
             "  a pool of %llu bytes: %llu used, %llu cached, largest free %llu\n",
             static_cast<unsigned long long>(stats.limit_bytes),
             static_cast<unsigned long long>(stats.used_bytes),
             static_cast<unsigned long long>(stats.cached_bytes),
             static_cast<unsigned long long>(stats.largest_free_bytes));
  text += line + ("  its audit: \"" + scene_.pool->audit() + "\"\n");
  WaitInfo wait;
  for (uint32_t index = 1; index < scene_.node->records().committed(); ++index) {
    if (!scene_.node->lot().info(index, wait)) continue;
    ::snprintf(line, sizeof(line), "  actor %u waits on %llx\n", wait.actor,
               static_cast<unsigned long long>(wait.key));
    text += line;
  }
  return text;
}

}  // namespace dragon::proof
