// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// What a PE remembers of the pairs that it has sent to a disjoint set: a forest of its own, so
// that a pair which follows from those sent before need not be sent again. Of the edges of a
// graph only those of a spanning forest are left.
//
// The memory is bounded. Up to so many ids each has a slot; of more, ids share slots, and the
// older one is forgotten. What is forgotten costs a message, never an answer: every parent that
// is remembered was sent.
//
// Parents are smaller than their children, and a walk replaces them by smaller ones as it goes
// (Rem's algorithm with splicing).
//
// Thread-safety: none.
namespace lamellar::detail {

/// Two ids that belong together.
template <class Id>
struct id_link {
  Id larger;
  Id smaller;
};

template <std::unsigned_integral Id>
class union_filter {
 public:
  static constexpr std::size_t most_bytes = std::size_t{32} << 20;

  /// For ids below `n`. No memory is taken before the first pair.
  explicit union_filter(std::size_t n) : n_{n}, shared_{n > most_bytes / sizeof(Id)} {}

  /// What must be sent so that a and b belong together; nothing if that is known already.
  std::optional<id_link<Id>> join(Id a, Id b) {
    if (slots_.empty()) [[unlikely]] {
      forget();
    }
    return shared_ ? join_in(cache{slots_.data(), shift()}, a, b)
                   : join_in(table{slots_.data()}, a, b);
  }
  /// Fetch what join() of these two will look at first.
  template <class Pair>
  void prefetch_pair(const Pair& pair, std::size_t ids) const {
    const auto& [a, b] = pair;
    if (!shared_ && !slots_.empty() && a < ids && b < ids) {
      __builtin_prefetch(&slots_[a], 1);
      __builtin_prefetch(&slots_[b], 1);
    }
  }
  /// Know nothing.
  void forget() {
    if (shared_) {
      slots_.assign(most_bytes / sizeof(Id), 0);
    } else {
      slots_.resize(n_);
      for (std::size_t k = 0; k < n_; ++k) {
        slots_[k] = static_cast<Id>(k);
      }
    }
  }
  /// Bytes in use.
  std::size_t memory() const { return slots_.capacity() * sizeof(Id); }

 private:
  /// A slot for each id.
  struct table {
    Id* slots;
    Id parent(Id of) const { return slots[of]; }
    void set_parent(Id of, Id to) const { slots[of] = to; }
  };
  /// Slots of an id and its parent; an id that has none is its own.
  struct cache {
    Id* slots;
    int shift;
    Id* slot(Id of) const {
      return slots + 2 * ((std::uint64_t{of} * 0x9e3779b97f4a7c15U) >> shift);
    }
    Id parent(Id of) const {
      const Id* const at = slot(of);
      return at[0] == of ? at[1] : of;
    }
    void set_parent(Id of, Id to) const {
      Id* const at = slot(of);
      at[0] = of;
      at[1] = to;
    }
  };
  static constexpr int shift() {
    return 65 - std::bit_width(most_bytes / sizeof(Id) / 2);  // the number of slots is 2^k
  }

  template <class Parents>
  static std::optional<id_link<Id>> join_in(Parents in, Id a, Id b) {
    Id above_a = in.parent(a);
    Id above_b = in.parent(b);
    while (above_a != above_b) {
      if (above_a < above_b) {
        std::swap(a, b);
        std::swap(above_a, above_b);
      }
      in.set_parent(a, above_b);
      if (above_a == a) {
        return id_link<Id>{a, above_b};
      }
      a = above_a;
      above_a = in.parent(a);
    }
    return std::nullopt;
  }

  std::size_t n_;
  bool shared_;
  std::vector<Id> slots_;
};

}  // namespace lamellar::detail
