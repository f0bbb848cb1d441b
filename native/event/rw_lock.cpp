#include "event/rw_lock.h"

#include <algorithm>

#include "channel/hand_over.h"

namespace dragon {

namespace {

constexpr uint64_t kActorMask = (1ull << 31) - 1;
constexpr uint64_t kDiedBit = 1ull << 31;
constexpr uint64_t kNumberOne = 1ull << 32;
constexpr uint64_t kNumberMask = ~(kNumberOne - 1);
constexpr uint64_t kCountOne = 1ull << 32;  // of a reader's word: how often it reads

ActorId actor_of(uint64_t word) {
  return static_cast<ActorId>(word & kActorMask);
}
uint32_t number_of(uint64_t writer) {
  return static_cast<uint32_t>(writer >> 32);
}
Status entered(uint64_t writer) {
  return (writer & kDiedBit) != 0 ? DRAGON_OWNER_DIED : DRAGON_SUCCESS;
}

}  // namespace

Status RwLock::create(const std::shared_ptr<Pool>& pool, uint32_t readers,
                      std::unique_ptr<RwLock>& out) {
  if (readers < 1 || readers > kRwReadersMax) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<RwLock> lock(new RwLock());
  const uint64_t bytes = sizeof(RwLockHeader) + sizeof(Word64) * readers;
  Status status = lock->begin_create(pool, HandleKind::kRwLock, bytes);
  if (status != DRAGON_SUCCESS) return status;
  lock->shared().capacity.store(readers);
  status = lock->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(lock);
  return status;
}

Status RwLock::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                      bool adopt, RecordId& adopted, std::unique_ptr<RwLock>& out) {
  std::unique_ptr<RwLock> lock(new RwLock());
  const Status status = lock->attach_to(node, HandleKind::kRwLock, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(lock);
  return status;
}

Word64& RwLock::reader(uint32_t index) const {
  return reinterpret_cast<Word64*>(base() + sizeof(RwLockHeader))[index];
}

bool RwLock::lives(ActorId actor, bool probe) const {
  ActorTable& actors = node().actors();
  return probe ? actors.probe(actor) : actors.alive(actor);
}

bool RwLock::someone_waits(const WaitPlace& place) const {
  return (ParkingLot::waiters_seq(*place.hint) & place.bit) != 0;
}

Status RwLock::try_read(bool probe) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  uint64_t writer = shared().writer.load();
  if (writes(writer, probe) || writer_goes_first(writer)) return DRAGON_WOULD_BLOCK;
  uint32_t index = 0;
  const Status table = enter_reader(probe, index);
  if (table != DRAGON_SUCCESS) return table;
  writer = shared().writer.load_seq();
  if (!writes(writer, probe)) return entered(writer);
  leave_reader(index);
  return DRAGON_WOULD_BLOCK;
}

Status RwLock::read(Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  return wait_for(read_place(), deadline, [this](bool probe) { return try_read(probe); });
}

Status RwLock::end_read() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  const uint32_t capacity = shared().capacity.load();
  for (uint32_t index = 0; index < capacity; ++index) {
    if (actor_of(reader(index).load()) != node().me().id) continue;
    leave_reader(index);
    return DRAGON_SUCCESS;
  }
  return DRAGON_NOT_OWNER;
}

Status RwLock::try_write(bool probe) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  RwLockHeader& header = shared();
  uint64_t found = header.writer.load();
  if (writes(found, probe)) return DRAGON_WOULD_BLOCK;
  const bool readers_turn =
      kept_for_another(header.kept_for_readers.load(), node().me().id, number_of(found));
  if (readers_turn && someone_waits(read_place())) return DRAGON_WOULD_BLOCK;
  if (reads(probe)) return DRAGON_WOULD_BLOCK;
  const uint64_t died = found & kDiedBit;
  uint64_t mine = ((found & kNumberMask) + kNumberOne) | died | node().me().id;
  if (!header.writer.cas_seq(found, mine)) return DRAGON_WOULD_BLOCK;
  if (!reads(probe)) return entered(mine);
  header.writer.cas_seq(mine, (mine & kNumberMask) | died);
  wake_after_writer();
  return DRAGON_WOULD_BLOCK;
}

Status RwLock::write(Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  const Status status =
      wait_for(write_place(), deadline, [this](bool probe) { return try_write(probe); });
  if (status == DRAGON_TIMEOUT) give_up_write();
  return status;
}

void RwLock::give_up_write() {
  if (!closed() && someone_waits(read_place())) node().lot().wake_all(read_place());
}

Status RwLock::end_write() {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  RwLockHeader& header = shared();
  uint64_t found = header.writer.load();
  do {
    if (actor_of(found) == 0) return DRAGON_NOT_OWNER;
    keep_for_first(node().lot(), read_place(), header.kept_for_readers, number_of(found));
  } while (!header.writer.cas_seq(found, found & kNumberMask));
  wake_after_writer();
  return DRAGON_SUCCESS;
}

void RwLock::wake_after_writer() {
  if (someone_waits(read_place())) node().lot().wake_all(read_place());
  if (someone_waits(write_place())) node().lot().wake_one(write_place());
}

// Whether somebody alive writes; takes a dead writer out of the word and remembers that it died.
bool RwLock::writes(uint64_t& writer, bool probe) {
  while (actor_of(writer) != 0) {
    if (lives(actor_of(writer), probe)) return true;
    const uint64_t without = (writer & kNumberMask) | kDiedBit;
    if (shared().writer.cas_seq(writer, without)) writer = without;
  }
  return false;
}

// Whether somebody alive reads; takes the dead out of the table.
bool RwLock::reads(bool probe) {
  const uint32_t capacity = shared().capacity.load();
  for (uint32_t index = 0; index < capacity; ++index) {
    uint64_t found = reader(index).load_seq();
    while (actor_of(found) != 0) {
      if (lives(actor_of(found), probe)) return true;
      if (reader(index).cas_seq(found, 0)) found = 0;
    }
  }
  return false;
}

// Whether readers that come now let a writer go first that waits: not in their turn, and not for
// one that waits for long since it is stopped.
bool RwLock::writer_goes_first(uint64_t writer) const {
  const ActorId me = node().me().id;
  if (kept_for_another(shared().kept_for_writer.load(), me, number_of(writer))) return true;
  const WaitPlace waiting = write_place();
  if (!someone_waits(waiting)) return false;
  if (kept_for_another(shared().kept_for_readers.load(), 0, number_of(writer))) return false;
  const ParkingLot::Head first = node().lot().head(waiting);
  if (first.owner == 0 || !node().actors().alive(first.owner)) return false;
  return now_ns() - first.since_ns < kLivenessLookNs || !node().actors().stopped(first.owner);
}

// FULL if as many actors read as may; WOULD_BLOCK if some of them were dead.
Status RwLock::enter_reader(bool probe, uint32_t& index) {
  const uint32_t capacity = shared().capacity.load();
  const ActorId me = node().me().id;
  // Eight words are a line: neighbours in the table of actors begin in different ones.
  const uint32_t first = actor_slot(me) * 8 % capacity;
  for (const bool own : {true, false}) {
    for (uint32_t step = 0; step < capacity; ++step) {
      index = (first + step) % capacity;
      uint64_t found = reader(index).load();
      if (own ? actor_of(found) != me : actor_of(found) != 0) {
        if (own && found == 0 && step == 0) break;
        continue;
      }
      const uint64_t wanted = own ? found + kCountOne : kCountOne | me;
      if (reader(index).cas_seq(found, wanted)) return DRAGON_SUCCESS;
    }
  }
  bool freed = false;
  for (uint32_t place = 0; place < capacity; ++place) {
    uint64_t found = reader(place).load();
    if (actor_of(found) == 0 || lives(actor_of(found), probe)) continue;
    freed = reader(place).cas_seq(found, 0) || freed;
  }
  return freed ? DRAGON_WOULD_BLOCK : DRAGON_FULL;
}

void RwLock::leave_reader(uint32_t index) {
  uint64_t found = reader(index).load();
  uint64_t left = 0;
  do {
    const bool last = found < 2 * kCountOne;
    left = last ? 0 : found - kCountOne;
  } while (!reader(index).cas_seq(found, left));
  if (left != 0) return;
  if (someone_waits(write_place())) {
    // Woken, it stands in the queue no more; readers let it go first all the same.
    const ParkingLot::Head first = node().lot().head(write_place());
    const uint32_t number = number_of(shared().writer.load());
    if (first.owner != 0) {
      shared().kept_for_readers.store(0);
      shared().kept_for_writer.store(kept_word(first.owner, now_ns() + kHandOverNs, number));
    }
    // The bit may be left over from a writer that gave up.
    if (node().lot().wake_one(write_place())) return;
  }
  if (someone_waits(read_place())) node().lot().wake_one(read_place());
}

ActorId RwLock::writer() const {
  return closed() ? 0 : actor_of(shared().writer.load());
}

uint32_t RwLock::readers() const {
  uint32_t count = 0;
  const uint32_t capacity = closed() ? 0 : shared().capacity.load();
  for (uint32_t index = 0; index < capacity; ++index) count += reader(index).load() != 0 ? 1 : 0;
  return count;
}

ActorId RwLock::writer_of(const AllocationInfo& object) {
  return actor_of(reinterpret_cast<const RwLockHeader*>(object.allocation.data)->writer.load());
}

std::vector<ActorId> RwLock::readers_of(const AllocationInfo& object, bool& all) {
  const auto* header = reinterpret_cast<const RwLockHeader*>(object.allocation.data);
  const auto* words = reinterpret_cast<const Word64*>(header + 1);
  const uint64_t room = (object.allocation.bytes - sizeof(RwLockHeader)) / sizeof(Word64);
  const uint64_t capacity = std::min<uint64_t>(header->capacity.load(), room);
  std::vector<ActorId> found;
  for (uint64_t index = 0; index < capacity; ++index) {
    const ActorId reader = actor_of(words[index].load());
    if (reader != 0) found.push_back(reader);
  }
  all = found.size() == capacity;
  return found;
}

bool RwLock::owner_died() const {
  return !closed() && (shared().writer.load() & kDiedBit) != 0;
}

// Those in the way are looked at in the kernel by looks that come after a while.
template <typename Try>
Status RwLock::wait_for(const WaitPlace& place, Deadline deadline, Try&& attempt) {
  const uint64_t began = now_ns();
  return wait_until(node().lot(), place, deadline, true, [&](SleepSteps& steps) {
    const uint64_t waited = now_ns() - began;
    // Nobody rings when the turn of the others is over.
    const uint64_t last = waited < kLivenessLookNs ? 2 * kHandOverNs : kHeldSleepNsMax;
    steps.next_ns = std::min(steps.next_ns, last);
    return attempt(waited >= kLivenessLookNs);
  });
}

}  // namespace dragon
