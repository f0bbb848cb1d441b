// Barriers: a fixed number of parties that go on when all have arrived.
//
// An arrival is one compare-and-swap of a word that then names the actor and the generation;
// arrivals stand in order, so the last one tells that all are there. The state word decides how a
// generation ends: it trips (the next generation) or breaks, by one compare-and-swap that any
// party may make. A party that dies in between leaves its arrival, which counts until somebody
// looks and breaks the generation; one that never looks again holds nobody up.
//
// A reset ends a generation, broken or not, for those that wait. Since a party may look only after
// others have gone on, the last generation of each of the last resets is kept: so it still learns
// how its own one ended.
//
// Model: spec/models/barrier.pml.
//
// A barrier may be made so that its last party acts before the others go on. Then nobody but that
// party trips the generation; who comes meanwhile stands outside until it has ended.
//
// Goals: one step for arriving and one for ending, so no death or stop wedges a later generation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "channel/managed_object.h"

namespace dragon {

constexpr uint32_t kBarrierPartiesMax = 16384;
constexpr uint32_t kBarrierEnds = 8;
constexpr uint32_t kBarrierActs = 1;

struct BarrierHeader {
  ObjectHeader object;
  Word64 state;  // bits 0..31 generation, never 0; 32..62 resets; 63 broken
  Word32 parties;
  Word32 flags;
  Word64 spare64[2];
  // Of the reset r, at r % 8: bits 0..31 the generation that it ended, 32..62 r.
  Word64 ends[kBarrierEnds];
};
static_assert(sizeof(BarrierHeader) == 128 && offsetof(BarrierHeader, ends) == 64);
// Behind the header `parties` arrivals: bits 0..30 actor, 31..62 generation.

class Barrier : public ManagedObject {
 public:
  // One arrival: its index is the place in which it came, 0 .. parties-1.
  struct Arrival {
    uint32_t generation = 0;
    uint32_t resets = 0;
    uint32_t index = 0;
  };

  ~Barrier() override { close(); }
  static constexpr uint32_t kLaneEnd = 0;

  // INVALID_ARGUMENT unless 1 <= parties <= kBarrierPartiesMax.
  static Status create(const std::shared_ptr<Pool>& pool, uint32_t parties,
                       std::unique_ptr<Barrier>& out) {
    return create(pool, parties, false, out);
  }
  // With `acts` the last party of each generation ends it, by `finish`.
  static Status create(const std::shared_ptr<Pool>& pool, uint32_t parties, bool acts,
                       std::unique_ptr<Barrier>& out);
  static Status attach(const std::shared_ptr<Node>& node, const uint8_t* handle, size_t length,
                       bool adopt, RecordId& adopted, std::unique_ptr<Barrier>& out);

  // Arrives and waits for the others. TIMEOUT at the deadline, which breaks the barrier for all;
  // BARRIER_BROKEN. With `once`, passes as the last party or is WOULD_BLOCK without arriving.
  // NOT_SUPPORTED if the last party acts: take the steps.
  Status wait(Deadline deadline, uint32_t& index);
  // The steps of a wait, for event loops: arrive, then look until that is not WOULD_BLOCK, or give
  // up, which breaks the barrier unless all have arrived and returns what the wait comes to.
  // If the last party acts, `arrive` is FULL while it does for who has not arrived, and the last
  // party's is WOULD_BLOCK as the others': it acts, and finishes or aborts.
  Status arrive(Arrival& out) { return arrive(false, out); }
  Status try_wait(Arrival& out) { return arrive(true, out); }
  // `probe` asks the kernel whether some of those that have arrived live.
  Status look(const Arrival& arrival, bool probe = false);
  Status give_up(const Arrival& arrival);
  // The end of a generation by its last party. BARRIER_BROKEN if that was too late; STATE for any
  // other party.
  Status finish(const Arrival& arrival);
  // Whether the party that arrived so is the one that acts.
  bool is_acting(const Arrival& arrival) const { return acts() && arrival.index + 1 == parties(); }
  // The steps for threads: `arrive` that waits while it is FULL, and `look` until the deadline,
  // which breaks the barrier.
  Status enter(Deadline deadline, Arrival& out);
  Status wait_for(const Arrival& arrival, Deadline deadline);

  // Breaks the current generation; nothing if it is broken.
  Status abort();
  // Begins a new generation; who waits in this one gets BARRIER_BROKEN. Nothing if it is fresh.
  Status reset();

  bool broken();
  bool acts() const { return !closed() && (shared().flags.load() & kBarrierActs) != 0; }
  uint32_t parties() const { return closed() ? 0 : shared().parties.load(); }
  // How many wait in the current generation; 0 if it is broken.
  uint32_t waiting() const;
  // For who looks from outside: how many parties the generation waits for, 0 if for none, and who
  // has arrived.
  static uint32_t missing(const AllocationInfo& object, std::vector<ActorId>& arrived);
  // Ends this attachment; its arrivals that wait are given up.
  void close();

  using ManagedObject::place;
  WaitPlace place() const { return ManagedObject::place(kLaneEnd); }

 protected:
  void wake_all_lanes() override { wake_lanes(kLaneEnd + 1); }

 private:
  Barrier() = default;
  BarrierHeader& shared() const { return header_as<BarrierHeader>(); }
  Word64& arrival_word(uint32_t index) const;
  Status arrive(bool only_as_last, Arrival& out);
  Status outcome(const Arrival& arrival);
  uint32_t arrived(uint32_t generation) const;
  bool someone_died(uint32_t generation, bool probe);
  bool trip(uint64_t state);
  bool break_up(uint64_t state);
  void forget(const Arrival& arrival);

  std::vector<Arrival> pending_;  // of this attachment
  uint32_t probe_next_ = 0;
};

}  // namespace dragon
