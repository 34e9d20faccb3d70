// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Elements in random order: each draws a random number of 64 bits, by which they are sorted.
//
// Number i of a seed belongs to element i, whoever has it: the result depends on the seed
// alone, and is the same on any number of PEs and in any layout.
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

/// A number for each element of another range, which lies as that one does.
template <class R>
class random_keys {
 public:
  using value_type = std::uint64_t;

  random_keys(R beside, std::uint64_t seed)
      : beside_{std::move(beside)}, members_{beside_.members()} {
    const own_place here = place_in(members_, segment_begins(beside_));
    own_ = std::make_shared<std::vector<std::uint64_t>>(
        beside_.size_at(team_position{here.position}));
    const random_numbers number{seed};
    const auto index = indices_of(beside_, here.begin);
    on_node::for_each(members_.where().on_node(), own_->size(),
                      [&](std::size_t k) { (*own_)[k] = number(index(k)); });
  }
  const team& members() const { return members_; }
  std::size_t size() const { return beside_.size(); }
  std::size_t size_at(team_position part) const { return beside_.size_at(part); }
  std::span<std::uint64_t> local() const { return *own_; }

  std::size_t global_index(std::size_t k) const requires indexed_range<R> {
    return beside_.global_index(k);
  }
  auto first_index_at(team_position part) const requires indexed_range<R> {
    return beside_.first_index_at(part);
  }
  auto last_index_at(team_position part) const requires indexed_range<R> {
    return beside_.last_index_at(part);
  }
  auto place_of(std::size_t i) const requires indexed_range<R> { return beside_.place_of(i); }

 private:
  R beside_;
  team members_;
  std::shared_ptr<std::vector<std::uint64_t>> own_;
};

template <class R>
task<> shuffle_range(R range, std::uint64_t seed, std::source_location where) {
  const R mine = std::move(range);
  const random_keys<R> keys{mine, seed};
  auto sorting = sort_by_key(keys, mine, std::less<>{}, std::identity{}, where);
  co_await sorting;
}

}  // namespace detail

template <writable_range R>
task<> shuffle(const R& range, std::uint64_t seed, std::source_location where) {
  return detail::shuffle_range(range, seed, where);
}

}  // namespace lamellar
