// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

// A parent for each of n ids, as one PE knows them: of its own ids, and of others' as far as it
// has memory for them. Two ids are joined by Rem's algorithm with splicing: parents are smaller
// than their children, and a walk replaces them by smaller ones as it goes.
//
// The parents of the own ids are exact. What is known of the others is a bounded memory: up to
// so many ids in all each has a place; of more, others' ids share places, and the older one is
// forgotten. An id whose parent is not known counts as a root.
//
// Thread-safety: none.
namespace lamellar::detail {

/// Two ids that belong together; nothing, if they are equal. (An optional of it would go
/// through memory in two pieces, and wait for that.)
template <class Id>
struct id_link {
  Id larger = 0;
  Id smaller = 0;
  bool is_some() const { return larger != smaller; }
};

template <std::unsigned_integral Id>
class id_forest {
 public:
  static constexpr std::size_t most_bytes = std::size_t{32} << 20;

  /// For ids below `n`, of which `count` from `first` on are the own ones, and at most `memory`
  /// bytes, a power of 2, for others'.
  id_forest(std::size_t n, std::size_t first, std::size_t count,
            std::size_t memory = most_bytes)
      : n_{n},
        first_{static_cast<Id>(first)},
        count_{count},
        most_{memory / sizeof(Id)},
        shift_{65 - static_cast<int>(std::bit_width(most_ / 2))},
        shared_{n > most_} {}

  /// Let every id be its own parent. Must come before anything else.
  void reset() {
    places_.resize(shared_ ? count_ : n_);
    const std::size_t first = shared_ ? first_ : 0;
    for (std::size_t k = 0; k < places_.size(); ++k) {
      places_[k] = static_cast<Id>(first + k);
    }
    if (shared_) {
      known_.assign(most_, 0);
    }
  }
  bool is_reset() const { return places_.size() == (shared_ ? count_ : n_); }

  bool owns(Id id) const { return static_cast<Id>(id - first_) < count_; }
  /// The parents of the own ids.
  std::span<Id> own() { return {places_.data() + (shared_ ? 0 : first_), count_}; }
  std::span<const Id> own() const { return {places_.data() + (shared_ ? 0 : first_), count_}; }
  std::size_t memory() const { return (places_.capacity() + known_.capacity()) * sizeof(Id); }

  /// Let a and b have one root. Returns: the root that has got a parent, and that; nothing if
  /// they had one root before.
  id_link<Id> join(Id a, Id b) {
    return shared_ ? join_in(sharing{this}, a, b) : join_in(plain{places_.data()}, a, b);
  }
  /// join(pair(k)) for k = begin, begin + 1, ... `joined(link)` gets what join() returns, and
  /// says whether to go on. Returns: the first k that was not reached, or `end`.
  template <class Pair, class Joined>
  std::size_t join_each(std::size_t begin, std::size_t end, Pair pair, Joined joined) {
    return shared_ ? join_each_in(sharing{this}, begin, end, pair, joined)
                   : join_each_in(plain{places_.data()}, begin, end, pair, joined);
  }

 private:
  /// Each id has a place.
  struct plain {
    Id* places;
    Id parent(Id of) const { return places[of]; }
    void set_parent(Id of, Id to) const { places[of] = to; }
    void prefetch(Id of) const { __builtin_prefetch(&places[of], 1); }
  };
  /// Own ids have one, others a slot of `known_` that says whose parent it is. Slots begin with
  /// id 0, which is a root in any case.
  struct sharing {
    id_forest* in;
    Id parent(Id of) const {
      if (in->owns(of)) {
        return in->places_[of - in->first_];
      }
      const Id* const slot = &in->known_[in->place(of)];
      return slot[0] == of ? slot[1] : of;
    }
    void set_parent(Id of, Id to) const {
      if (in->owns(of)) {
        in->places_[of - in->first_] = to;
        return;
      }
      Id* const slot = &in->known_[in->place(of)];
      slot[0] = of;
      slot[1] = to;
    }
    void prefetch(Id of) const {
      __builtin_prefetch(
          in->owns(of) ? &in->places_[of - in->first_] : &in->known_[in->place(of)], 1);
    }
  };
  std::size_t place(Id of) const {
    return 2 * ((std::uint64_t{of} * 0x9e3779b97f4a7c15U) >> shift_);
  }

  template <class Parents>
  static id_link<Id> join_in(Parents in, Id a, Id b) {
    Id above_a = in.parent(a);
    Id above_b = in.parent(b);
    while (above_a != above_b) {
      if (above_a < above_b) {
        std::swap(a, b);
        std::swap(above_a, above_b);
      }
      in.set_parent(a, above_b);
      if (above_a == a) {
        return {a, above_b};
      }
      a = above_a;
      above_a = in.parent(a);
    }
    return {};
  }

  template <class Parents, class Pair, class Joined>
  static std::size_t join_each_in(Parents in, std::size_t k, std::size_t end, Pair pair,
                                  Joined joined) {
    constexpr std::size_t ahead = 16;
    while (k < end) {
      if (k + ahead < end) {
        const auto [a, b] = pair(k + ahead);
        in.prefetch(a);
        in.prefetch(b);
      }
      const auto [a, b] = pair(k++);
      const id_link<Id> link = join_in(in, a, b);
      if (link.is_some() && !joined(link)) {
        break;
      }
    }
    return k;
  }

  std::size_t n_;
  Id first_;
  std::size_t count_;
  std::size_t most_;  // ids in `known_`, with their parents
  int shift_;         // from a hash to one of most_ / 2 slots
  bool shared_;
  std::vector<Id> places_;  // by id; where places are shared: of own ids
  std::vector<Id> known_;   // pairs of an id and its parent
};

}  // namespace lamellar::detail
