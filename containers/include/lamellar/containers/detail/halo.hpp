// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/bit_set.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <utility>
#include <vector>

// Which elements of others, in a block layout, each PE works with: *ghosts*. It is made once;
// then values of the ghosts are brought from their owners, or to them, as often as wanted, each
// time one row of values for each pair of PEs.
//
// Element `k` has a slot on each PE that works with it: its offset on its owner, elsewhere the
// number of own elements and its place among the ghosts.
//
// Thread-safety: the body.
namespace lamellar::detail {

class halo {
 public:
  halo() = default;

  /// `ghosts`: the elements of others that this PE works with. Collective.
  static task<halo> create(located_team of, layout::block how, bit_set ghosts) {
    halo made{std::move(of), how, std::move(ghosts)};
    const std::vector<std::uint64_t> wanted = made.ghosts_.members();
    std::vector<std::uint64_t> offsets;
    offsets.reserve(wanted.size());
    for (const std::uint64_t each : wanted) {
      const element_place at = how.locate(each);
      ++made.wanted_[at.part];
      offsets.push_back(at.offset);
    }
    made.ghosts_here_ = wanted.size();
    auto asking = exchange_rows<std::uint64_t>(
        made.of_, made.wanted_, [&](auto& rows) { hand_over(rows, made.wanted_, offsets); });
    const auto asked = co_await asking;
    made.asked_.assign(asked.begin(), asked.end());
    for (std::uint32_t k = 0; k < made.of_.value.size(); ++k) {
      made.asked_of_[k] = asked.from(team_position{k}).size();
    }
    co_return made;
  }

  std::size_t own() const { return own_; }
  std::size_t ghosts() const { return ghosts_here_; }
  std::size_t slots() const { return own_ + ghosts_here_; }
  std::size_t slot(std::uint64_t k) const {
    return k - first_ < own_ ? k - first_ : own_ + ghosts_.rank(k);
  }

  /// Let the ghosts among `values`, one for each slot, be what they are on their owners.
  /// Collective. `this` and the values must stay until the task has ended.
  template <class T>
  task<> bring(std::span<T> values) const {
    return bring_ghosts(this, values);
  }
  /// Let own values be op(own, ghost) for their ghosts everywhere, in the order of members.
  template <class T, class Op>
  task<> give_back(std::span<T> values, Op op) const {
    return give_ghosts(this, values, std::move(op));
  }

 private:
  halo(located_team of, layout::block how, bit_set ghosts)
      : of_{std::move(of)},
        first_{how.first(of_.value.position().index())},
        own_{part_size(how, of_.value.position().index())},
        ghosts_{std::move(ghosts)},
        wanted_(of_.value.size()),
        asked_of_(of_.value.size()) {
    ghosts_.count();
  }

  /// `values`: those for the first member, then those for the next.
  template <class Rows, class T>
  static void hand_over(Rows& rows, const std::vector<std::uint64_t>& counts,
                        std::vector<T>& values) {
    std::size_t first = 0;
    for (std::uint32_t k = 0; k < counts.size(); ++k) {
      if (counts[k] != 0) {
        rows.put(team_position{k}, std::span{values}.subspan(first, counts[k]));
      }
      first += counts[k];
    }
  }
  template <class T>
  static task<> bring_ghosts(const halo* of, std::span<T> values) {
    std::vector<T> leaving;
    leaving.reserve(of->asked_.size());
    for (const std::uint64_t offset : of->asked_) {
      leaving.push_back(values[offset]);
    }
    auto moving = exchange_rows<T>(
        of->of_, of->asked_of_, [&](auto& rows) { hand_over(rows, of->asked_of_, leaving); });
    auto arrived = co_await moving;
    std::move(arrived.begin(), arrived.end(),
              values.begin() + static_cast<std::ptrdiff_t>(of->own_));
  }
  template <class T, class Op>
  static task<> give_ghosts(const halo* of, std::span<T> values, Op op) {
    std::vector<T> leaving(values.begin() + static_cast<std::ptrdiff_t>(of->own_),
                           values.end());
    auto moving = exchange_rows<T>(of->of_, of->wanted_,
                                   [&](auto& rows) { hand_over(rows, of->wanted_, leaving); });
    auto arrived = co_await moving;
    for (std::size_t k = 0; k < arrived.size(); ++k) {
      T& value = values[of->asked_[k]];
      value = op(std::move(value), std::move(arrived[k]));
    }
  }

  located_team of_{team{}};
  std::uint64_t first_ = 0;
  std::size_t own_ = 0;
  bit_set ghosts_;
  std::size_t ghosts_here_ = 0;
  std::vector<std::uint64_t> wanted_;    // ghosts here, by owner
  std::vector<std::uint64_t> asked_of_;  // own elements that are ghosts elsewhere, by member
  std::vector<std::uint64_t> asked_;     // their offsets
};

}  // namespace lamellar::detail
