// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <optional>

#include "limits.hpp"
#include "shared_block.hpp"

// Bare loads and stores between the very PEs whose messages a benchmark measures: PEs on
// different cores, in pairs, exchange tokens or words through memory that the library does not
// know. Where several PEs share a core, one of them stands for it; all others sleep meanwhile,
// and take no time from it.
//
// Thread-safety: the main thread of each PE; everything but partner() is collective.

namespace lamellar::benchmark {

class core_pairs {
 public:
  /// Share memory among all PEs and find pairs. Collective.
  ///
  /// Throws: std::runtime_error if no two PEs have different cores.
  explicit core_pairs(world& w);

  /// The PE on another core that makes a pair with this one; nothing for those who sleep.
  std::optional<pe> partner() const { return partner_; }

  /// Whether this PE and its partner are those of round_trips(): PE 0 is one of them.
  bool in_first_pair() const { return partner_.has_value() && pair_ == 0; }

  /// The number of PEs that work in stream(). The same on all PEs.
  std::uint32_t streaming() const { return streaming_; }

  /// Bounce a token `rounds` times between PE 0 and its partner over two lines; the seconds, as
  /// PE 0 sees them. Collective. Requires: rounds > 0.
  double round_trips(std::uint64_t rounds);

  /// Send `words` 64-bit words, rounded up to whole buffers, both ways in all pairs at once;
  /// the seconds, as this PE sees them. Collective.
  double stream(std::uint64_t words);

  /// The words that each PE really sends in stream(words).
  static std::uint64_t streamed(std::uint64_t words) {
    return buffers(words) * stream_end::words_per_slab;
  }

  /// A number of each PE that all PEs can see, 0 at first: for checks. Not collective. Written
  /// by its PE and read by all; what is timed orders the two.
  std::atomic<std::uint32_t>& cell(pe of) const;

  /// Whether all tokens and words were those that the partner has sent. Not collective.
  bool right() const { return tokens_right_ && (!end_ || end_->right()); }

 private:
  struct pair_area {
    shared_line there;
    shared_line back;
    stream_ring from_first;
    stream_ring from_second;
  };
  struct front {
    pthread_barrier_t gate;  // all PEs of the job
  };

  static std::uint64_t buffers(std::uint64_t words) {
    return (words + stream_end::words_per_slab - 1) / stream_end::words_per_slab;
  }
  void find_pairs(world& w);
  void meet() { pthread_barrier_wait(&block_->as<front>()->gate); }
  pair_area& area() const;

  std::unique_ptr<shared_block> block_;
  std::uint32_t pes_;
  std::optional<pe> partner_;
  std::uint32_t pair_ = 0;  // number of the own pair
  bool is_first_ = false;   // of its pair
  std::uint32_t streaming_ = 0;
  std::uint64_t token_ = 1;  // the next one
  bool tokens_right_ = true;
  std::optional<stream_end> end_;
};

}  // namespace lamellar::benchmark
