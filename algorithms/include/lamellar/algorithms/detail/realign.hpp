// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <vector>

// For two ranges of one team that are divided in different ways: the elements of one where the
// other has those with the same indices.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// Where a range has its element i: a function of i that gives the owner's position. Requires:
/// the range and `begins` outlive it.
template <class R>
auto owners_of(const R& range, const std::vector<std::uint64_t>& begins) {
  if constexpr (indexed_range<R>) {
    return [&range](std::uint64_t i) { return team_position{range.place_of(i).part}; };
  } else {
    return [&begins](std::uint64_t i) {
      const auto after = std::upper_bound(begins.begin(), begins.end(), i);
      return team_position{static_cast<std::uint32_t>(after - begins.begin() - 1)};
    };
  }
}

/// Whether segments have the same sizes, and the same indices.
template <class A, class B>
bool lie_alike(const A& a, const B& b) {
  for (std::uint32_t k = 0; k < a.members().size(); ++k) {
    if (a.size_at(team_position{k}) != b.size_at(team_position{k})) {
      return false;
    }
  }
  return same_order(a, b);
}

/// The elements of `from`, with their indices, where `to` has those with the same indices, and
/// in that order. Collective. Requires: equal sizes; `local`, the segment of `from`, stays as
/// it is.
template <class From, class To>
task<exchanged_items<numbered<element_of<From>>>> bring_beside(
    located_team of, From from, To to, std::span<const element_of<From>> local) {
  using T = element_of<From>;
  const auto index = indices_of(from, place_in(of.value, segment_begins(from)).begin);
  const std::vector<std::uint64_t> begins = segment_begins(to);
  const auto owner = owners_of(to, begins);
  const auto route = [&](const T& element, std::size_t k) {
    const std::uint64_t i = index(k);
    return parcel<numbered<T>>{owner(i), {element, i}};
  };
  auto moving = exchange_placed(of, local, route);
  auto got = co_await moving;
  std::sort(got.begin(), got.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  co_return got;
}

}  // namespace lamellar::detail
