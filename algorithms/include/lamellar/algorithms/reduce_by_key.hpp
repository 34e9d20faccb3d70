// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/detail/sort_steps.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Values that have equal keys, joined to one or put together: two distributed ranges of one
// team, in which keys[i] belongs to values[i], in any order.
//
// Each member joins what it has, by a stable sort of its own; the rest, at most one of a key
// from each member, is sorted by key over all of them. The result has every key once, in order.
//
// Values of a key are joined in the order of the segments: where this is the order of indices
// an operation need not commute. Collective; begins with a quiesce of the team. Requires:
// functions do not throw. Threads: the body.
namespace lamellar {

/// A key and what belongs to it.
template <class K, class V>
struct key_value {
  K key;
  V value;

  friend bool operator==(const key_value&, const key_value&) = default;
};

/// Every key once, in order, with op(v0, op(v1, ...)) of its values.
///
/// Cost: n/P log(n/P), and a stable_sort() of what is left; keys that differ travel once from
/// each member that has them. Memory: keys and values twice. Requires: op is associative.
/// Misuse: ranges with segments of other sizes, or dealt out in another way.
template <distributed_range Keys, distributed_range Values, class Op = std::plus<>,
          class Compare = std::less<>>
auto reduce_by_key(const Keys& keys, const Values& values, Op op = {}, Compare compare = {},
                   std::source_location where = std::source_location::current())
    -> task<segments<key_value<element_of<Keys>, element_of<Values>>>>;

/// Every key once, in order, with all of its values as a vector, in the order of segments.
///
/// Cost and misuse: as reduce_by_key(), and every value travels. Limit: all values of a key are
/// on one member.
template <distributed_range Keys, distributed_range Values, class Compare = std::less<>>
auto group_by(const Keys& keys, const Values& values, Compare compare = {},
              std::source_location where = std::source_location::current())
    -> task<segments<key_value<element_of<Keys>, std::vector<element_of<Values>>>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// How values become one: by an operation.
template <class V, class Op>
struct join_values {
  using result = V;
  Op op;
  V begin(V value) const { return value; }
  void add(V& all, V value) const {
    all = static_cast<V>(op(std::move(all), std::move(value)));
  }
  void join(V& all, V more) const { add(all, std::move(more)); }
};

/// How values are put together.
template <class V>
struct collect_values {
  using result = std::vector<V>;
  result begin(V value) const {
    result one;
    one.push_back(std::move(value));
    return one;
  }
  void add(result& all, V value) const { all.push_back(std::move(value)); }
  void join(result& all, result more) const {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  }
};

/// Which keys a member has, of those that others may have as well.
template <class K>
struct key_ends {
  K first{};
  K last{};
  std::uint64_t keys = 0;
};

/// Each member has keys in order, once on each, and a key of one may be the last of the member
/// before: that one gets it. Collective.
template <class K, class U, class Fold, class Compare>
task<std::vector<key_value<K, U>>> join_over_ends(located_team of,
                                                  std::vector<key_value<K, U>> row, Fold fold,
                                                  Compare compare) {
  std::vector<key_value<K, U>> own = std::move(row);
  key_ends<K> mine;
  if (!own.empty()) {
    mine = {own.front().key, own.back().key, own.size()};
  }
  auto gathering = all_gather(of, std::move(mine));
  const std::vector<key_ends<K>> ends = co_await gathering;
  // The first member that has this one's first key.
  const std::uint32_t here = of.value.position().index();
  std::uint32_t first = here;
  for (std::uint32_t k = here; k-- > 0 && !own.empty();) {
    if (ends[k].keys == 0) {
      continue;
    }
    if (compare(ends[k].last, own.front().key)) {
      break;
    }
    first = k;
    if (ends[k].keys > 1) {
      break;
    }
  }
  std::vector<U> leaving;
  if (first != here) {
    leaving.push_back(std::move(own.front().value));
    own.erase(own.begin());
  }
  const auto route = [first](const U&) { return team_position{first}; };
  auto moving = exchange_placed(of, leaving, route);
  auto got = co_await moving;
  for (U& each : got) {
    fold.join(own.back().value, std::move(each));
  }
  co_return own;
}

template <class Keys, class Values, class Fold, class Compare>
auto values_by_key(Keys given_keys, Values given_values, Fold fold, Compare compare,
                   const char* what, std::source_location where)
    -> task<segments<key_value<element_of<Keys>, typename Fold::result>>> {
  using K = element_of<Keys>;
  using V = element_of<Values>;
  using joined = key_value<K, typename Fold::result>;
  const Keys keys = std::move(given_keys);
  const Values values = std::move(given_values);
  const located_team of{keys.members(), where};
  world& at = of.value.where();
  check_segments(of, what, keys, values);
  auto settling = of.value.quiesce(where);
  co_await settling;
  // In the order of keys, here.
  std::vector<keyed<K, V>> pairs;
  {
    auto opening = open_to_read(keys, where);
    auto key_segment = co_await opening;
    auto opening_values = open_to_read(values, where);
    auto value_segment = co_await opening_values;
    pairs.reserve(key_segment.local().size());
    for (std::size_t k = 0; k < key_segment.local().size(); ++k) {
      pairs.push_back({key_segment.local()[k], value_segment.local()[k]});
    }
    value_segment.close();
    key_segment.close();
  }
  const keyed_order<K, V, Compare, std::identity> by{compare, {}};
  sort_in_place<keyed<K, V>>(at, pairs, by, true);
  const auto one_of_each = [](auto& row, const auto& order, const auto& begin,
                              const auto& add) {
    std::vector<joined> result;
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (k == 0 || order(row[k - 1], row[k])) {
        result.push_back({row[k].key, begin(std::move(row[k].value))});
      } else {
        add(result.back().value, std::move(row[k].value));
      }
    }
    return result;
  };
  std::vector<joined> here = one_of_each(
      pairs, by, [&](V value) { return fold.begin(std::move(value)); },
      [&](auto& all, V value) { fold.add(all, std::move(value)); });
  pairs = {};
  // In the order of keys, everywhere.
  auto making = segments<joined>::create(of, std::move(here));
  const segments<joined> rows = co_await making;
  auto sorting = lamellar::stable_sort(rows, compare, &joined::key, where);
  co_await sorting;
  const auto local = rows.local();
  const sort_order<joined, Compare, K joined::*> order{compare, &joined::key};
  using result_type = typename Fold::result;
  std::vector<joined> once = one_of_each(
      local, order, [](result_type value) { return value; },
      [&](auto& all, result_type value) { fold.join(all, std::move(value)); });
  const auto before = [order](const K& a, const K& b) {
    return sort_order<K, Compare, std::identity>{order.compare, {}}(a, b);
  };
  auto joining = join_over_ends<K, result_type>(of, std::move(once), fold, before);
  std::vector<joined> result = co_await joining;
  auto finishing = segments<joined>::create(of, std::move(result));
  co_return co_await finishing;
}

}  // namespace detail

template <distributed_range Keys, distributed_range Values, class Op, class Compare>
auto reduce_by_key(const Keys& keys, const Values& values, Op op, Compare compare,
                   std::source_location where)
    -> task<segments<key_value<element_of<Keys>, element_of<Values>>>> {
  const detail::join_values<element_of<Values>, Op> fold{std::move(op)};
  return detail::values_by_key(keys, values, fold, std::move(compare), "reduce_by_key", where);
}

template <distributed_range Keys, distributed_range Values, class Compare>
auto group_by(const Keys& keys, const Values& values, Compare compare,
              std::source_location where)
    -> task<segments<key_value<element_of<Keys>, std::vector<element_of<Values>>>>> {
  const detail::collect_values<element_of<Values>> fold{};
  return detail::values_by_key(keys, values, fold, std::move(compare), "group_by", where);
}

}  // namespace lamellar
