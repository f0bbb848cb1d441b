// The only access to words in shared memory.
//
// Goals: every shared word is reached through this type, with the memory order at the place of
// use; in a build with DRAGON_KILL_POINTS each change passes a numbered kill point first.
// Non-goals: payload bytes, which are copied by their owner while nobody else may look.
//
// Orders default to acquire for loads, release for stores and acquire-release for changes that
// read. Where an update and a look at another word must not pass each other, either both sides use
// a read-modify-write of one common word, or the update is `cas_seq` and the look `load_seq`, and
// the other side has `fence_seq` between its own update and look (see parking.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#ifdef DRAGON_KILL_POINTS
#include "sync/kill_points.h"
#endif

namespace dragon {

template <typename T>
class Word {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  static_assert(std::atomic<T>::is_always_lock_free && sizeof(std::atomic<T>) == sizeof(T));

 public:
  Word() = default;
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  T load(std::memory_order order = std::memory_order_acquire) const { return value_.load(order); }

  void store(T value, std::memory_order order = std::memory_order_release) {
    point();
    value_.store(value, order);
  }

  T exchange(T value) {
    point();
    return value_.exchange(value, std::memory_order_acq_rel);
  }

  // On failure `expected` becomes what was found.
  bool cas(T& expected, T desired) {
    point();
    return value_.compare_exchange_strong(expected, desired, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  // The same for callers that don't care what was found instead.
  bool replace(T expected, T desired) { return cas(expected, desired); }

  T fetch_add(T value) {
    point();
    return value_.fetch_add(value, std::memory_order_acq_rel);
  }

  T fetch_sub(T value) {
    point();
    return value_.fetch_sub(value, std::memory_order_acq_rel);
  }

  T fetch_or(T value) {
    point();
    return value_.fetch_or(value, std::memory_order_acq_rel);
  }

  T fetch_and(T value) {
    point();
    return value_.fetch_and(value, std::memory_order_acq_rel);
  }

  // A load that is ordered against the changes of other actors as a change is: what this actor
  // published before is visible to whoever changes the word later.
  T load_ordered() { return value_.fetch_add(0, std::memory_order_acq_rel); }

  // A change and a look in the one order that all actors agree on: of two that each change a word
  // and then look at the other's, at least one sees the other's change. On x86 and ARM64 this
  // costs no more than `cas` and `load`.
  bool cas_seq(T& expected, T desired) {
    point();
    return value_.compare_exchange_strong(expected, desired, std::memory_order_seq_cst,
                                          std::memory_order_acquire);
  }
  T load_seq() const { return value_.load(std::memory_order_seq_cst); }

  // The address for the futex calls; 32-bit words only.
  const uint32_t* futex_address() const {
    static_assert(sizeof(T) == 4);
    return reinterpret_cast<const uint32_t*>(&value_);
  }

 private:
  static void point() {
#ifdef DRAGON_KILL_POINTS
    kill_point();
#endif
  }

  std::atomic<T> value_;
};

// Between an update of one word and a look at another, where the other side uses `cas_seq` and
// `load_seq`. The thread sanitizer knows no fences; it runs on x86, where the update is one.
inline void fence_seq() {
#ifndef __SANITIZE_THREAD__
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

using Word32 = Word<uint32_t>;
using Word64 = Word<uint64_t>;

static_assert(sizeof(Word32) == 4 && sizeof(Word64) == 8);

}  // namespace dragon
