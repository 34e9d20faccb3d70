// SPDX-License-Identifier: BSD-3-Clause
// Sets, multisets, multimaps and id_maps against models, and their algebra.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/containers/id_map.hpp>
#include <lamellar/containers/unordered_multimap.hpp>
#include <lamellar/containers/unordered_multiset.hpp>
#include <lamellar/containers/unordered_set.hpp>
#include <optional>
#include <set>
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

template <class K, class F>
void for_all(const spread& how, std::uint32_t pes, std::uint32_t step, F f) {
  for (std::uint32_t pe = 0; pe < pes; ++pe) {
    for (const number k : numbers_of(how, pe, step)) f(key_number<K>(k));
  }
}
template <class K>
std::vector<K> keys_of(const world& w, const spread& how, std::uint32_t step) {
  std::vector<K> keys;
  for (const number k : numbers_of(how, w.me().index(), step)) keys.push_back(key_number<K>(k));
  return keys;
}

template <class C, class Model>
task<> check_items(C c, Model model) {
  auto gathering = gather(c);
  auto items = co_await gathering;
  std::sort(items.begin(), items.end());
  if (c.members().position().index() == 0) {
    CHECK(items == std::vector<typename C::item_type>(model.begin(), model.end()));
  }
}

template <class K>
task<> check_set(world& w, const spread& how) {
  using set = unordered_set<K>;
  std::set<K> model_a, model_b;
  auto making_a = set::create(w);
  const set a = co_await making_a;
  auto making_b = set::create(w);
  const set b = co_await making_b;
  for (const K& key : keys_of<K>(w, how, 1)) a.insert(key);
  for_all<K>(how, w.size(), 1, [&](const K& key) { model_a.insert(key); });
  b.insert(keys_of<K>(w, how, 2));
  for_all<K>(how, w.size(), 2, [&](const K& key) { model_b.insert(key); });
  auto check_a = check_items(a, model_a);
  co_await check_a;
  auto check_b = check_items(b, model_b);
  co_await check_b;

  const std::vector<K> asked = keys_of<K>(w, how, 3);
  auto looking = a.contains_many(asked);
  const std::vector<std::uint8_t> found = co_await looking;
  for (std::size_t k = 0; k < asked.size(); ++k) {
    CHECK((found[k] != 0) == model_a.contains(asked[k]));
  }
  co_await w.barrier();

  std::vector<K> joined;
  auto making_c = set::create(w);
  const set c = co_await making_c;
  auto first = c.unite(a);
  co_await first;
  auto uniting = c.unite(b);
  co_await uniting;
  std::set_union(model_a.begin(), model_a.end(), model_b.begin(), model_b.end(),
                 std::back_inserter(joined));
  auto check_c = check_items(c, joined);
  co_await check_c;
  auto intersecting = c.intersect(b);
  co_await intersecting;
  check_c = check_items(c, model_b);
  co_await check_c;
  auto subtracting = c.subtract(a);
  co_await subtracting;
  joined.clear();
  std::set_difference(model_b.begin(), model_b.end(), model_a.begin(), model_a.end(),
                      std::back_inserter(joined));
  check_c = check_items(c, joined);
  co_await check_c;
  auto with_itself = c.unite(c);
  co_await with_itself;
  check_c = check_items(c, joined);
  co_await check_c;
  auto from_itself = c.subtract(c);
  co_await from_itself;
  check_c = check_items(c, std::vector<K>{});
  co_await check_c;

  a.erase(keys_of<K>(w, how, 2));
  for (const K& key : keys_of<K>(w, how, 4)) a.erase(key);
  for_all<K>(how, w.size(), 2, [&](const K& key) { model_a.erase(key); });
  for_all<K>(how, w.size(), 4, [&](const K& key) { model_a.erase(key); });
  check_a = check_items(a, model_a);
  co_await check_a;

  const K own = key_number<K>(1'000'000 + w.me().index());
  CHECK(!co_await a.contains(own));
  CHECK(co_await a.try_insert(own));
  CHECK(!co_await a.try_insert(own));
  CHECK(co_await a.contains(own));
  CHECK(co_await a.try_erase(own));
  CHECK(!co_await a.try_erase(own));
  co_await w.barrier();
}

template <class K>
task<> check_multiset(world& w, const spread& how) {
  using set = unordered_multiset<K>;
  std::multiset<K> model_a, model_b;
  auto making_a = set::create(w);
  const set a = co_await making_a;
  auto making_b = set::create(w);
  const set b = co_await making_b;
  for (const K& key : keys_of<K>(w, how, 1)) a.insert(key);
  a.insert(keys_of<K>(w, how, 3));
  for_all<K>(how, w.size(), 1, [&](const K& key) { model_a.insert(key); });
  for_all<K>(how, w.size(), 3, [&](const K& key) { model_a.insert(key); });
  for (const K& key : keys_of<K>(w, how, 2)) b.insert(key, 2);
  for_all<K>(how, w.size(), 2, [&](const K& key) {
    model_b.insert(key);
    model_b.insert(key);
  });
  auto check_a = check_items(a, model_a);
  co_await check_a;
  CHECK(co_await a.count(key_number<K>(0)) == model_a.count(key_number<K>(0)));
  co_await w.barrier();

  std::vector<K> joined;
  auto making_c = set::create(w);
  const set c = co_await making_c;
  auto first = c.unite(a);
  co_await first;
  auto uniting = c.unite(b);
  co_await uniting;
  std::merge(model_a.begin(), model_a.end(), model_b.begin(), model_b.end(),
             std::back_inserter(joined));
  auto check_c = check_items(c, joined);
  co_await check_c;
  auto subtracting = c.subtract(a);
  co_await subtracting;
  check_c = check_items(c, model_b);
  co_await check_c;
  auto intersecting = c.intersect(a);
  co_await intersecting;
  joined.clear();
  std::set_intersection(model_b.begin(), model_b.end(), model_a.begin(), model_a.end(),
                        std::back_inserter(joined));
  check_c = check_items(c, joined);
  co_await check_c;

  const K own = key_number<K>(1'000'000 + w.me().index());
  a.insert(own, 2);
  w.wait_all();
  CHECK(co_await a.try_erase_one(own));
  CHECK(co_await a.contains(own));
  CHECK(co_await a.try_erase_one(own));
  CHECK(!co_await a.contains(own));
  CHECK(!co_await a.try_erase_one(own));
  a.insert(own, 3);
  w.wait_all();
  a.erase(own);
  w.wait_all();
  CHECK(co_await a.count(own) == 0);
  co_await w.barrier();
}

template <class K>
task<> check_multimap(world& w, const spread& how) {
  using map = unordered_multimap<K, number>;
  std::multiset<std::pair<K, number>> model;
  auto making = map::create(w);
  const map groups = co_await making;
  std::vector<std::pair<K, number>> items;
  for (const number k : numbers_of(how, w.me().index(), 1)) {
    groups.insert(key_number<K>(k), k);
    items.emplace_back(key_number<K>(k), k + 1);
  }
  groups.insert(items);
  for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
    for (const number k : numbers_of(how, pe, 1)) {
      model.emplace(key_number<K>(k), k);
      model.emplace(key_number<K>(k), k + 1);
    }
  }
  auto checking = check_items(groups, model);
  co_await checking;
  const K key = key_number<K>(0);
  std::vector<number> expected;
  for (const auto& [k, value] : model) {
    if (k == key) expected.push_back(value);
  }
  CHECK(co_await groups.count(key) == expected.size());
  CHECK(co_await groups.contains(key) == !expected.empty());
  auto finding = groups.find_group(key);
  const std::optional<std::vector<number>> maybe_found = co_await finding;
  std::vector<number> found = maybe_found.value_or(std::vector<number>{});
  std::sort(found.begin(), found.end());
  CHECK(found == expected);
  const auto largest = co_await groups.visit_group(
      key,
      [](const std::vector<number>& all, number least) {
        return std::max(least, *std::max_element(all.begin(), all.end()));
      },
      number{0});
  CHECK(largest.has_value() == !expected.empty());
  if (!expected.empty()) CHECK(largest == expected.back());
  auto grouping = groups.group_by();
  const auto by_key = co_await grouping;
  auto sizing = size(by_key);
  std::set<K> distinct;
  for (const auto& each : model) distinct.insert(each.first);
  CHECK(co_await sizing == distinct.size());
  groups.erase(key);
  std::erase_if(model, [&](const auto& each) { return each.first == key; });
  checking = check_items(groups, model);
  co_await checking;
}

template <class K>
task<> check_ids(world& w, const spread& how) {
  auto making = id_map<K>::create(w);
  const auto ids = co_await making;
  const std::vector<K> keys = keys_of<K>(w, how, 1);
  auto interning = ids.intern(keys);
  const std::vector<number> dealt = co_await interning;
  for (std::size_t k = 0; k < std::min<std::size_t>(20, keys.size()); ++k) {
    CHECK(co_await ids.intern(keys[k]) == dealt[k]);
    CHECK(co_await ids.name(dealt[k]) == std::optional<K>{keys[k]});
    CHECK(co_await ids.find(keys[k]) == std::optional<number>{dealt[k]});
  }
  CHECK(co_await ids.find(key_number<K>(1'000'000)) == std::nullopt);
  auto freezing = ids.freeze();
  co_await freezing;
  std::set<K> distinct;
  for_all<K>(how, w.size(), 1, [&](const K& key) { distinct.insert(key); });
  CHECK(ids.ids() == distinct.size());
  // All numbers from 0 on, each once.
  std::vector<number> mine;
  ids.local_for_each([&](const K&, number id) { mine.push_back(id); });
  auto gathering = all_gather(w, mine);
  std::vector<number> all;
  for (const auto& part : co_await gathering) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  CHECK(all.size() == distinct.size());
  for (number k = 0; k < all.size(); ++k) CHECK(all[k] == k);
  for (std::size_t k = 0; k < std::min<std::size_t>(20, keys.size()); ++k) {
    const number id = ids.frozen_id(dealt[k]);
    CHECK(co_await ids.intern(keys[k]) == id);
    CHECK(co_await ids.name(id) == std::optional<K>{keys[k]});
  }
  CHECK(co_await ids.name(ids.ids()) == std::nullopt);
  auto late = ids.intern(key_number<K>(1'000'000));
  CHECK_THROWS_AS(late.get(), remote_error);
  co_await w.barrier();
}

}  // namespace

TEST_CASE_TEMPLATE("a set, and its union, intersection and difference with another", K, number,
                   std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return check_set<K>(w, how); });
  }
}
TEST_CASE_TEMPLATE("a multiset, and the same of it", K, number, std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return check_multiset<K>(w, how); });
  }
}
TEST_CASE_TEMPLATE("a multimap has groups", K, number, std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return check_multimap<K>(w, how); });
  }
}
TEST_CASE_TEMPLATE("numbers of keys are dense once they are frozen", K, number, std::string) {
  for (const spread& how : spreads()) {
    CAPTURE(how.name);
    on_pes([&how](world& w) { return check_ids<K>(w, how); });
  }
}
