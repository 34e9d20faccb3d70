// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <utility>

// What tests of messages count with, and the team that they are sent to.
namespace lamellar::testing {

/// A number on each PE that any handler may change at any time.
struct counter {
  static constexpr bool concurrent_handlers = true;
  std::atomic<std::uint64_t> value{0};
};

/// Adds to a counter.
struct add_to {
  void operator()(const darc<counter>& to, std::uint64_t n) const { to->value += n; }
};

/// The values of a counter on all PEs, together.
inline std::uint64_t sum_of(const darc<counter>& all) {
  std::uint64_t total = 0;
  for (const std::uint64_t one :
       all.call_all([](counter& c) { return c.value.load(); }).get()) {
    total += one;
  }
  return total;
}

/// The sum of a list.
template <class List>
std::uint64_t total_of(const List& values) {
  std::uint64_t total = 0;
  for (const auto& one : values) total += one;
  return total;
}

/// An object that only this PE uses, though all have a part: one is made for each PE.
/// Collective.
template <class T>
task<darc<T>> one_of_its_own(world& w) {
  darc<T> mine;
  for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
    auto made = co_await darc<T>::create(w);
    if (pe == w.me().index()) mine = std::move(made);
  }
  co_return mine;
}

/// Every second PE, the last one first: positions are not PEs. PEs are left out if there are
/// several. Collective.
inline task<team> every_second(world& w) {
  std::vector<team_position> members;
  for (std::uint32_t k = w.size(); k > 0; k -= k < 2 ? k : 2) members.emplace_back(k - 1);
  co_return co_await team{w}.subteam(members);
}

}  // namespace lamellar::testing
