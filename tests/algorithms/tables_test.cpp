// SPDX-License-Identifier: BSD-3-Clause
// Joins, exchanges into ranges, samples and histograms.
#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/exchange_into.hpp>
#include <lamellar/algorithms/histogram.hpp>
#include <lamellar/algorithms/join.hpp>
#include <lamellar/algorithms/sample.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/array.hpp>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class Left, class Right, class LeftKey, class RightKey>
void check_joins(const Left& left, const Right& right, LeftKey left_key, RightKey right_key) {
  using pair = joined<element_of<Left>, element_of<Right>>;
  std::vector<pair> expected;
  for (const auto& l : everything(left)) {
    for (const auto& r : everything(right)) {
      if (std::invoke(left_key, l) == std::invoke(right_key, r)) expected.push_back({l, r});
    }
  }
  CAPTURE(left.size());
  CAPTURE(right.size());
  CHECK(everything(lamellar::broadcast_join(left, right, left_key, right_key).get()) ==
        expected);
  auto by_hash = everything(lamellar::hash_join(left, right, left_key, right_key).get());
  const auto less = [](const pair& a, const pair& b) {
    return a.left < b.left || (!(b.left < a.left) && a.right < b.right);
  };
  std::sort(by_hash.begin(), by_hash.end(), less);
  std::sort(expected.begin(), expected.end(), less);
  CHECK(by_hash == expected);
}

template <class Array>
void check_sample(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    testing::fill(a, [](std::size_t i) { return make<T>(i); });
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, n / 3, n, n + 2}) {
      CAPTURE(n);
      CAPTURE(count);
      std::vector<T> expected;
      const std::size_t chosen = std::min(count, n);
      for (const u64 i : lamellar::detail::distinct_numbers(n, chosen, 3)) {
        expected.push_back(make<T>(i));
      }
      CHECK(expected.size() == chosen);
      CHECK(std::set<T>(expected.begin(), expected.end()).size() == chosen);
      CHECK(lamellar::sample(a, count, 3).get() == expected);
    }
  }
}

}  // namespace

TEST_CASE("joins by hash and by broadcast, of tables of any size") {
  on_pes([](world& w) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{60}}) {
      for (const std::size_t m : {std::size_t{0}, std::size_t{40}}) {
        const auto left = unsafe_array<entry>::create(w, n).get();
        const auto right = local_lock_array<entry>::create(w, m).get();
        testing::fill(left, [](std::size_t i) { return entry{i, i % 17}; });
        testing::fill(right, [](std::size_t i) { return entry{i % 23, i}; });
        check_joins(left, right, &entry::number, &entry::key);
        testing::fill(right, [](std::size_t i) { return entry{7, i}; });  // one key
        check_joins(left, right, &entry::number, &entry::key);
      }
    }
  });
}

TEST_CASE("joins of strings") {
  on_pes([](world& w) {
    const auto left = unsafe_array<std::string>::create(w, 50).get();
    const auto right = unsafe_array<std::string>::create(w, 30).get();
    testing::fill(left, [](std::size_t i) { return std::to_string(i * i); });
    testing::fill(right, [](std::size_t i) { return std::to_string(i * 7); });
    const auto first_two = [](const std::string& s) { return s.substr(0, 2); };
    check_joins(left, right, first_two, first_two);
  });
}

TEST_CASE("items come to where they are sent, in the order of sources") {
  on_pes([](world& w) {
    const std::uint32_t pes = w.size();
    std::vector<std::string> items;
    for (u64 k = 0; k < 100 * w.me().index(); ++k) {
      items.push_back(std::to_string(w.me().index()) + "/" + std::to_string(k));
    }
    const auto to = [pes](const std::string& item) {
      return team_position{static_cast<std::uint32_t>(item.size()) % pes};
    };
    const auto got = lamellar::exchange(w, items, to).get();
    std::vector<std::string> expected;
    for (u64 source = 0; source < pes; ++source) {
      for (u64 k = 0; k < 100 * source; ++k) {
        const std::string item = std::to_string(source) + "/" + std::to_string(k);
        if (to(item).index() == w.me().index()) expected.push_back(item);
      }
    }
    CHECK(std::vector<std::string>(got.local().begin(), got.local().end()) == expected);
    CHECK(got.size() == 50 * u64{pes} * (pes - 1));
  });
}

TEST_CASE("elements of a range travel by their indices, and as something else") {
  on_pes([](world& w) {
    const std::uint32_t pes = w.size();
    const auto a = atomic_array<u64, layout::cyclic>::create(w, 1003).get();
    testing::fill(a, [](std::size_t i) { return u64{3 * i}; });
    const auto route = [pes](u64 x, u64 index) {
      return parcel<double>{team_position{static_cast<std::uint32_t>(index / 2 % pes)},
                            static_cast<double>(x) / 3};
    };
    const auto got = lamellar::exchange(a, route).get();
    CHECK(got.size() == 1003);
    std::set<double> here(got.local().begin(), got.local().end());
    std::set<double> expected;
    for (u64 i = 0; i < 1003; ++i) {
      if (i / 2 % pes == w.me().index()) expected.insert(static_cast<double>(i));
    }
    CHECK(here == expected);
    CHECK(got.local().size() == expected.size());
  });
}

TEST_CASE("a sample is that of its seed, for any number of PEs") {
  on_pes([](world& w) {
    check_sample<unsafe_array<u64>>(w);
    check_sample<local_lock_array<std::string, layout::cyclic>>(w);
  });
}

TEST_CASE("histograms count everything that has a bin") {
  on_pes([](world& w) {
    for (const std::size_t n : sizes(w)) {
      const auto a = unsafe_array<double>::create(w, n).get();
      testing::fill(a, [](std::size_t i) {
        return i % 11 == 10 ? std::numeric_limits<double>::quiet_NaN()
                            : static_cast<double>(i % 11) / 4 - 0.5;
      });
      std::vector<u64> expected(4);
      for (std::size_t i = 0; i < n; ++i) {
        const double x = static_cast<double>(i % 11) / 4 - 0.5;
        if (i % 11 != 10 && x >= 0 && x < 1) ++expected[static_cast<std::size_t>(x * 4)];
      }
      CHECK(lamellar::histogram(a, 4, even_bins{0, 1, 4}).get() == expected);
      const auto words = global_lock_array<std::string, layout::cyclic>::create(w, n).get();
      testing::fill(words, [](std::size_t i) { return std::string(i % 5, 'x'); });
      std::vector<u64> lengths(5);
      for (std::size_t i = 0; i < n; ++i) ++lengths[i % 5];
      CHECK(lamellar::histogram(words, 5, &std::string::size).get() == lengths);
    }
  });
}
