#include "event/barrier.h"

#include <algorithm>

namespace dragon {

namespace {

constexpr uint64_t kActorMask = (1ull << 31) - 1;
constexpr uint64_t kBroken = 1ull << 63;
constexpr uint32_t kResetsMask = (1u << 31) - 1;
// How many arrivals one look asks the kernel about.
constexpr uint32_t kProbesMax = 16;

uint32_t generation_in(uint64_t state) {
  return static_cast<uint32_t>(state);
}
uint32_t resets_of(uint64_t state) {
  return static_cast<uint32_t>(state >> 32) & kResetsMask;
}
uint32_t next_generation(uint32_t generation) {
  return generation == UINT32_MAX ? 1 : generation + 1;
}
uint64_t state_word(uint32_t generation, uint32_t resets) {
  return static_cast<uint64_t>(resets & kResetsMask) << 32 | generation;
}

uint64_t arrival_by(ActorId actor, uint32_t generation) {
  return static_cast<uint64_t>(generation) << 31 | actor;
}
ActorId actor_of(uint64_t arrival) {
  return static_cast<ActorId>(arrival & kActorMask);
}
bool arrived_in(uint64_t arrival, uint32_t generation) {
  return actor_of(arrival) != 0 && static_cast<uint32_t>(arrival >> 31) == generation;
}

}  // namespace

Status Barrier::create(const std::shared_ptr<Pool>& pool, uint32_t parties, bool acts,
                       std::unique_ptr<Barrier>& out) {
  if (parties < 1 || parties > kBarrierPartiesMax) return DRAGON_INVALID_ARGUMENT;
  std::unique_ptr<Barrier> barrier(new Barrier());
  const uint64_t bytes = sizeof(BarrierHeader) + sizeof(Word64) * parties;
  Status status = barrier->begin_create(pool, HandleKind::kBarrier, bytes);
  if (status != DRAGON_SUCCESS) return status;
  barrier->shared().parties.store(parties);
  barrier->shared().flags.store(acts ? kBarrierActs : 0);
  barrier->shared().state.store(state_word(1, 0));
  status = barrier->end_create();
  if (status == DRAGON_SUCCESS) out = std::move(barrier);
  return status;
}

Status Barrier::attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Barrier>& out) {
  std::unique_ptr<Barrier> barrier(new Barrier());
  const Status status =
      barrier->attach_to(node, HandleKind::kBarrier, handle, length, adopt, adopted);
  if (status == DRAGON_SUCCESS) out = std::move(barrier);
  return status;
}

Word64& Barrier::arrival_word(uint32_t index) const {
  return reinterpret_cast<Word64*>(base() + sizeof(BarrierHeader))[index];
}

// Arrivals stand in order and none is taken back, so the first gap is found by halving.
uint32_t Barrier::arrived(uint32_t generation) const {
  uint32_t low = 0;
  uint32_t high = parties();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (arrived_in(arrival_word(middle).load(), generation)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Whoever finds all arrivals may end the generation: the last party may have died before that.
// Model: barrier.pml, end_generation.
bool Barrier::trip(uint64_t state) {
  const uint64_t next = state_word(next_generation(generation_in(state)), resets_of(state));
  if (!shared().state.replace(state, next)) return false;
  wake_all_lanes();
  return true;
}

bool Barrier::break_up(uint64_t state) {
  if (!shared().state.replace(state, state | kBroken)) return false;
  wake_all_lanes();
  return true;
}

// Model: barrier.pml, look_for_dead.
bool Barrier::someone_died(uint32_t generation, bool probe) {
  const uint32_t count = arrived(generation);
  // When all are there nobody is waited for but a last party that acts.
  const uint32_t first = acts() && count == parties() ? count - 1 : 0;
  for (uint32_t index = first; index < count; ++index) {
    const uint64_t word = arrival_word(index).load();
    if (arrived_in(word, generation) && !node().actors().alive(actor_of(word))) return true;
  }
  if (!probe) return false;
  for (uint32_t round = 0; round < std::min(count - first, kProbesMax); ++round) {
    const uint64_t word = arrival_word(first + probe_next_++ % (count - first)).load();
    if (arrived_in(word, generation) && !node().actors().probe(actor_of(word))) return true;
  }
  return false;
}

// Model: barrier.pml, from `arrive` on.
Status Barrier::arrive(bool only_as_last, Arrival& out) {
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    const uint64_t state = shared().state.load();
    if ((state & kBroken) != 0) return DRAGON_BARRIER_BROKEN;
    const uint32_t generation = generation_in(state);
    const uint32_t index = arrived(generation);
    if (index == parties() && !acts()) {
      trip(state);
      continue;
    }
    if (someone_died(generation, false)) {
      break_up(state);
      continue;
    }
    if (only_as_last && index != parties() - 1) return DRAGON_WOULD_BLOCK;
    if (index == parties()) {
      if (shared().state.load() != state) continue;
      return DRAGON_FULL;
    }
    uint64_t word = arrival_word(index).load();
    // A word of this generation, or of a later one: look again.
    if (shared().state.load() != state || arrived_in(word, generation)) continue;
    if (!arrival_word(index).cas(word, arrival_by(node().me().id, generation))) continue;
    out = {generation, resets_of(state), index};
    if (index == parties() - 1 && !acts()) trip(state);
    const Status result = outcome(out);
    if (result == DRAGON_WOULD_BLOCK) pending_.push_back(out);
    return result;
  }
}

// How the arrival's generation has ended, or WOULD_BLOCK. Model: barrier.pml, outcome and late.
Status Barrier::outcome(const Arrival& arrival) {
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    const uint64_t state = shared().state.load();
    if (resets_of(state) != arrival.resets) {
      const uint64_t end = shared().ends[arrival.resets % kBarrierEnds].load();
      const bool known = resets_of(end) == arrival.resets && generation_in(end) != 0;
      const bool tripped = known && generation_in(end) != arrival.generation;
      return tripped ? DRAGON_SUCCESS : DRAGON_BARRIER_BROKEN;
    }
    if (generation_in(state) != arrival.generation) return DRAGON_SUCCESS;
    if ((state & kBroken) != 0) return DRAGON_BARRIER_BROKEN;
    if (acts() || arrived(arrival.generation) < parties()) return DRAGON_WOULD_BLOCK;
    trip(state);
  }
}

Status Barrier::look(const Arrival& arrival, bool probe) {
  Status result = outcome(arrival);
  if (result == DRAGON_WOULD_BLOCK && someone_died(arrival.generation, probe)) {
    const uint64_t state = state_word(arrival.generation, arrival.resets);
    if (acts() || arrived(arrival.generation) < parties()) break_up(state);
    result = outcome(arrival);
  }
  if (result != DRAGON_WOULD_BLOCK) forget(arrival);
  return result;
}

Status Barrier::give_up(const Arrival& arrival) {
  forget(arrival);
  const Status result = outcome(arrival);
  if (result != DRAGON_WOULD_BLOCK) return result;
  break_up(state_word(arrival.generation, arrival.resets));
  return outcome(arrival);
}

Status Barrier::finish(const Arrival& arrival) {
  if (!is_acting(arrival)) return closed() ? DRAGON_CLOSED : DRAGON_STATE;
  forget(arrival);
  const Status status = usable();
  if (status != DRAGON_SUCCESS) return status;
  trip(state_word(arrival.generation, arrival.resets));
  return outcome(arrival);
}

void Barrier::forget(const Arrival& arrival) {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Arrival& one) {
    return one.generation == arrival.generation && one.index == arrival.index &&
           one.resets == arrival.resets;
  });
  if (found != pending_.end()) pending_.erase(found);
}

Status Barrier::enter(Deadline deadline, Arrival& out) {
  if (closed()) return DRAGON_CLOSED;
  Status arrived = DRAGON_FULL;
  const Status waited = wait_until(node().lot(), place(), deadline, false, [&] {
    arrived = arrive(out);
    return arrived == DRAGON_FULL ? DRAGON_WOULD_BLOCK : DRAGON_SUCCESS;
  });
  return arrived == DRAGON_FULL ? waited : arrived;
}

Status Barrier::wait(Deadline deadline, uint32_t& index) {
  if (closed()) return DRAGON_CLOSED;
  if (acts()) return DRAGON_NOT_SUPPORTED;
  Arrival arrival;
  const Status arrived = arrive(deadline.is_once(), arrival);
  index = arrival.index;
  if (arrived != DRAGON_WOULD_BLOCK || deadline.is_once()) return arrived;
  return wait_for(arrival, deadline);
}

Status Barrier::wait_for(const Arrival& arrival, Deadline deadline) {
  if (closed()) return DRAGON_CLOSED;
  uint64_t probe_at_ns = now_ns() + kLivenessLookNs;
  const Status status = wait_until(node().lot(), place(), deadline, false, [&](SleepSteps& steps) {
    steps.next_ns = std::min(steps.next_ns, kHeldSleepNsMax);
    const bool probe = now_ns() >= probe_at_ns;
    if (probe) probe_at_ns = now_ns() + kLivenessLookNs;
    return look(arrival, probe);
  });
  if (status == DRAGON_SUCCESS || status == DRAGON_BARRIER_BROKEN) return status;
  // Out of time, or of records to wait with: whoever leaves breaks the generation for all.
  return give_up(arrival) == DRAGON_SUCCESS ? DRAGON_SUCCESS : status;
}

Status Barrier::abort() {
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    const uint64_t state = shared().state.load();
    if ((state & kBroken) != 0 || break_up(state)) return DRAGON_SUCCESS;
  }
}

// Model: barrier.pml, Resetter.
Status Barrier::reset() {
  for (;;) {
    const Status status = usable();
    if (status != DRAGON_SUCCESS) return status;
    Word64& end = shared().ends[resets_of(shared().state.load()) % kBarrierEnds];
    uint64_t old = end.load();
    const uint64_t state = shared().state.load();
    const uint32_t generation = generation_in(state);
    const uint32_t resets = resets_of(state);
    if (&end != &shared().ends[resets % kBarrierEnds]) continue;
    if ((state & kBroken) == 0 && arrived(generation) == 0) return DRAGON_SUCCESS;
    // In one step also if it is not broken: who waits and comes again at once finds it fresh. The
    // same value whoever writes it for this state; the swap fails for one who comes too late.
    const uint64_t ended = state_word(generation, resets);
    if (old != ended && !end.cas(old, ended)) continue;
    const uint64_t next = state_word(next_generation(generation), resets + 1);
    if (!shared().state.replace(state, next)) continue;
    wake_all_lanes();
    return DRAGON_SUCCESS;
  }
}

bool Barrier::broken() {
  if (usable() != DRAGON_SUCCESS) return false;
  const uint64_t state = shared().state.load();
  if ((state & kBroken) != 0) return true;
  const uint32_t generation = generation_in(state);
  const bool waits = acts() || arrived(generation) < parties();
  return waits && someone_died(generation, false) && break_up(state);
}

uint32_t Barrier::waiting() const {
  const uint64_t state = closed() ? kBroken : shared().state.load();
  return (state & kBroken) != 0 ? 0 : arrived(generation_in(state));
}

uint32_t Barrier::missing(const AllocationInfo& object, std::vector<ActorId>& arrived) {
  auto& header = *reinterpret_cast<BarrierHeader*>(object.allocation.data);
  const auto* arrivals = reinterpret_cast<Word64*>(&header + 1);
  const uint64_t state = header.state.load();
  const uint32_t parties = header.parties.load();
  for (uint32_t index = 0; index < parties; ++index) {
    const uint64_t word = arrivals[index].load();
    if (arrived_in(word, generation_in(state))) arrived.push_back(actor_of(word));
  }
  return (state & kBroken) != 0 ? 0 : parties - static_cast<uint32_t>(arrived.size());
}

void Barrier::close() {
  if (!closed() && !node().closed()) {
    while (!pending_.empty()) give_up(Arrival(pending_.back()));
  }
  ManagedObject::close();
}

}  // namespace dragon
