// SPDX-License-Identifier: BSD-3-Clause
// Scans of distributed ranges, against those of the standard library.
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/scan.hpp>
#include <lamellar/containers/array.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

/// Associative, but does not commute.
struct last_of_both {
  std::uint64_t operator()(std::uint64_t a, std::uint64_t b) const {
    return b % 3 == 0 ? a : b;
  }
};

template <class From, class To, class Op>
void check_scans(world& w, std::size_t n, Op op, element_of<From> init) {
  using T = element_of<From>;
  const From from = From::create(w, n).get();
  const To to = To::create(w, n).get();
  std::vector<T> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = element<T>("uniform", i, n);
  fill(from, [&](std::size_t i) { return all[i]; });
  std::vector<T> expected(n);
  std::inclusive_scan(all.begin(), all.end(), expected.begin(), op);
  lamellar::inclusive_scan(from, to, op).get();
  CAPTURE(n);
  CHECK(everything(to) == expected);
  CHECK(everything(from) == all);
  std::exclusive_scan(all.begin(), all.end(), expected.begin(), init, op);
  lamellar::exclusive_scan(from, to, init, op).get();
  CHECK(everything(to) == expected);
  // In place.
  lamellar::exclusive_scan(from, from, init, op).get();
  CHECK(everything(from) == expected);
  std::inclusive_scan(expected.begin(), expected.end(), expected.begin(), op);
  lamellar::inclusive_scan(from, from, op).get();
  CHECK(everything(from) == expected);
}

template <class From, class To, class Op>
void check_sizes(world& w, Op op, element_of<From> init) {
  for (const std::size_t n : sizes(w)) check_scans<From, To>(w, n, op, init);
}

}  // namespace

TEST_CASE("scans of numbers, in arrays of every access") {
  on_pes([](world& w) {
    using u64 = std::uint64_t;
    check_sizes<unsafe_array<u64>, unsafe_array<u64>>(w, std::plus<>{}, 7);
    check_sizes<atomic_array<u64>, unsafe_array<u64>>(w, last_of_both{}, 3);
    check_sizes<local_lock_array<u64>, global_lock_array<u64>>(w, last_of_both{}, 5);
    check_scans<unsafe_array<u64>, unsafe_array<u64>>(w, 100'003, std::plus<>{}, 1);
  });
}

TEST_CASE("scans in the order of indices that are dealt out") {
  on_pes([](world& w) {
    using cyclic = unsafe_array<std::uint64_t, layout::cyclic>;
    using dealt = atomic_array<std::uint64_t, layout::block_cyclic>;
    check_sizes<cyclic, cyclic>(w, last_of_both{}, 2);
    check_sizes<dealt, dealt>(w, std::plus<>{}, 9);
  });
}

TEST_CASE("strings are joined in order") {
  on_pes([](world& w) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{2}, std::size_t{61}}) {
      check_scans<unsafe_array<std::string>, local_lock_array<std::string>>(
          w, n, std::plus<std::string>{}, "begin:");
    }
  });
}
