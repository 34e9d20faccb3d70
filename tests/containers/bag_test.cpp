// SPDX-License-Identifier: BSD-3-Clause
// Bags and vectors against what was put in: dealt, balanced, shuffled, sampled, sorted.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/reduce.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/bag.hpp>
#include <lamellar/containers/vector.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

template <class T>
T made_of(std::uint64_t k) {
  if constexpr (std::same_as<T, std::string>) {
    return std::to_string(k) + std::string(k % 30, '-');
  } else {
    return static_cast<T>(k);
  }
}

/// How many items each PE has: none, few, one with all of them, many.
std::vector<std::uint64_t> uneven(std::uint32_t pes, unsigned which) {
  std::vector<std::uint64_t> sizes(pes, 0);
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    if (which == 1) sizes[pe] = pe == pes / 2 ? 1 : 0;
    if (which == 2) sizes[pe] = pe + 1 == pes ? 500 : 0;
    if (which == 3) sizes[pe] = (pe * 131 + 57) % 211;
  }
  return sizes;
}

std::uint64_t before(const std::vector<std::uint64_t>& sizes, std::uint32_t pe) {
  std::uint64_t sum = 0;
  for (std::uint32_t k = 0; k < pe; ++k) sum += sizes[k];
  return sum;
}

/// All items in the order of PEs, on each of them.
template <class C>
task<std::vector<typename C::item_type>> in_order(C c) {
  using T = typename C::item_type;
  auto gathering = all_gather(c.members(), std::vector<T>(c.local().begin(), c.local().end()));
  std::vector<T> all;
  for (const std::vector<T>& some : co_await gathering) {
    all.insert(all.end(), some.begin(), some.end());
  }
  co_return all;
}

template <class T>
std::vector<T> sorted(std::vector<T> items) {
  std::sort(items.begin(), items.end());
  return items;
}

template <class C>
void check_even(const C& c, std::uint64_t n) {
  CHECK(c.size() == n);
  const std::uint64_t pes = c.members().size();
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    CHECK(c.size_at(team_position{pe}) == n / pes + (pe < n % pes ? 1 : 0));
  }
  CHECK(c.local().size() == c.size_at(c.members().position()));
}

}  // namespace

TEST_CASE_TEMPLATE("a bag keeps its items when it is balanced, shuffled and sampled", T,
                   std::uint32_t, std::string) {
  on_pes([](world& w) -> task<> {
    for (unsigned which = 0; which < 4; ++which) {
      const auto sizes = uneven(w.size(), which);
      const std::uint32_t me = w.me().index();
      const std::uint64_t n = before(sizes, w.size());
      auto making = bag<T>::create(w);
      const bag<T> items = co_await making;
      for (std::uint64_t k = 0; k < sizes[me]; ++k) {
        items.insert(made_of<T>(before(sizes, me) + k));
      }
      std::vector<T> expected;
      for (std::uint64_t k = 0; k < n; ++k) expected.push_back(made_of<T>(k));
      expected = sorted(expected);

      auto freezing = items.freeze();
      co_await freezing;
      CHECK(items.size_at(team_position{me}) == sizes[me]);
      auto first_reading = in_order(items);
      CHECK(sorted(co_await first_reading) == expected);

      auto balancing = items.balance();
      co_await balancing;
      check_even(items, n);
      auto reading = in_order(items);
      const std::vector<T> balanced = co_await reading;
      CHECK(sorted(balanced) == expected);

      auto shuffling = items.shuffle(17);
      co_await shuffling;
      check_even(items, n);
      auto reading_again = in_order(items);
      const std::vector<T> shuffled = co_await reading_again;
      CHECK(sorted(shuffled) == expected);
      if (n > 100) CHECK(shuffled != balanced);

      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{40}}) {
        auto sampling = items.sample(count, 3 + count);
        const std::vector<T> sample = sorted(co_await sampling);
        CHECK(sample.size() == std::min<std::size_t>(count, n));
        CHECK(std::adjacent_find(sample.begin(), sample.end()) == sample.end());
        CHECK(std::includes(expected.begin(), expected.end(), sample.begin(), sample.end()));
      }

      auto sorting = sort(items, std::greater<>{});
      co_await sorting;
      auto sorted_reading = in_order(items);
      std::reverse(expected.begin(), expected.end());
      CHECK(co_await sorted_reading == expected);
    }
  });
}

TEST_CASE("items for others, items in turn, and a bag that grows again") {
  on_pes([](world& w) -> task<> {
    auto making = bag<std::uint64_t>::create(w);
    const auto items = co_await making;
    const std::uint64_t pes = w.size();
    for (std::uint64_t k = 0; k < 3 * pes; ++k) items.deal(k);
    items.insert(testing::next_of(w), 1000);
    auto freezing = items.freeze();
    co_await freezing;
    CHECK(items.local_size() == 3 * pes + 1);
    CHECK(std::count(items.local().begin(), items.local().end(), 1000) == 1);
    auto thawing = items.thaw();
    co_await thawing;
    const std::vector<std::uint64_t> more{5, 6, 7};
    items.insert(more);
    auto again = items.freeze();
    co_await again;
    CHECK(items.size() == pes * (3 * pes + 4));
  });
}

TEST_CASE("each order of a few items comes about as often in shuffles") {
  on_pes([](world& w) -> task<> {
    std::vector<std::uint32_t> seen(6);
    const std::uint32_t rounds = 600;
    for (std::uint32_t round = 0; round < rounds; ++round) {
      auto making = bag<std::uint32_t>::create(w);
      const auto items = co_await making;
      for (std::uint32_t k = 0; k < 3; ++k) {
        if (k % w.size() == w.me().index()) items.insert(k);
      }
      auto shuffling = items.shuffle(round);
      co_await shuffling;
      auto reading = in_order(items);
      const std::vector<std::uint32_t> order = co_await reading;
      ++seen[order[0] * 2 + (order[1] > order[2] ? 1 : 0)];
    }
    for (const std::uint32_t times : seen) {
      CHECK(times > 60);  // 100 are expected, with a deviation of 9
      CHECK(times < 140);
    }
  });
}

TEST_CASE_TEMPLATE("a vector has an order, which balancing keeps, and indices", T,
                   std::uint64_t, std::string) {
  on_pes([](world& w) -> task<> {
    for (unsigned which = 0; which < 4; ++which) {
      const auto sizes = uneven(w.size(), which);
      const std::uint32_t me = w.me().index();
      const std::uint64_t n = before(sizes, w.size());
      auto making = lamellar::vector<T>::create(w);
      const lamellar::vector<T> items = co_await making;
      std::vector<T> rest;
      for (std::uint64_t k = 0; k < sizes[me]; ++k) {
        const T item = made_of<T>(before(sizes, me) + k);
        if (k < 10) {
          items.push_back(item);
        } else {
          rest.push_back(item);
        }
      }
      items.append(rest);
      for (const bool balanced : {false, true}) {
        auto freezing = balanced ? items.balance() : items.freeze();
        co_await freezing;
        if (balanced) check_even(items, n);
        CHECK(items.size() == n);
        for (std::uint64_t i = me; i < n; i += 37) {
          CHECK(co_await items.at(i) == made_of<T>(i));
        }
        std::vector<std::size_t> indices;
        for (std::uint64_t k = 0; k < 2 * n; ++k) indices.push_back((k * 7919 + me) % n);
        const std::vector<T> values = co_await items.at(indices);
        CHECK(values.size() == indices.size());
        for (std::size_t k = 0; k < values.size(); ++k) {
          CHECK(values[k] == made_of<T>(indices[k]));
        }
        for (std::size_t k = 0; k < items.local_size(); ++k) {
          CHECK(items.local()[k] == made_of<T>(items.local_first() + k));
          CHECK(items.owner(items.local_first() + k) == w.me());
        }
        co_await w.barrier();
      }
      std::vector<T> expected;
      for (std::uint64_t k = 0; k < n; ++k) expected.push_back(made_of<T>(k));
      std::sort(expected.begin(), expected.end());
      auto sorting = sort(items);
      co_await sorting;
      auto reading = in_order(items);
      CHECK(co_await reading == expected);
    }
  });
}

TEST_CASE("equal items, on some of the PEs") {
  on_pes([](world& w) -> task<> {
    auto splitting = team{w}.split(w.me().index() % 2);
    const team half = co_await splitting;
    auto making = bag<std::string>::create(half);
    const auto items = co_await making;
    for (int k = 0; k < 50; ++k) items.insert("the same");
    auto shuffling = items.shuffle(5);
    co_await shuffling;
    check_even(items, 50 * half.size());
    auto sorting = sort(items);
    co_await sorting;
    for (const std::string& each : items.local()) CHECK(each == "the same");
    co_await w.barrier();
  });
}

// Both a container and a range: what has the same name for both must be clear.
TEST_CASE_TEMPLATE("a bag and a vector are containers for for_each and reduce", C,
                   bag<std::uint64_t>, lamellar::vector<std::uint64_t>) {
  on_pes([](world& w) -> task<> {
    auto making = C::create(w);
    const C items = co_await making;
    items.add_item(w.me().index() + 1);
    std::uint64_t here = 0;
    const auto add = [&here](std::uint64_t each) { here += each; };
    auto looking = lamellar::for_each(items, add);
    co_await looking;
    CHECK(here == w.me().index() + 1);
    const std::uint64_t n = w.size();
    auto joining = lamellar::reduce(items, std::identity{}, std::plus<>{});
    CHECK(co_await joining == n * (n + 1) / 2);
    auto freezing = items.freeze();
    co_await freezing;
    auto changing =
        lamellar::transform(items, items, [](std::uint64_t each) { return 2 * each; });
    co_await changing;
    auto again = lamellar::reduce(items, std::identity{}, std::plus<>{});
    CHECK(co_await again == n * (n + 1));
  });
}
