// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <memory>
#include <random>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Elements in random order: each draws a random number of 64 bits, by which they are sorted.
//
// Every permutation is as likely as every other one, but for the chance, n^2 / 2^65, that two
// draw the same number and stay in order. The numbers of a PE come from a generator that is
// seeded by `seed` and its position: the result is the same in every run with as many PEs.
//
// Cost and memory: as sort_by_key(), and the numbers. Collective.
//
// Thread-safety: the body. Source: sorting by random keys; bale's randperm throws darts.
namespace lamellar {

/// Put the elements in random order. Every segment keeps its size.
template <writable_range R>
task<> shuffle(const R& range, std::uint64_t seed,
               std::source_location where = std::source_location::current());

/// The numbers 0 to n - 1 in random order, in blocks over a world or team.
task<unsafe_array<std::uint64_t>> random_permutation(detail::located_team of, std::uint64_t n,
                                                     std::uint64_t seed);

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// A number for each element of another range.
class random_keys {
 public:
  using value_type = std::uint64_t;

  template <class R>
  random_keys(const R& beside, std::uint64_t seed)
      : members_{beside.members()}, begins_{segment_begins(beside)} {
    const std::uint32_t here = members_.position().index();
    own_ = std::make_shared<std::vector<std::uint64_t>>(begins_[here + 1] - begins_[here]);
    std::seed_seq seeds{static_cast<std::uint32_t>(seed),
                        static_cast<std::uint32_t>(seed >> 32), here};
    std::mt19937_64 random{seeds};
    for (std::uint64_t& each : *own_) {
      each = random();
    }
  }
  const team& members() const { return members_; }
  std::size_t size() const { return begins_.back(); }
  std::size_t size_at(team_position part) const {
    return begins_[part.index() + 1] - begins_[part.index()];
  }
  std::span<std::uint64_t> local() const { return *own_; }

 private:
  team members_;
  std::vector<std::uint64_t> begins_;
  std::shared_ptr<std::vector<std::uint64_t>> own_;
};

template <class R>
task<> shuffle_range(R range, std::uint64_t seed, std::source_location where) {
  const R mine = std::move(range);
  const random_keys keys{mine, seed};
  auto sorting = sort_by_key(keys, mine, std::less<>{}, std::identity{}, where);
  co_await sorting;
}

}  // namespace detail

template <writable_range R>
task<> shuffle(const R& range, std::uint64_t seed, std::source_location where) {
  return detail::shuffle_range(range, seed, where);
}

}  // namespace lamellar
