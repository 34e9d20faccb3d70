// SPDX-License-Identifier: BSD-3-Clause
// Numbers by keys that are numbers; keys that many members share.
#include "by_key.hpp"

#include <cstdint>
#include <functional>
#include <lamellar/algorithms/reduce_by_key.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/array.hpp>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

using u64 = std::uint64_t;

TEST_CASE("numbers by numbers") {
  on_pes([](world& w) {
    check_by_key<unsafe_array<u64>, local_lock_array<u64>>(w, std::plus<>{});
  });
}

TEST_CASE("a key that many members share alone, and other orders") {
  on_pes([](world& w) {
    // 0 | 0 | ... | 0 9 | with members without elements between them.
    std::vector<std::int32_t> own;
    std::vector<u64> number;
    if (w.me().index() % 2 == 0) {
      own = {0};
      number = {1};
    }
    if (w.me().index() + 1 == w.size()) {
      own.push_back(9);
      number.push_back(5);
    }
    const auto keys = segments<std::int32_t>::create(w, own).get();
    const auto values = segments<u64>::create(w, number).get();
    const u64 zeros = (w.size() + 1U) / 2;
    const auto sums = everything(
        lamellar::reduce_by_key(keys, values, std::plus<>{}, std::greater<>{}).get());
    CHECK(sums == std::vector<key_value<std::int32_t, u64>>{{9, 5}, {0, zeros}});
    CHECK(keys.local().size() == own.size());
  });
}
