// SPDX-License-Identifier: BSD-3-Clause
// Searches: what they find, and that they end early.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <lamellar/algorithms/elementwise.hpp>
#include <lamellar/algorithms/find.hpp>
#include <lamellar/containers/array.hpp>
#include <optional>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class Array>
void check_searches(world& w) {
  using T = typename Array::value_type;
  for (const std::size_t n : sizes(w)) {
    const Array a = Array::create(w, n).get();
    for (const char* input : {"uniform", "equal", "few"}) {
      CAPTURE(n);
      CAPTURE(input);
      std::vector<T> all(n);
      for (std::size_t i = 0; i < n; ++i) all[i] = element<T>(input, i, n);
      testing::fill(a, [&](std::size_t i) { return all[i]; });
      for (const std::size_t i : {std::size_t{0}, n / 2, n - 1}) {
        if (i >= n) continue;
        const auto first = std::find(all.begin(), all.end(), all[i]) - all.begin();
        CHECK(lamellar::find(a, all[i]).get() == static_cast<u64>(first));
      }
      CHECK(lamellar::find(a, make<T>(7'777)).get() == std::nullopt);
      const T limit = make<T>(u64{1} << 62);
      const auto small = [limit](const T& x) { return x < limit; };
      CHECK(lamellar::any_of(a, small).get() == std::any_of(all.begin(), all.end(), small));
      CHECK(lamellar::all_of(a, small).get() == std::all_of(all.begin(), all.end(), small));
      CHECK(lamellar::none_of(a, small).get() == std::none_of(all.begin(), all.end(), small));
    }
  }
}

}  // namespace

TEST_CASE("what is found is what the standard library finds") {
  on_pes([](world& w) {
    check_searches<unsafe_array<u64>>(w);
    check_searches<local_lock_array<std::int32_t, layout::cyclic>>(w);
    check_searches<global_lock_array<std::string>>(w);
  });
}

TEST_CASE("a search ends early") {
  on_pes([](world& w) {
    const std::size_t n = std::size_t{1'000'000} * w.size();
    const auto a = unsafe_array<u64>::create(w, n).get();
    lamellar::iota(a).get();
    std::atomic<std::size_t> looked_at{0};
    const auto is = [&looked_at](u64 wanted) {
      return [&looked_at, wanted](u64 x) {
        looked_at.fetch_add(1, std::memory_order_relaxed);
        return x == wanted;
      };
    };
    // Element 0: nobody goes on after the first round.
    CHECK(lamellar::find_if(a, is(0)).get() == 0);
    CHECK(looked_at <= 1U << 14);
    // One in the middle of the first segment: those after it stop early.
    looked_at = 0;
    CHECK(lamellar::find_if(a, is(100'000)).get() == 100'000);
    CHECK(looked_at < 500'000);
    // Any: wherever it is.
    looked_at = 0;
    CHECK(lamellar::any_of(a, is(n - 1'000'000)).get());
    CHECK(looked_at <= 1U << 14);
    looked_at = 0;
    CHECK(lamellar::find_if(a, is(n - 1)).get() == n - 1);
    CHECK(looked_at <= 1'000'000);
    CHECK(lamellar::find_if(a, is(n)).get() == std::nullopt);
  });
}
