// SPDX-License-Identifier: BSD-3-Clause
// How much memory a map of ten million entries takes.
#include <cstdint>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <utility>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

using number = std::uint64_t;
using numbers = unordered_map<number, number>;

}  // namespace

TEST_CASE("an entry of u64 and u64 takes at most 40 bytes") {
  on_pes([](world& w) -> task<> {
    constexpr number n = 10'000'000 / lamellar::testing::work_divisor;
    auto making = numbers::create(w);
    const auto map = co_await making;
    std::vector<std::pair<number, number>> some;
    for (number k = w.me().index(); k < n; k += w.size()) {
      some.emplace_back(k, k);
      if (some.size() == 10000) {
        map.insert(some);
        some.clear();
      }
    }
    map.insert(some);
    auto asking = statistics_of(map);
    const container_statistics what = co_await asking;
    CHECK(what.items == n);
    CHECK(what.bytes_per_item() <= 40);
    CHECK(what.imbalance() < 1.1);
    auto emptying = clear(map);
    co_await emptying;
    CHECK(map.local_bytes() < 100'000);  // given back
  });
}
