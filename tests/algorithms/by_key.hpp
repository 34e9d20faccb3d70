// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/algorithms/reduce_by_key.hpp>
#include <map>
#include <vector>

#include "distributed.hpp"
#include "pes.hpp"

// Values with equal keys, joined or put together, against a map.
namespace lamellar::testing {

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

}  // namespace lamellar::testing
