// SPDX-License-Identifier: BSD-3-Clause
// Extremes with their places, copies, and equality, against the standard library.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/copy.hpp>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/equal.hpp>
#include <lamellar/algorithms/extremes.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/array.hpp>
#include <limits>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class Array>
void check_extremes(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    for (const char* input : {"uniform", "equal", "few"}) {
      CAPTURE(n);
      CAPTURE(input);
      std::vector<T> all(n);
      for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
      testing::fill(a, [&](std::size_t i) { return all[i]; });
      const auto least = std::min_element(all.begin(), all.end());
      const auto greatest = std::max_element(all.begin(), all.end());
      const auto min = lamellar::min_element(a).get();
      const auto max = lamellar::max_element(a).get();
      const auto both = lamellar::minmax_element(a).get();
      CHECK(min.has_value() == (n != 0));
      CHECK(max.has_value() == (n != 0));
      CHECK(both.has_value() == (n != 0));
      if (n != 0) {
        CHECK(*min == located_element<T>{*least, static_cast<u64>(least - all.begin())});
        CHECK(*max == located_element<T>{*greatest, static_cast<u64>(greatest - all.begin())});
        CHECK(*both == located_pair<T>{*min, *max});
      }
    }
  }
}

template <class A, class B>
void check_equality(world& w) {
  using T = typename A::value_type;
  for (const std::size_t n : sizes(w)) {
    CAPTURE(n);
    const A a = A::create(w, n).get();
    const B b = B::create(w, n).get();
    testing::fill(a, [&](std::size_t i) { return element<T>("uniform", i, n); });
    testing::fill(b, [&](std::size_t i) { return element<T>("uniform", i, n); });
    CHECK(lamellar::equal(a, b).get());
    CHECK(lamellar::equal(b, a).get());
    if (n == 0) continue;
    testing::fill(b, [&](std::size_t i) {
      return i == n - 1 ? make<T>(3) : element<T>("uniform", i, n);
    });
    CHECK(!lamellar::equal(a, b).get());
    CHECK(lamellar::equal(a, b, [](const T&, const T&) { return true; }).get());
    const B shorter = B::create(w, n - 1).get();
    CHECK(!lamellar::equal(a, shorter).get());
  }
}

}  // namespace

TEST_CASE("the least and the greatest, and where they are") {
  on_pes([](world& w) {
    check_extremes<unsafe_array<u64>>(w);
    check_extremes<local_lock_array<std::int32_t, layout::cyclic>>(w);
    check_extremes<global_lock_array<std::string>>(w);
  });
}

TEST_CASE("extremes by a projection, and NaNs after all numbers") {
  on_pes([](world& w) {
    const auto a = unsafe_array<entry>::create(w, 101).get();
    testing::fill(a, [](std::size_t i) { return entry{i, i % 10}; });
    const auto max = lamellar::max_element(a, std::less<>{}, &entry::number).get();
    CHECK(max->index == 9);
    const auto min = lamellar::min_element(a, std::greater<>{}, &entry::number).get();
    CHECK(min->index == 9);
    const auto d = atomic_array<double>::create(w, 11).get();
    testing::fill(d, [](std::size_t i) {
      return i == 4 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(i);
    });
    CHECK(lamellar::min_element(d).get()->index == 0);
    const auto last = lamellar::max_element(d).get();
    CHECK(last->index == 4);
    CHECK(std::isnan(last->value));
  });
}

TEST_CASE("ranges are copied however they lie") {
  on_pes([](world& w) {
    for (const std::size_t n : sizes(w)) {
      CAPTURE(n);
      // All on the last member; as it lies in an array; and back.
      std::vector<std::string> own;
      for (std::size_t i = 0; i < n && w.me().index() + 1 == w.size(); ++i) {
        own.push_back(make<std::string>(i));
      }
      const auto from = segments<std::string>::create(w, own).get();
      const auto cyclic = local_lock_array<std::string, layout::cyclic>::create(w, n).get();
      lamellar::copy(from, cyclic).get();
      CHECK(everything(cyclic) == everything(from));
      testing::fill(from, [](std::size_t) { return std::string{}; });
      lamellar::copy(cyclic, from).get();
      CHECK(everything(from) == everything(cyclic));
      CHECK(from.local().size() == own.size());
      const auto alike = segments<std::string>::create(w, own).get();
      lamellar::copy(from, alike).get();
      CHECK(everything(alike) == everything(from));
    }
  });
}

TEST_CASE("ranges are compared however they lie") {
  on_pes([](world& w) {
    check_equality<unsafe_array<u64>, atomic_array<u64>>(w);
    check_equality<unsafe_array<u64>, local_lock_array<u64, layout::cyclic>>(w);
    check_equality<unsafe_array<std::string, layout::block_cyclic>, unsafe_array<std::string>>(
        w);
    const auto a = unsafe_array<u64>::create(w, 30).get();
    lamellar::iota(a).get();
    std::vector<u64> own;
    if (w.me().index() == 0) {
      for (u64 i = 0; i < 30; ++i) own.push_back(i);
    }
    CHECK(lamellar::equal(a, segments<u64>::create(w, std::move(own)).get()).get());
  });
}
