// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

#include "timing.hpp"

// What the hardware can do, measured by bare loops without any runtime: the yardstick of every
// benchmark.
//
// A limit counts only if it is taken in the same run as the figure it is compared with, on the
// same table memory (so the same page kind), with the same list of indices, with all cores in
// use at once. Therefore nothing here allocates memory, makes threads or forks: a participant
// (a PE of a running job, a thread or a process of the program `limits`) hands in its own table
// and its own list, and a callable `together` that returns when every participant has called
// it. Each measurement calls it before the clock starts and again before the clock stops; all
// participants therefore see the time of the slowest.
//
// Thread-safety: a table and its list are used by one participant at a time; the tables of the
// participants are disjoint. Shared lines are the exception, and say so.

namespace lamellar::benchmark {

/// Use this as `together` where there is one participant.
struct alone {
  void operator()() const {}
};

/// The prefetch distances of which the best counts. 0 is no prefetch.
inline constexpr std::array<unsigned, 5> prefetch_distances{0, 8, 16, 32, 64};

/// Fetch the line of `place` for writing. The instruction for that is older than the compiler's
/// default target admits, which would fetch it for reading: a second transfer where another
/// core has the line.
inline void prefetch_for_write(const void* place) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(place)));
#else
  __builtin_prefetch(place, 1);
#endif
}

// --- random access ---

enum class access { update, atomic_update, gather, compare_exchange };

/// Add 1 to `table[k]` for every k of the list, fetching `distance` items ahead.
template <class Index>
void update_loop(std::span<std::uint64_t> table, std::span<const Index> list,
                 unsigned distance) {
  std::uint64_t* const base = table.data();
  const Index* at = list.data();
  const Index* const end = at + list.size();
  if (distance != 0) {
    for (const Index* const stop = end - std::min<std::size_t>(distance, list.size());
         at < stop; ++at) {
      prefetch_for_write(base + at[distance]);
      ++base[*at];
    }
  }
  for (; at < end; ++at) ++base[*at];
}

/// The same with an atomic instruction for each update.
template <class Index>
void atomic_update_loop(std::span<std::uint64_t> table, std::span<const Index> list,
                        unsigned distance) {
  std::uint64_t* const base = table.data();
  const Index* at = list.data();
  const Index* const end = at + list.size();
  // Relaxed: the counts are read after a `together`, which orders them.
  const auto add_one = [](std::uint64_t& slot) {
    std::atomic_ref<std::uint64_t>(slot).fetch_add(1, std::memory_order_relaxed);
  };
  if (distance != 0) {
    for (const Index* const stop = end - std::min<std::size_t>(distance, list.size());
         at < stop; ++at) {
      prefetch_for_write(base + at[distance]);
      add_one(base[*at]);
    }
  }
  for (; at < end; ++at) add_one(base[*at]);
}

/// Copy `table[list[j]]` to `values[j]` for every j, fetching `distance` items ahead.
///
/// Requires: values.size() >= list.size().
template <class Index>
void gather_loop(std::span<const std::uint64_t> table, std::span<const Index> list,
                 std::span<std::uint64_t> values, unsigned distance) {
  const std::uint64_t* const base = table.data();
  std::uint64_t* out = values.data();
  const Index* at = list.data();
  const Index* const end = at + list.size();
  if (distance != 0) {
    for (const Index* const stop = end - std::min<std::size_t>(distance, list.size());
         at < stop; ++at) {
      __builtin_prefetch(base + at[distance]);
      *out++ = base[*at];
    }
  }
  for (; at < end; ++at) *out++ = base[*at];
}

/// Replace `table[k]` by the next number, for every k of the list that does not have it yet: a
/// compare-exchange for each, which misses where the list names a place once more. All places
/// of the list must hold the same number, and do so afterwards.
template <class Index>
void compare_exchange_loop(std::span<std::uint64_t> table, std::span<const Index> list,
                           unsigned distance) {
  if (list.empty()) return;
  std::uint64_t* const base = table.data();
  const std::uint64_t before = base[list.front()];
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (distance != 0 && k + distance < list.size()) {
      prefetch_for_write(base + list[k + distance]);
    }
    // Relaxed: the numbers are read after a `together`, which orders them.
    std::uint64_t expected = before;
    std::atomic_ref<std::uint64_t>(base[list[k]])
        .compare_exchange_strong(expected, before + 1, std::memory_order_relaxed);
  }
}

/// Time one pass over the list, by all participants at once.
///
/// Shapes: any list, empty included; `values` as long as the list for a gather, unused
/// otherwise. Cost: O(list). Done: on return, for all participants. Threads: one per
/// participant. Requires: every index < table.size(). Throws: what `together` throws.
template <class Index, class Together>
double access_seconds(access kind, std::span<std::uint64_t> table, std::span<const Index> list,
                      std::span<std::uint64_t> values, unsigned distance, Together&& together) {
  together();
  const stopwatch watch;
  if (kind == access::update) update_loop(table, list, distance);
  if (kind == access::atomic_update) atomic_update_loop(table, list, distance);
  if (kind == access::gather) gather_loop<Index>(table, list, values, distance);
  if (kind == access::compare_exchange) compare_exchange_loop(table, list, distance);
  together();
  return watch.seconds();
}

/// Find the best prefetch distance while measuring: a repetition makes one pass for every
/// distance, so that a benchmark can take its own repetitions between them; the distance with
/// the best median is the limit.
///
/// The second argument `distances` narrows the search, for instance to {0} for the plain loop.
class best_of_distances {
 public:
  explicit best_of_distances(access kind,
                             std::span<const unsigned> distances = prefetch_distances)
      : kind_(kind), distances_(distances.begin(), distances.end()) {}

  /// Make one pass for every distance. Arguments as for access_seconds().
  ///
  /// Collective over the participants: all hold the same kind and distances.
  template <class Index, class Together>
  void repetition(std::span<std::uint64_t> table, std::span<const Index> list,
                  std::span<std::uint64_t> values, Together&& together) {
    for (const unsigned distance : distances_) {
      samples_[distance].push_back(
          access_seconds<Index>(kind_, table, list, values, distance, together));
      ++passes_;
    }
  }

  /// Replace the seconds of every distance by `agreed(seconds)`, in the order of distances: a
  /// participant that shares its core may have started its clock late.
  ///
  /// Collective, if `agreed` is. Requires: the same repetitions on all participants.
  template <class Agreed>
  void agree(Agreed&& agreed) {
    for (auto& [distance, seconds] : samples_) seconds = agreed(seconds);
  }

  /// Forget what has been measured, after a warm-up; `passes` still counts it.
  void forget() { samples_.clear(); }

  /// Return the distance with the smallest median. Requires: a repetition.
  unsigned distance() const {
    const auto better = [](const auto& a, const auto& b) {
      return summarise(a.second).median < summarise(b.second).median;
    };
    return std::min_element(samples_.begin(), samples_.end(), better)->first;
  }

  /// Return the seconds of a pass with the best distance. Requires: a repetition.
  summary seconds() const { return summarise(samples_.at(distance())); }

  /// Return how often the list has been passed over, the warm-up included: what a check of the
  /// table needs.
  std::uint64_t passes() const { return passes_; }

 private:
  access kind_;
  std::vector<unsigned> distances_;
  std::map<unsigned, std::vector<double>> samples_;
  std::uint64_t passes_ = 0;
};

// --- copying ---

/// Time `times` copies of `from` to `to`, by all participants that call it at once.
///
/// Requires: to.size() >= from.size(), no overlap.
template <class Together>
double copy_seconds(std::span<const std::byte> from, std::span<std::byte> to, unsigned times,
                    Together&& together) {
  together();
  const stopwatch watch;
  for (unsigned k = 0; k < times; ++k) {
    std::memcpy(to.data(), from.data(), from.size());
    asm volatile(""
                 :
                 : "r"(to.data())
                 : "memory");  // each copy is made, none is merged with the next
  }
  together();
  return watch.seconds();
}

// --- one cache line between two cores ---

/// A cache line that two participants share. Twice the size of a line, since hardware may fetch
/// pairs.
struct alignas(128) shared_line {
  // Written by one side, read by the other, in turns; the release store of one pairs with the
  // acquire load of the other. If a single line serves both directions, the sides write it in
  // turns.
  std::atomic<std::uint64_t> token{0};
};

/// Tell the core that it is spinning.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Wait until `line` holds `token`. Yields after a while: the partner may have been given the
/// same core.
inline void await_token(const shared_line& line, std::uint64_t token) {
  for (unsigned spins = 1; line.token.load(std::memory_order_acquire) != token; ++spins) {
    spin_pause();
    if (spins % 65536 == 0) ::sched_yield();
  }
}

/// Bounce tokens with a partner who is inside pong() with the same lines and rounds; return the
/// seconds.
///
/// One side writes `there` and the other `back`; a round trip is two handovers. With `there`
/// and `back` the same line it is the floor of all communication by memory, with two lines that
/// of two one-way rings. Requires: both sides on different cores, tokens below `first` are in
/// both lines; `rounds` > 0.
inline double ping(shared_line& there, shared_line& back, std::uint64_t first,
                   std::uint64_t rounds) {
  const stopwatch watch;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    there.token.store(first + 2 * k, std::memory_order_release);
    await_token(back, first + 2 * k + 1);
  }
  return watch.seconds();
}

/// Answer the tokens of ping(); return how many were answered.
inline std::uint64_t pong(shared_line& there, shared_line& back, std::uint64_t first,
                          std::uint64_t rounds) {
  for (std::uint64_t k = 0; k < rounds; ++k) {
    await_token(there, first + 2 * k);
    back.token.store(first + 2 * k + 1, std::memory_order_release);
  }
  return rounds;
}

// --- a stream of words between two cores ---

/// A buffer of 8 KiB on its way from one core to another.
struct alignas(128) stream_slab {
  // The number of the buffer, counted from 1. Written by the sender once the words are in
  // (release), awaited by the receiver (acquire).
  std::atomic<std::uint64_t> number{0};
  std::array<std::uint64_t, 1008> words;
};

/// Sixteen such buffers in use by turns: the way in one direction.
struct stream_ring {
  // How many buffers the receiver is done with (release); the sender reads it before it writes
  // again.
  alignas(128) std::atomic<std::uint64_t> consumed{0};
  std::array<stream_slab, 16> slabs;
};

/// One of two participants who stream words to each other, both ways at once, by bare stores
/// and loads: nothing that ships small messages through memory can ship more of them.
///
/// Thread-safety: one end belongs to one participant; the rings are shared by the two.
/// Invariant: the words sent are 0, 1, 2, ... over all exchanges, so that the receiver can
/// check their sum.
class stream_end {
 public:
  stream_end(stream_ring& out, stream_ring& in) : out_(out), in_(in) {}

  /// Send and receive `count` buffers. Requires: the partner does the same.
  void exchange(std::uint64_t count) {
    const std::uint64_t last = sent_ + count;
    for (unsigned idle = 0; sent_ < last || received_ < last; ++idle) {
      if (sent_ < last && send_one()) idle = 0;
      if (received_ < last && receive_one()) idle = 0;
      if (idle != 0) spin_pause();
      if (idle > 65536) ::sched_yield();
    }
  }

  /// True if the words received are those that the partner has sent, as far as their sum can
  /// tell.
  bool right() const {
    const std::uint64_t n = received_ * words_per_slab;
    return sum_ == n * (n - 1) / 2;
  }

  static constexpr std::uint64_t words_per_slab =
      std::tuple_size_v<decltype(stream_slab::words)>;

 private:
  bool send_one() {
    constexpr std::uint64_t depth = std::tuple_size_v<decltype(stream_ring::slabs)>;
    if (sent_ >= room_until_) {
      room_until_ = out_.consumed.load(std::memory_order_acquire) + depth;
      if (sent_ >= room_until_) return false;
    }
    stream_slab& slab = out_.slabs[sent_ % depth];
    std::iota(slab.words.begin(), slab.words.end(), sent_ * words_per_slab);
    slab.number.store(++sent_, std::memory_order_release);
    return true;
  }

  bool receive_one() {
    const stream_slab& slab = in_.slabs[received_ % in_.slabs.size()];
    if (slab.number.load(std::memory_order_acquire) != received_ + 1) return false;
    sum_ = std::accumulate(slab.words.begin(), slab.words.end(), sum_);
    in_.consumed.store(++received_, std::memory_order_release);
    return true;
  }

  stream_ring& out_;
  stream_ring& in_;
  std::uint64_t sent_ = 0;        // buffers
  std::uint64_t received_ = 0;    // buffers
  std::uint64_t room_until_ = 0;  // what the receiver's progress allowed when last looked at
  std::uint64_t sum_ = 0;         // of all words received
};

}  // namespace lamellar::benchmark
