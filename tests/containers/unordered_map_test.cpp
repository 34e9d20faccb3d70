// SPDX-License-Identifier: BSD-3-Clause
// The hash map against a std::map of which every PE computes its own: all operations, one by
// one and many at a time, from all PEs at once.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/unordered_map.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keyed_input.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::key_number;
using lamellar::testing::numbers_of;
using lamellar::testing::on_pes;
using lamellar::testing::spread;
using lamellar::testing::spreads;

namespace {

using number = std::uint64_t;

struct add_to {
  void operator()(number& value, number by) const { value += by; }
};
struct larger {
  number operator()(number a, number b) const { return std::max(a, b); }
};

/// Call f(number) for the keys of all PEs in a step.
template <class F>
void for_all(const spread& how, std::uint32_t pes, std::uint32_t step, F f) {
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const number k : numbers_of(how, pe, step)) f(k);
  }
}

template <class Map, class Model>
task<> check_same(Map map, const Model& model) {
  auto gathering = gather(map);
  auto items = co_await gathering;
  std::sort(items.begin(), items.end());
  if (map.members().position().index() == 0) {
    CHECK(std::equal(items.begin(), items.end(), model.begin(), model.end(),
                     [](const auto& a, const auto& b) {
                       return a.first == b.first && a.second == b.second;
                     }));
  }
}

/// What PEs do without waiting; every step ends with a quiesce.
template <class K>
task<> steps_without_answers(world& w, const spread& how) {
  auto making = unordered_map<K, number>::create(w);
  const auto map = co_await making;
  std::map<K, number> model;
  const auto mine = [&](std::uint32_t step) { return numbers_of(how, w.me().index(), step); };

  // A key has the same value, whoever puts it in first.
  for (const number k : mine(1)) map.insert(key_number<K>(k), k + 1);
  for_all(how, w.size(), 1, [&](number k) { model.emplace(key_number<K>(k), k + 1); });
  auto same = check_same(map, model);
  co_await same;

  for (const number k : mine(2)) map.update(key_number<K>(k), add_to{}, k);
  for_all(how, w.size(), 2, [&](number k) { model[key_number<K>(k)] += k; });
  same = check_same(map, model);
  co_await same;

  for (const number k : mine(3)) map.reduce(key_number<K>(k), 3 * k, larger{});
  for_all(how, w.size(), 3, [&](number k) {
    const auto [at, is_new] = model.emplace(key_number<K>(k), 3 * k);
    at->second = std::max(at->second, 3 * k);
  });
  same = check_same(map, model);
  co_await same;

  for (const number k : mine(4)) map.erase(key_number<K>(k));
  for_all(how, w.size(), 4, [&](number k) { model.erase(key_number<K>(k)); });
  same = check_same(map, model);
  co_await same;

  for (const number k : mine(5)) map.insert_or_assign(key_number<K>(k), 5 * k);
  for_all(how, w.size(), 5, [&](number k) { model[key_number<K>(k)] = 5 * k; });
  same = check_same(map, model);
  co_await same;

  // The same many at a time.
  std::vector<K> keys;
  std::vector<number> values;
  const auto list = [&](std::uint32_t step, number factor) {
    keys.clear();
    values.clear();
    for (const number k : mine(step)) {
      keys.push_back(key_number<K>(k));
      values.push_back(factor * k + 1);
    }
  };
  list(6, 2);
  map.insert(keys, values);
  for_all(how, w.size(), 6, [&](number k) { model.emplace(key_number<K>(k), 2 * k + 1); });
  same = check_same(map, model);
  co_await same;

  list(7, 7);
  map.insert_or_assign(keys, values);
  for_all(how, w.size(), 7, [&](number k) { model[key_number<K>(k)] = 7 * k + 1; });
  same = check_same(map, model);
  co_await same;

  list(8, 1);
  map.reduce(keys, values, std::plus<>{});
  for_all(how, w.size(), 8, [&](number k) { model[key_number<K>(k)] += k + 1; });
  same = check_same(map, model);
  co_await same;

  list(9, 1);
  auto finding = map.find_many(keys);
  const auto found = co_await finding;
  REQUIRE(found.size() == keys.size());
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const auto at = model.find(keys[k]);
    CHECK(found[k] == (at == model.end() ? std::nullopt : std::optional{at->second}));
  }
  co_await w.barrier();
  map.erase(keys);
  for_all(how, w.size(), 9, [&](number k) { model.erase(key_number<K>(k)); });
  same = check_same(map, model);
  co_await same;

  auto best = map.top_k(5);
  const auto top = co_await best;
  std::vector<std::pair<K, number>> all(model.begin(), model.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  all.resize(std::min<std::size_t>(5, all.size()));
  CHECK(top == all);
}

/// What PEs do and wait for: each has keys of its own.
template <class K>
task<> steps_with_answers(world& w, const spread& how) {
  auto making = unordered_map<K, number>::create(w);
  const auto map = co_await making;
  std::map<K, number> model;
  number expected_sum = 0;
  for (const number k : numbers_of(how, w.me().index(), 1)) {
    const K key = key_number<K>(k * w.size() + w.me().index());
    const bool was_there = model.contains(key);
    switch (k % 6 + (was_there ? 0 : 6)) {
      case 0:
      case 6: {
        CHECK(co_await map.try_emplace(key, k) == !was_there);
        model.emplace(key, k);
        break;
      }
      case 1: {
        const std::optional<number> value = co_await map.extract(key);
        CHECK(value == model.at(key));
        model.erase(key);
        break;
      }
      case 2: {
        const auto doubled = co_await map.visit(
            key, [](number& value, number by) { return (value += by) * 2; }, k);
        model[key] += k;
        CHECK(doubled == model[key] * 2);
        break;
      }
      case 3: {
        CHECK(co_await map.try_erase(key));
        CHECK(!co_await map.contains(key));
        model.erase(key);
        break;
      }
      case 4: {
        CHECK(co_await map.at(key) == model.at(key));
        CHECK(co_await map.visit(key, [](number& value) { ++value; }));
        ++model[key];
        break;
      }
      default: {
        const std::optional<number> none = co_await map.find(key);
        CHECK(none.has_value() == was_there);
        CHECK(co_await map.visit(key, [](number& value) { ++value; }) == was_there);
        CHECK(co_await map.try_erase(key) == was_there);
        if (k % 2 == 0) {
          map.update(
              key, [](number& value, number by) { value += by; }, k);
          CHECK(map.find(key).valid());
          w.wait_all();
          CHECK(co_await map.find(key) == k);
          model[key] = k;
        } else {
          model.erase(key);
        }
      }
    }
  }
  for (const auto& [key, value] : model) {
    CHECK(map.find(key).get() == value);
    expected_sum += value;
  }
  auto summing = reduce(
      map, [](const std::pair<K, number>& item) { return item.second; }, std::plus<>{});
  const auto sum = co_await summing;
  auto adding = all_reduce(w, expected_sum);
  CHECK(sum.value_or(0) == co_await adding);
}

}  // namespace

TEST_CASE_TEMPLATE("a map has what a std::map would have, without answers", K, number,
                   std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return steps_without_answers<K>(w, how); });
  }
}

TEST_CASE_TEMPLATE("a map answers what a std::map would answer", K, number, std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return steps_with_answers<K>(w, how); });
  }
}
