// SPDX-License-Identifier: BSD-3-Clause
// Operations on two sorted ranges as sets, against the standard library's.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <lamellar/algorithms/set_operations.hpp>
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class T>
std::vector<T> sorted_input(const std::string& input, std::size_t n, std::size_t skipped) {
  std::vector<T> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(element<T>(input, i + skipped, n));
  std::sort(all.begin(), all.end());
  return all;
}

template <class A, class B>
void check_sets(const A& a, const B& b, const std::string& input) {
  using T = element_of<A>;
  const std::vector<T> one = sorted_input<T>(input, a.size(), 0);
  const std::vector<T> other = sorted_input<T>(input, b.size(), 3);
  testing::fill(a, [&](std::size_t i) { return one[i]; });
  testing::fill(b, [&](std::size_t i) { return other[i]; });
  CAPTURE(a.size());
  CAPTURE(b.size());
  CAPTURE(input);
  const auto expect = [&](const auto& of, const auto& by_standard) {
    std::vector<T> expected;
    by_standard(one.begin(), one.end(), other.begin(), other.end(),
                std::back_inserter(expected));
    CHECK(everything(of) == expected);
  };
  expect(lamellar::set_union(a, b).get(), [](auto... x) { std::set_union(x...); });
  expect(lamellar::set_intersection(a, b).get(),
         [](auto... x) { std::set_intersection(x...); });
  expect(lamellar::set_difference(a, b).get(), [](auto... x) { std::set_difference(x...); });
  expect(lamellar::set_symmetric_difference(a, b).get(),
         [](auto... x) { std::set_symmetric_difference(x...); });
  CHECK(everything(a) == one);
  CHECK(everything(b) == other);
}

template <class A, class B>
void check_sizes(world& w) {
  for (const std::size_t n : sizes(w)) {
    const A a = A::create(w, n).get();
    const B b = B::create(w, n / 2 + 1).get();
    for (const char* input : {"uniform", "equal", "few"}) {
      check_sets(a, b, input);
      check_sets(b, a, input);
    }
  }
}

}  // namespace

TEST_CASE("numbers, in other layouts") {
  on_pes([](world& w) {
    check_sizes<unsafe_array<u64>, local_lock_array<u64, layout::cyclic>>(w);
  });
}

TEST_CASE("strings") {
  on_pes(
      [](world& w) { check_sizes<unsafe_array<std::string>, atomic_array<std::string>>(w); });
}
