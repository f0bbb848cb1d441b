#include "sync/parking.h"

#include <algorithm>
#include <vector>

#include "sync/futex.h"

namespace dragon {

namespace {

// Records that `head` looks at: it may walk in a list that changes.
constexpr uint32_t kHeadLooksMax = 64;

constexpr uint32_t word_of(WaitState state) {
  return static_cast<uint32_t>(state);
}

bool in_queue(uint32_t state) {
  return state == word_of(WaitState::kArmed) || state == word_of(WaitState::kSleeping);
}

bool is_wait(const Record& record) {
  return record.type.load() == static_cast<uint32_t>(RecordType::kWait);
}

ActorId owner_of(const Record& record) {
  return static_cast<ActorId>(record.owner.load());
}

}  // namespace

// What is needed to tell a waiter after the bucket was unlocked, when its record may be another's.
struct ParkingLot::Woken {
  uint32_t index = 0;
  ActorId owner = 0;
  bool by_bell = false;
  bool sleeping = false;
};

ParkingLot::ParkingLot(NodeSegment& segment, ActorTable& actors, const Actor& me, Bell& bell)
    : segment_(segment), actors_(actors), me_(me), bell_(bell), records_(segment) {}

Status ParkingLot::arm(const WaitPlace& place, WaitKind kind, uint64_t ticket, RecordId& out) {
  RecordId id = 0;
  const Status status = records_.claim(me_.id, id);
  if (status != DRAGON_SUCCESS) return status;
  Record& record = records_.of(id);
  record.key.store(place.key);
  const uint64_t now = now_ns();
  record.ticket.store(ticket == 0 ? now : ticket);
  record.since_ns.store(now);
  record.kind.store(static_cast<uint32_t>(kind));
  record.type.store(static_cast<uint32_t>(RecordType::kWait));
  Bucket& bucket = bucket_of(place.key);
  out = id;
  if (!lock(bucket)) {
    record.state.store(word_of(WaitState::kWoken));
    return DRAGON_SUCCESS;
  }
  enqueue(bucket, place, RecordArea::index_of(id));
  bucket.mutex.unlock();
  return DRAGON_SUCCESS;
}

void ParkingLot::rearm(const WaitPlace& place, RecordId id) {
  Bucket& bucket = bucket_of(place.key);
  if (!lock(bucket)) return;
  if (woken(id)) enqueue(bucket, place, RecordArea::index_of(id));
  bucket.mutex.unlock();
}

// Model: parking.pml, enqueue; each line is a step.
void ParkingLot::enqueue(Bucket& bucket, const WaitPlace& place, uint32_t index) {
  records_.at(index).state.store(word_of(WaitState::kArmed));
  insert(bucket, index);
  place.hint->fetch_or(place.bit);
  fence_seq();  // before the waiter's look
}

bool ParkingLot::woken(RecordId id) const {
  return records_.of(id).state.load() == word_of(WaitState::kWoken);
}

bool ParkingLot::cancel(RecordId id) {
  Record& record = records_.of(id);
  if (record.state.load() == word_of(WaitState::kWoken)) {
    records_.release(id);
    return true;
  }
  Bucket& bucket = bucket_of(record.key.load());
  if (!lock(bucket)) {
    uint32_t state = word_of(WaitState::kArmed);
    if (record.state.cas(state, word_of(WaitState::kAbandoned))) return false;
    records_.release(id);  // a blocked thread never cancels while it sleeps: it was woken
    return true;
  }
  const bool waits = in_queue(record.state.load());
  if (waits) {
    record.state.store(word_of(WaitState::kIdle));
    remove(bucket, RecordArea::index_of(id));
  }
  bucket.mutex.unlock();
  records_.release(id);
  return !waits;
}

Status ParkingLot::block(RecordId id, Deadline deadline, SleepSteps& steps) {
  Word32& state = records_.of(id).state;
  if (deadline.passed()) return DRAGON_TIMEOUT;
  // Model: parking.pml, from `sleep` on.
  if (!state.replace(word_of(WaitState::kArmed), word_of(WaitState::kSleeping))) {
    return DRAGON_SUCCESS;
  }
  futex_wait(state, word_of(WaitState::kSleeping),
             deadline.earlier(Deadline::after_ns(steps.next_ns)));
  if (!state.replace(word_of(WaitState::kSleeping), word_of(WaitState::kArmed))) {
    return DRAGON_SUCCESS;
  }
  if (deadline.passed()) return DRAGON_TIMEOUT;
  steps.next_ns = std::min(steps.next_ns * 2, kSleepStepNsMax);
  return DRAGON_WOULD_BLOCK;
}

// Model: parking.pml, wake_one: out of the queue, the state, the hint bit, the unlock, notify.
bool ParkingLot::wake_one(const WaitPlace& place) {
  Bucket& bucket = bucket_of(place.key);
  if (!lock(bucket)) return false;
  uint32_t index = find(bucket, bucket.head.load(), place.key);
  Woken woken;
  while (index != 0 && woken.index == 0) {
    const uint32_t next = find(bucket, records_.at(index).next.load(), place.key);
    woken = wake_locked(bucket, index);
    index = next;
  }
  if (index == 0) place.hint->fetch_and(~place.bit);
  bucket.mutex.unlock();
  notify(woken, false);
  return woken.index != 0;
}

ParkingLot::Head ParkingLot::head(const WaitPlace& place) const {
  uint32_t index = bucket_of(place.key).head.load();
  for (uint32_t looks = kHeadLooksMax; index != 0 && looks > 0; --looks) {
    if (index >= records_.committed()) break;
    const Record& record = records_.at(index);
    if (is_wait(record) && record.key.load() == place.key && in_queue(record.state.load())) {
      return {owner_of(record), record.since_ns.load()};
    }
    index = record.next.load();
  }
  return {};
}

uint32_t ParkingLot::wake_all(const WaitPlace& place) {
  Bucket& bucket = bucket_of(place.key);
  std::vector<Woken> woken;
  if (!lock(bucket)) return 0;
  uint32_t index = find(bucket, bucket.head.load(), place.key);
  while (index != 0) {
    const uint32_t next = records_.at(index).next.load();
    woken.push_back(wake_locked(bucket, index));
    index = find(bucket, next, place.key);
  }
  place.hint->fetch_and(~place.bit);
  bucket.mutex.unlock();
  for (const Woken& one : woken) notify(one, false);
  return static_cast<uint32_t>(woken.size());
}

// Model: parking.pml, recover.
uint32_t ParkingLot::wake_everyone() {
  uint32_t woken = 0;
  for (uint32_t number = 0; number < kBuckets; ++number) {
    Bucket& bucket = segment_.bucket(number);
    if (bucket.head.load() == 0 && bucket.mutex.holder() == 0) continue;
    if (!lock(bucket)) continue;
    while (const uint32_t index = bucket.head.load()) {
      if (records_.at(index).state.load() == word_of(WaitState::kAbandoned)) {
        remove(bucket, index);
        records_.release(records_.id_of(index));
        continue;
      }
      wake_locked(bucket, index);
      ++woken;
    }
    bucket.mutex.unlock();
  }
  // The hint bits stay set: they may only be wrong in that direction, and the next waker of the
  // lane clears them. Told are all that are woken: a waker may have died before it told them.
  for (uint32_t index = 1; index < records_.committed(); ++index) {
    const Record& record = records_.at(index);
    if (owner_of(record) == 0 || !is_wait(record)) continue;
    if (record.state.load() != word_of(WaitState::kWoken)) continue;
    Woken one = described(index);
    one.sleeping = true;
    notify(one, true);
  }
  return woken;
}

uint32_t ParkingLot::give_back(ActorId dead) {
  for (uint32_t number = 0; number < kBuckets; ++number) {
    Bucket& bucket = segment_.bucket(number);
    if (bucket.mutex.holder() == dead && lock(bucket)) bucket.mutex.unlock();
  }
  uint32_t records = 0;
  for (uint32_t index = 1; index < records_.committed(); ++index) {
    Record& record = records_.at(index);
    if (owner_of(record) != dead) continue;
    const auto type = static_cast<RecordType>(record.type.load());
    if (type == RecordType::kWait) {
      cancel(records_.id_of(index));
    } else if (type == RecordType::kNone) {
      records_.release(records_.id_of(index));
    } else {
      continue;
    }
    ++records;
  }
  return records;
}

bool ParkingLot::info(uint32_t index, WaitInfo& out) const {
  const Record& record = records_.at(index);
  out.actor = owner_of(record);
  if (out.actor == 0 || !is_wait(record) || !in_queue(record.state.load())) return false;
  out.key = record.key.load();
  out.since_ns = record.since_ns.load();
  out.kind = static_cast<WaitKind>(record.kind.load());
  return true;
}

const char* ParkingLot::audit() {
  size_t waiting = 0;
  for (uint32_t index = 1; index < records_.committed(); ++index) {
    const Record& record = records_.at(index);
    if (owner_of(record) != 0 && is_wait(record) && in_queue(record.state.load())) ++waiting;
  }
  size_t listed = 0;
  for (uint32_t number = 0; number < kBuckets; ++number) {
    Bucket& bucket = segment_.bucket(number);
    if (!lock(bucket)) return "a bucket is held by a stopped process";
    uint32_t previous = 0;
    for (uint32_t index = bucket.head.load(); index != 0 && listed <= waiting; ++listed) {
      const Record& record = records_.at(index);
      const bool belongs = is_wait(record) && in_queue(record.state.load()) &&
                           &bucket_of(record.key.load()) == &bucket &&
                           record.previous.load() == previous;
      if (!belongs) listed = waiting + 1;
      previous = index;
      index = record.next.load();
    }
    if (bucket.tail.load() != previous) listed = waiting + 1;
    bucket.mutex.unlock();
  }
  return listed == waiting ? "" : "the queues are not the records that wait";
}

// Model: parking.pml, lock.
bool ParkingLot::lock(Bucket& bucket) {
  const Status status = bucket.mutex.lock(me_, Deadline::once());
  if (status == DRAGON_OWNER_DIED) rebuild(bucket);
  return status != DRAGON_TIMEOUT;
}

// Makes the list anew from the states of all records whose key belongs to the bucket.
void ParkingLot::rebuild(Bucket& bucket) {
  bucket.head.store(0);
  bucket.tail.store(0);
  for (uint32_t index = 1; index < records_.committed(); ++index) {
    const Record& record = records_.at(index);
    if (owner_of(record) == 0 || !is_wait(record)) continue;
    const uint32_t state = record.state.load();
    const bool abandoned = state == word_of(WaitState::kAbandoned);
    if ((!in_queue(state) && !abandoned) || &bucket_of(record.key.load()) != &bucket) continue;
    insert(bucket, index);
  }
}

// Places a record by its ticket, looking from the end, where a new ticket belongs.
void ParkingLot::insert(Bucket& bucket, uint32_t index) {
  Record& record = records_.at(index);
  const uint64_t ticket = record.ticket.load();
  uint32_t previous = bucket.tail.load();
  while (previous != 0 && records_.at(previous).ticket.load() > ticket) {
    previous = records_.at(previous).previous.load();
  }
  const uint32_t next = previous == 0 ? bucket.head.load() : records_.at(previous).next.load();
  record.previous.store(previous);
  record.next.store(next);
  (previous == 0 ? bucket.head : records_.at(previous).next).store(index);
  (next == 0 ? bucket.tail : records_.at(next).previous).store(index);
}

void ParkingLot::remove(Bucket& bucket, uint32_t index) {
  const Record& record = records_.at(index);
  const uint32_t previous = record.previous.load();
  const uint32_t next = record.next.load();
  (previous == 0 ? bucket.head : records_.at(previous).next).store(next);
  (next == 0 ? bucket.tail : records_.at(next).previous).store(previous);
}

// The first waiter for the key from `from` on; frees what was abandoned on the way.
uint32_t ParkingLot::find(Bucket& bucket, uint32_t from, uint64_t key) {
  uint32_t index = from;
  while (index != 0) {
    Record& record = records_.at(index);
    const uint32_t next = record.next.load();
    if (record.state.load() == word_of(WaitState::kAbandoned)) {
      remove(bucket, index);
      records_.release(records_.id_of(index));
    } else if (record.key.load() == key) {
      return index;
    }
    index = next;
  }
  return 0;
}

ParkingLot::Woken ParkingLot::described(uint32_t index) const {
  const Record& record = records_.at(index);
  Woken woken;
  woken.index = index;
  woken.owner = owner_of(record);
  woken.by_bell = record.kind.load() != static_cast<uint32_t>(WaitKind::kBlocked);
  return woken;
}

// Nobody is woken (index 0) if the waiter has given the record up meanwhile.
ParkingLot::Woken ParkingLot::wake_locked(Bucket& bucket, uint32_t index) {
  Record& record = records_.at(index);
  Woken woken = described(index);
  // The state last: from then on the record is its owner's, who may free it at once. Who dies
  // before that leaves a record that still waits, and a mutex whose next holder lists it again.
  remove(bucket, index);
  uint32_t before = record.state.load();
  while (before != word_of(WaitState::kAbandoned)) {
    if (!record.state.cas(before, word_of(WaitState::kWoken))) continue;
    woken.sleeping = before == word_of(WaitState::kSleeping);
    return woken;
  }
  records_.release(records_.id_of(index));
  return {};
}

void ParkingLot::notify(const Woken& woken, bool force) {
  if (woken.index == 0) return;
  if (woken.by_bell) {
    bell_.ring(woken.owner, force);
  } else if (woken.sleeping) {
    futex_wake(records_.at(woken.index).state, 1);
  }
}

}  // namespace dragon
