// SPDX-License-Identifier: BSD-3-Clause
// Two sorted ranges as one, against the standard library's.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/merge.hpp>
#include <lamellar/algorithms/segments.hpp>
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
void check_merge(const A& a, const B& b, const std::string& input) {
  using T = element_of<A>;
  const std::vector<T> one = sorted_input<T>(input, a.size(), 0);
  const std::vector<T> other = sorted_input<T>(input, b.size(), 3);
  testing::fill(a, [&](std::size_t i) { return one[i]; });
  testing::fill(b, [&](std::size_t i) { return other[i]; });
  CAPTURE(a.size());
  CAPTURE(b.size());
  CAPTURE(input);
  std::vector<T> expected;
  std::merge(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(expected));
  const auto merged = lamellar::merge(a, b).get();
  CHECK(everything(merged) == expected);
  for (std::uint32_t k = 0; k + 1 < merged.members().size(); ++k) {
    CHECK(merged.size_at(team_position{k}) - merged.size_at(team_position{k + 1}) <= 1);
  }
  CHECK(everything(a) == one);
  CHECK(everything(b) == other);
}

template <class A, class B>
void check_sizes(world& w) {
  for (const std::size_t n : sizes(w)) {
    const A a = A::create(w, n).get();
    const B b = B::create(w, n / 2 + 1).get();
    for (const char* input : {"uniform", "equal", "few"}) {
      check_merge(a, b, input);
      check_merge(b, a, input);
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

TEST_CASE("of equal elements those of the first range come first, in their order") {
  on_pes([](world& w) {
    const auto a = unsafe_array<entry>::create(w, 40).get();
    const auto b = unsafe_array<entry>::create(w, 23).get();
    testing::fill(a, [](std::size_t i) { return entry{i / 20, i}; });
    testing::fill(b, [](std::size_t i) { return entry{i / 10, 1000 + i}; });
    std::vector<entry> expected;
    const auto one = everything(a);
    const auto other = everything(b);
    const auto less = [](const entry& x, const entry& y) { return x.key < y.key; };
    std::merge(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(expected),
               less);
    CHECK(everything(lamellar::merge(a, b, std::less<>{}, &entry::key).get()) == expected);
  });
}
