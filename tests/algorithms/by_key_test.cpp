// SPDX-License-Identifier: BSD-3-Clause
// Values with equal keys, joined or put together, against a map.
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/reduce_by_key.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/array.hpp>
#include <map>
#include <string>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

using u64 = std::uint64_t;

template <class Keys, class Values, class Op>
void check_by_key(world& w, Op op) {
  using K = element_of<Keys>;
  using V = element_of<Values>;
  for (const std::size_t n : sizes(w)) {
    const Keys keys = Keys::create(w, n).get();
    const Values values = Values::create(w, n).get();
    for (const char* input : {"uniform", "equal", "few", "zipf"}) {
      CAPTURE(n);
      CAPTURE(input);
      std::map<K, std::vector<V>> groups;
      for (std::size_t i = 0; i < n; ++i) {
        groups[element<K>(input, i, n)].push_back(make<V>(i));
      }
      testing::fill(keys, [&](std::size_t i) { return element<K>(input, i, n); });
      testing::fill(values, [](std::size_t i) { return make<V>(i); });
      std::vector<key_value<K, V>> sums;
      std::vector<key_value<K, std::vector<V>>> rows;
      for (const auto& [key, row] : groups) {
        V sum = row.front();
        for (std::size_t k = 1; k < row.size(); ++k) sum = op(sum, row[k]);
        sums.push_back({key, sum});
        rows.push_back({key, row});
      }
      CHECK(everything(lamellar::reduce_by_key(keys, values, op).get()) == sums);
      CHECK(everything(lamellar::group_by(keys, values).get()) == rows);
    }
  }
}

}  // namespace

TEST_CASE("numbers by numbers") {
  on_pes([](world& w) {
    check_by_key<unsafe_array<u64>, local_lock_array<u64>>(w, std::plus<>{});
  });
}

TEST_CASE("strings by strings: order is kept, though nothing commutes") {
  on_pes([](world& w) {
    check_by_key<unsafe_array<std::string>, atomic_array<std::string>>(w, std::plus<>{});
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
