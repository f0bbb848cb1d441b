#include "event/broadcast.h"

#include <algorithm>

#include "event/payload_copy.h"

namespace dragon {

namespace {

constexpr uint64_t kPublished = 1;
constexpr uint64_t kFilling = 2;
constexpr uint64_t kActorMask = (1ull << 31) - 1;
// Buffers beyond the rounds that stay readable, for writers to fill.
constexpr uint32_t kSpareBuffers = 3;

uint64_t round_of(uint64_t state) {
  return state >> 8;
}
uint32_t buffer_of(uint64_t state) {
  return static_cast<uint32_t>(state & 0xff);
}
uint64_t published(uint64_t round) {
  return round << 2 | kPublished;
}
bool is_published(uint64_t word) {
  return (word & 3) == kPublished;
}
bool is_filling(uint64_t word) {
  return (word & 3) == kFilling;
}
ActorId filler_of(uint64_t word) {
  return static_cast<ActorId>(word >> 2 & kActorMask);
}
// No two claims of one actor have the same word: it publishes a round between them, or leaves the
// buffer as it was.
uint64_t filling(ActorId actor, uint64_t round) {
  return round << 33 | static_cast<uint64_t>(actor) << 2 | kFilling;
}

uint64_t stride(uint32_t payload_bytes) {
  return round_up(sizeof(BroadcastBuffer) + payload_bytes, 64);
}

}  // namespace

Status Broadcast::create(const std::shared_ptr<Pool>& pool, const BroadcastOptions& options,
                         std::unique_ptr<Broadcast>& out) {
  const bool fits = options.payload_bytes <= kBroadcastPayloadMax && options.rounds >= 1 &&
                    options.rounds <= kBroadcastRoundsMax;
  if (!fits) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Broadcast> broadcast(new Broadcast());
  const uint32_t buffers = options.rounds + kSpareBuffers;
  const uint64_t bytes = sizeof(BroadcastHeader) + buffers * stride(options.payload_bytes);
  Status status = broadcast->begin_create(pool, HandleKind::kBroadcast, bytes);
  if (status != DRAGON_SUCCESS) return status;
  broadcast->shared().payload_bytes.store(options.payload_bytes);
  broadcast->shared().buffers.store(buffers);
  status = broadcast->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(broadcast);
  return status;
}

Status Broadcast::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                         bool adopt, RecordId& adopted, std::unique_ptr<Broadcast>& out) {
  std::unique_ptr<Broadcast> broadcast(new Broadcast());
  const Status status =
      broadcast->attach_to(node, HandleKind::kBroadcast, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(broadcast);
  return status;
}

BroadcastBuffer& Broadcast::buffer(uint32_t index) const {
  const uint64_t offset = sizeof(BroadcastHeader) + index * stride(payload_bytes());
  return *reinterpret_cast<BroadcastBuffer*>(base() + offset);
}

// Says PUBLISHED of the current round's buffer, in place of a writer that has not come to it.
void Broadcast::settle(uint64_t state) {
  if (round_of(state) == 0) return;
  Word64& word = buffer(buffer_of(state)).word;
  uint64_t found = word.load();
  // While the round is the last one nobody else may claim its buffer.
  if (!is_filling(found) || shared().state.load() != state) return;
  word.cas(found, published(round_of(state)));
}

// Takes the buffer that is worth least: an unused one, a dead writer's, or that of the oldest
// round.
bool Broadcast::claim(uint32_t& index, uint64_t& mine) {
  for (;;) {
    const uint64_t state = shared().state.load();
    settle(state);
    uint64_t best = UINT64_MAX;
    uint64_t found_word = 0;
    for (uint32_t i = 0; i < shared().buffers.load(); ++i) {
      const uint64_t found = buffer(i).word.load();
      uint64_t worth = 0;
      if (is_filling(found)) {
        if (node().actors().alive(filler_of(found))) continue;
      } else if (is_published(found)) {
        worth = found;
      }
      // A writer may have died after its round came to be the last one.
      if (worth >= best || (round_of(state) != 0 && i == buffer_of(shared().state.load())))
        continue;
      best = worth;
      index = i;
      found_word = found;
    }
    if (best == UINT64_MAX) return false;
    mine = filling(node().me().id, round_of(state));
    if (buffer(index).word.cas(found_word, mine)) return true;
  }
}

Status Broadcast::try_publish(const uint8_t* data, uint64_t bytes, uint64_t& round,
                              uint32_t& woken) {
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  if (bytes > payload_bytes()) return DRAGON_TOO_LARGE;
  uint32_t index = 0;
  uint64_t mine = 0;
  if (!claim(index, mine)) return DRAGON_WOULD_BLOCK;
  BroadcastBuffer& target = buffer(index);
  target.bytes.store(bytes);
  copy_in(target.payload(), data, bytes);
  uint64_t state = shared().state.load();
  do {
    settle(state);
    round = round_of(state) + 1;
  } while (!shared().state.cas(state, round << 8 | index));
  target.word.cas(mine, published(round));
  woken = 0;
  const uint32_t waiting = ParkingLot::waiters(*place().hint);
  if ((waiting & place().bit) != 0) woken = node().lot().wake_all(place());
  if ((waiting & buffer_place().bit) != 0) node().lot().wake_one(buffer_place());
  return DRAGON_SUCCESS;
}

Status Broadcast::publish(const uint8_t* data, uint64_t bytes, Deadline deadline, uint64_t& round,
                          uint32_t& woken) {
  if (closed()) return DRAGON_CLOSED;
  return wait_until(node().lot(), buffer_place(), deadline, true, [&](SleepSteps& steps) {
    // A reader that is dead or stopped in a buffer rings nobody.
    steps.next_ns = std::min(steps.next_ns, kHeldSleepNsMax);
    return try_publish(data, bytes, round, woken);
  });
}

// False if the buffer was taken for a new round meanwhile, or there is none to read now.
bool Broadcast::reader_copy(uint64_t round, uint8_t* to, BroadcastRound& out) {
  uint64_t best = UINT64_MAX;
  uint32_t index = 0;
  for (uint32_t i = 0; i < shared().buffers.load(); ++i) {
    const uint64_t found = buffer(i).word.load();
    if (!is_published(found) || found < published(round) || found >= best) continue;
    best = found;
    index = i;
  }
  if (best == UINT64_MAX) return false;
  BroadcastBuffer& source = buffer(index);
  out.bytes = source.bytes.load();
  if (out.bytes > payload_bytes()) return false;
  copy_out(to, source.payload(), out.bytes);
  out.round = best >> 2;
  out.missed = out.round - round;
  return source.word.load() == best;
}

Status Broadcast::try_read(uint64_t from, uint8_t* to, BroadcastRound& out) {
  const uint64_t round = from == 0 ? 1 : from;  // there is no round before the first
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    const uint64_t state = shared().state.load();
    if (round_of(state) < round) return DRAGON_WOULD_BLOCK;
    settle(state);
    if (reader_copy(round, to, out)) return DRAGON_SUCCESS;
  }
}

Status Broadcast::wait(Deadline deadline, uint8_t* to, BroadcastRound& out) {
  if (closed()) return DRAGON_CLOSED;
  const uint64_t next = round() + 1;
  return wait_until(node().lot(), place(), deadline, false,
                    [&] { return try_read(next, to, out); });
}

}  // namespace dragon
