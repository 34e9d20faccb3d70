// SPDX-License-Identifier: BSD-3-Clause
// Random orders: nothing is lost, and the seed alone decides, not how many PEs there are.
#include <algorithm>
#include <cstdint>
#include <lamellar/algorithms/shuffle.hpp>
#include <lamellar/containers/array.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

/// Which number comes to each place, by the numbers that elements draw: on one PE alone.
std::vector<std::uint64_t> order_of(std::size_t n, std::uint64_t seed) {
  std::vector<std::uint64_t> places(n);
  std::iota(places.begin(), places.end(), std::uint64_t{0});
  const lamellar::detail::random_numbers number{seed};
  std::sort(places.begin(), places.end(),
            [&](std::uint64_t a, std::uint64_t b) { return number(a) < number(b); });
  return places;
}

template <class Array>
void check_shuffle(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    CAPTURE(n);
    const Array a = Array::create(w, n).get();
    for (const std::uint64_t seed : {std::uint64_t{17}, std::uint64_t{18}}) {
      fill(a, [&](std::size_t i) { return make<T>(i); });
      lamellar::shuffle(a, seed).get();
      std::vector<T> expected;
      for (const std::uint64_t i : order_of(n, seed)) expected.push_back(make<T>(i));
      CHECK(everything(a) == expected);
    }
    CHECK((n < 100 || order_of(n, 17) != order_of(n, 18)));
    fill(a, [](std::size_t) { return make<T>(5); });
    lamellar::shuffle(a, 1).get();
    CHECK(everything(a) == std::vector<T>(n, make<T>(5)));
  }
}

}  // namespace

TEST_CASE("a shuffle is the permutation of its seed, for any number of PEs") {
  on_pes([](world& w) {
    check_shuffle<unsafe_array<std::uint32_t>>(w);
    check_shuffle<atomic_array<std::uint64_t, layout::cyclic>>(w);
    check_shuffle<local_lock_array<std::string>>(w);
  });
}

TEST_CASE("a random permutation has every number once") {
  on_pes([](world& w) {
    for (const std::size_t n : sizes(w)) {
      CHECK(everything(random_permutation(w, n, 5).get()) == order_of(n, 5));
    }
  });
}

TEST_CASE("every place of a random permutation is as likely") {
  // Where 0 goes, in 3000 permutations of 6: each place 500 times, give or take.
  constexpr int rounds = 3000;
  std::vector<int> times(6);
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const auto all = order_of(6, seed);
    ++times[static_cast<std::size_t>(std::find(all.begin(), all.end(), 0U) - all.begin())];
  }
  for (const int each : times) {
    CHECK(each > 420);
    CHECK(each < 580);
  }
}
