// SPDX-License-Identifier: BSD-3-Clause
// Sketches against exact answers, one by one and merged over all PEs.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <cstdint>
#include <lamellar/containers/bloom_filter.hpp>
#include <lamellar/containers/count_min.hpp>
#include <lamellar/containers/hyperloglog.hpp>
#include <lamellar/containers/quantile.hpp>
#include <lamellar/containers/reservoir.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

template <class T>
T made_of(std::uint64_t k) {
  if constexpr (std::same_as<T, std::string>) {
    return "item " + std::to_string(k);
  } else {
    return static_cast<T>(k);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("hyperloglog: distinct items within its error, at all sizes", T,
                   std::uint64_t, std::string) {
  for (const double error : {0.05, 0.01}) {
    for (const std::uint64_t n : {0, 1, 10, 1000, 100'000}) {
      auto sketch = hyperloglog<T>::size_for(error);
      CHECK(sketch.standard_error() <= error);
      for (std::uint64_t k = 0; k < n; ++k) {
        sketch.insert(made_of<T>(k));
        if (k % 3 == 0) sketch.insert(made_of<T>(k / 2));
      }
      const auto exact = static_cast<double>(n);
      CHECK(std::abs(sketch.estimate() - exact) <= 4 * error * exact + 1e-9);
    }
  }
  hyperloglog<T> one;
  for (int k = 0; k < 1000; ++k) one.insert(made_of<T>(7));
  CHECK(std::abs(one.estimate() - 1) < 0.01);
  CHECK_THROWS_AS(one.merge(hyperloglog<T>{5}), sketch_mismatch);
  CHECK_THROWS_AS(hyperloglog<T>{3}, error);
  CHECK_THROWS_AS(hyperloglog<T>::size_for(0.0001), error);
}

TEST_CASE_TEMPLATE("count_min: never too little, rarely too much", T, std::uint64_t,
                   std::string) {
  auto sketch = count_min<T>::size_for(0.001, 0.01);
  std::map<std::uint64_t, std::uint64_t> exact;
  for (std::uint64_t k = 0; k < 40'000; ++k) {
    const std::uint64_t item = k % 2 == 0 ? k % 10 : k;
    sketch.insert(made_of<T>(item), 1 + item % 2);
    exact[item] += 1 + item % 2;
  }
  std::uint64_t much = 0;
  for (const auto& [item, times] : exact) {
    const std::uint64_t estimate = sketch.estimate(made_of<T>(item));
    CHECK(estimate >= times);
    much += estimate > times + sketch.total() / 1000 ? 1 : 0;
  }
  std::uint64_t total = 0;
  for (const auto& [item, times] : exact) total += times;
  CHECK(sketch.total() == total);
  CHECK(much < exact.size() / 100);
  CHECK(count_min<T>{}.estimate(made_of<T>(1)) == 0);
  CHECK_THROWS_AS(sketch.merge(count_min<T>{10, 2}), sketch_mismatch);
  CHECK_THROWS_AS((count_min<T>{0, 2}), error);
}

TEST_CASE("quantile: places within its error, in any order of items") {
  constexpr std::uint64_t n = 100'000;
  for (const int way : {0, 1, 2}) {
    auto sketch = quantile<std::uint64_t>::size_for(0.01, 5);
    for (std::uint64_t k = 0; k < n; ++k) {
      sketch.insert(way == 0 ? k : way == 1 ? n - 1 - k : k * 7919 % n);
    }
    CHECK(sketch.seen() == n);
    CHECK(sketch.kept() < 3000);
    for (const double share : {0.0, 0.01, 0.25, 0.5, 0.9, 1.0}) {
      CHECK(std::abs(static_cast<double>(sketch.at(share)) / n - share) < 0.012);
      const auto item = static_cast<std::uint64_t>(share * n);
      CHECK(std::abs(sketch.share_below(item) - share) < 0.012);
    }
  }
  quantile<std::string, std::greater<>> equal;
  for (int k = 0; k < 10'000; ++k) equal.insert("the same");
  CHECK(equal.at(0.3) == "the same");
  CHECK(equal.share_below("the same") == 0);
  quantile<int> few;
  CHECK_THROWS_AS(few.at(0.5), error);
  for (const int k : {3, 1, 2}) few.insert(k);
  CHECK(few.at({0.0, 0.5, 1.0}) == std::vector<int>{1, 2, 3});
  CHECK_THROWS_AS(few.merge(quantile<int>{500}), sketch_mismatch);
}

TEST_CASE("reservoir: every item as likely as any other") {
  constexpr std::uint32_t n = 50;
  constexpr std::uint32_t rounds = 2000;
  std::vector<std::uint32_t> times(n);
  for (std::uint32_t round = 0; round < rounds; ++round) {
    reservoir<std::uint32_t> first{10, 2 * round};
    reservoir<std::uint32_t> second{10, 2 * round + 1};
    for (std::uint32_t k = 0; k < n; ++k) (k < 35 ? first : second).insert(k);
    first.merge(second);
    const std::vector<std::uint32_t> sample = first.items();
    CHECK(sample.size() == 10);
    CHECK(std::set(sample.begin(), sample.end()).size() == 10);
    for (const std::uint32_t k : sample) ++times[k];
  }
  for (const std::uint32_t t : times) {
    CHECK(t > 300);  // 400 are expected, with a deviation of 18
    CHECK(t < 500);
  }
  reservoir<std::string> all{100, 1};
  for (int k = 0; k < 30; ++k) all.insert(std::to_string(k));
  CHECK(all.items().size() == 30);
  CHECK(all.seen() == 30);
  CHECK(reservoir<int>{5, 0}.items().empty());
  CHECK_THROWS_AS(all.merge(reservoir<std::string>{7, 0}), sketch_mismatch);
}

TEST_CASE("sketches of all PEs, merged, are the sketch of all items") {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t n = 3000;
    hyperloglog<std::uint64_t> distinct, all_distinct;
    count_min<std::uint64_t> counts, all_counts;
    reservoir<std::uint64_t> sample{20, w.me().index()};
    quantile<std::uint64_t> order{400, w.me().index()};
    for (std::uint64_t k = 0; k < n; ++k) {
      const std::uint64_t item = k / 3;
      all_distinct.insert(item);
      all_counts.insert(item);
      if (k % w.size() == w.me().index()) {
        distinct.insert(item);
        counts.insert(item);
        sample.insert(item);
        order.insert(item);
      }
    }
    auto first = all_merge(w, distinct);
    CHECK(co_await first == all_distinct);
    auto second = all_merge(w, counts);
    CHECK(co_await second == all_counts);
    auto third = all_merge(w, sample);
    const reservoir<std::uint64_t> merged = co_await third;
    CHECK(merged.seen() == n);
    auto telling = broadcast(w, merged.items());
    CHECK(co_await telling == merged.items());
    CHECK(merged.items().size() == 20);
    auto fourth = all_merge(w, order);
    const quantile<std::uint64_t> ordered = co_await fourth;
    CHECK(ordered.seen() == n);
    CHECK(std::abs(static_cast<double>(ordered.at(0.5)) - n / 6.0) < n / 3.0 * 0.03);
  });
}

TEST_CASE_TEMPLATE("bloom_filter: no is certain, yes is wrong as often as was asked for", T,
                   std::uint64_t, std::string) {
  on_pes([](world& w) -> task<> {
    constexpr std::uint64_t items = 4000;
    for (const double mistakes : {0.1, 0.01, 0.001}) {
      const bloom_size size = bloom_filter<T>::size_for(items, mistakes);
      auto making = bloom_filter<T>::create(w, size);
      const auto filter = co_await making;
      CHECK(filter.size() == size);
      std::vector<T> list;
      for (std::uint64_t k = w.me().index(); k < items; k += w.size()) {
        if (k % 2 == 0) {
          filter.insert(made_of<T>(k));
        } else {
          list.push_back(made_of<T>(k));
        }
      }
      filter.insert(list);
      co_await w.quiesce();
      std::vector<T> asked;
      for (std::uint64_t k = 0; k < items; ++k) asked.push_back(made_of<T>(k));
      for (std::uint64_t k = 0; k < 20'000; ++k) asked.push_back(made_of<T>(1'000'000 + k));
      const auto answers = co_await filter.contains(asked);
      CHECK(std::count(answers.begin(), answers.begin() + items, 1) == items);
      const auto wrong = std::count(answers.begin() + items, answers.end(), 1);
      CHECK(static_cast<double>(wrong) < 20'000 * mistakes * 1.3 + 10);
      CHECK(static_cast<double>(wrong) > 20'000 * mistakes * 0.5 - 10);
      for (std::uint64_t k = w.me().index(); k < items; k += 501) {
        CHECK(co_await filter.contains(made_of<T>(k)));
      }
      co_await w.barrier();
    }
  });
}

TEST_CASE("bloom filters merge and forget") {
  on_pes([](world& w) -> task<> {
    using filter = bloom_filter<std::uint32_t>;
    const bloom_size size = filter::size_for(100, 0.01);
    auto making = filter::create(w, size);
    const filter odd = co_await making;
    auto making_other = filter::create(w, size);
    const filter even = co_await making_other;
    for (std::uint32_t k = 0; k < 100; ++k) (k % 2 == 0 ? even : odd).insert(k);
    auto merging = odd.merge(even);
    co_await merging;
    for (std::uint32_t k = 0; k < 100; ++k) CHECK(co_await odd.contains(k));
    auto filling = odd.fill();
    const double fill = co_await filling;
    CHECK(fill > 0.2);
    CHECK(fill < 0.7);
    co_await w.barrier();
    auto clearing = odd.clear();
    co_await clearing;
    CHECK_FALSE(co_await odd.contains(3));
    auto emptied = odd.fill();
    CHECK(co_await emptied == 0.0);
    auto making_small = filter::create(w, filter::size_for(10, 0.2));
    const filter small = co_await making_small;
    CHECK_THROWS_AS(small.merge(odd).get(), sketch_mismatch);
    CHECK_THROWS_AS(filter::size_for(10, 0), error);
    co_await w.barrier();
  });
}
