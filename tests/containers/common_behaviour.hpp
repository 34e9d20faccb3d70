// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/local_elements.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

// What every distributed_container does, tested on any of them: check_common_behaviour<C>().
// C::create(team) makes an empty one; its items are made of numbers by sample<item_type>.
//
// Thread-safety: the body of each PE.
namespace lamellar::testing {

/// Distinct values of T, one for each number.
template <class T>
T sample(std::uint64_t k) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(k * 3 + 1);
  } else if constexpr (std::same_as<T, std::string>) {
    return "number " + std::to_string(k) + std::string(k % 40, '.');
  } else {
    return {sample<typename T::first_type>(k), sample<typename T::second_type>(k + 7)};
  }
}

template <class C>
using items_of = std::vector<typename C::item_type>;

template <class C>
items_of<C> samples(std::uint64_t n) {
  items_of<C> all;
  for (std::uint64_t k = 0; k < n; ++k) all.push_back(sample<typename C::item_type>(k));
  std::sort(all.begin(), all.end());
  return all;
}

/// Put in samples 0 to n - 1, each by one member of the container's team.
template <class C>
task<> fill(C c, std::uint64_t n) {
  const team& members = c.members();
  for (std::uint64_t k = members.position().index(); k < n; k += members.size()) {
    c.add_item(sample<typename C::item_type>(k));
  }
  auto settling = members.quiesce();
  co_await settling;
}

/// All items, in order, on every member.
template <class C>
task<items_of<C>> everything(C c) {
  auto gathering = gather(c, team_position{c.members().size() - 1});
  items_of<C> all = co_await gathering;
  auto telling = broadcast(c.members(), std::move(all), team_position{c.members().size() - 1});
  items_of<C> told = co_await telling;
  std::sort(told.begin(), told.end());
  co_return told;
}

template <class C>
task<> check_contents(C c, std::uint64_t n) {
  auto counting = size(c);
  CHECK(co_await counting == n);
  auto asking = empty(c);
  CHECK(co_await asking == (n == 0));
  auto reading = everything(c);
  CHECK(co_await reading == samples<C>(n));
}

template <class C>
task<> check_loops(C c, std::uint64_t n) {
  using item = typename C::item_type;
  // Each item is seen once, here and by all together.
  items_of<C> seen;
  auto looking = for_each(c, [&seen](const item& each) { seen.push_back(each); });
  co_await looking;
  CHECK(seen.size() == c.local_size());
  auto gathering = all_gather(c.members(), seen);
  items_of<C> all;
  for (const items_of<C>& part : co_await gathering) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(all == samples<C>(n));

  const auto one = [](const item&) { return std::uint64_t{1}; };
  auto counting = reduce(c, one, std::plus<>{});
  const std::optional<std::uint64_t> counted = co_await counting;
  CHECK(counted.value_or(0) == n);
  CHECK(counted.has_value() == (n != 0));
  const auto itself = [](const item& each) { return each; };
  const auto larger = [](item a, item b) { return std::max(a, b); };
  auto reducing = reduce(c, itself, larger);
  const std::optional<item> largest = co_await reducing;
  if (n != 0) CHECK(largest == samples<C>(n).back());

  // A function that throws on one PE makes all of them throw, and the job goes on.
  if (n != 0) {
    bool thrown = false;
    auto failing = for_each(c, [](const item&) { throw std::runtime_error("no more"); });
    try {
      co_await failing;
    } catch (const std::runtime_error& e) {
      thrown = std::string_view{e.what()}.find("no more") != std::string_view::npos;
    }
    CHECK(thrown);
  }
}

template <class C>
task<> check_arrays(C c, std::uint64_t n) {
  auto collecting = to_array(c);
  const auto a = co_await collecting;
  CHECK(a.size() == n);
  auto emptying = clear(c);
  co_await emptying;
  auto check_empty = check_contents(c, 0);
  co_await check_empty;
  insert_all(c, a.local());
  auto check_again = check_contents(c, n);
  co_await check_again;
  auto waiting = a.members().barrier();
  co_await waiting;
}

/// Saved by the members of `c`, restored by those of `other`.
template <class C>
task<> check_checkpoint(C c, C other, std::string path, std::uint64_t n) {
  if (c) {
    auto saving = checkpoint(c, path);
    CHECK(co_await saving == n);
    auto saving_again = checkpoint(c, path);
    CHECK(co_await saving_again == n);
    CHECK(inspect_checkpoint(path).items() == n);
  }
  auto waiting = other.members().barrier();
  co_await waiting;
  auto restoring = restore(other, path);
  CHECK(co_await restoring == n);
  auto checking = check_contents(other, n);
  co_await checking;
}

template <class C>
task<> check_statistics(C c, std::uint64_t n) {
  auto asking = statistics_of(c);
  const container_statistics what = co_await asking;
  CHECK(what.items == n);
  CHECK(what.fewest <= c.local_size());
  CHECK(what.most >= c.local_size());
  CHECK(what.members == c.members().size());
  CHECK(what.imbalance() >= 1.0);
  CHECK(what.bytes >= n * sizeof(typename C::item_type));
  auto describing = describe(c);
  const std::string text = co_await describing;
  CHECK(text.find(C::kind) == 0);
  CHECK(text.find(std::to_string(n) + " items") != std::string::npos);
}

template <distributed_container C>
void check_common_behaviour() {
  on_pes([](world& w) -> task<> {
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    const team all{w};
    auto splitting = all.split(w.me().index() % 2, w.size() - w.me().index());
    const team half = co_await splitting;
    for (const std::uint64_t n : {0, 1, 2, 1000}) {
      auto making = C::create(w);
      C c = co_await making;
      auto filling = fill(c, n);
      co_await filling;
      auto contents = check_contents(c, n);
      co_await contents;
      auto loops = check_loops(c, n);
      co_await loops;
      auto statistics = check_statistics(c, n);
      co_await statistics;
      auto arrays = check_arrays(c, n);
      co_await arrays;

      // A container of some of the PEs, and what it has saved for all of them.
      auto making_part = C::create(half);
      C part = co_await making_part;
      auto filling_part = fill(part, n);
      co_await filling_part;
      auto part_contents = check_contents(part, n);
      co_await part_contents;
      auto making_other = C::create(w);
      C other = co_await making_other;
      const bool saves = w.me().index() % 2 == 0;
      auto saved = check_checkpoint(saves ? part : C{}, other, files / "some", n);
      co_await saved;
      auto emptying = clear(c);
      co_await emptying;
      auto saved_by_all = check_checkpoint(other, c, files / "all", n);
      co_await saved_by_all;

      std::swap(c, part);
      CHECK(part.members().size() == w.size());
      auto swapped = check_contents(part, n);
      co_await swapped;
      auto waiting = w.barrier();
      co_await waiting;
    }
  });
}

}  // namespace lamellar::testing
