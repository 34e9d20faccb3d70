// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/detail/sort_steps.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// Sorting what all members of a team have together: arrays, views of them, and any other
// distributed range.
//
//   co_await sort(a);                                     // ascending
//   co_await sort(people, std::greater<>{}, &person::age);
//   const auto places = co_await argsort(a);              // a stays as it is
//
// Every segment keeps its size exactly, whatever the elements are: equal keys are divided where
// a segment ends. Elements travel once (twice where the order of indices is not that of the
// segments, as in a cyclic layout), after a search for the keys that divide them, which looks
// at each element once and exchanges samples and counts, of about 2^16 keys together. Then each
// member sorts what it has got, with all its threads: numbers by vector instructions, records
// of up to 64 bytes by the digits of a key that is a number, strings by eight characters at a
// time, everything else by comparisons.
//
// Order of floating-point keys, for less and greater: -inf ... -0.0, +0.0 ... +inf, then NaNs;
// greater is the reverse. A comparison of your own must be a strict weak order of all keys that
// there are. Comparisons and projections do not throw, do not use the world, and may be called
// by several threads at once.
//
// All are tasks and collective: all members of the range's team call them, in the same order as
// their other collectives. They begin with a quiesce of the team, so that what any member has
// sent is there, hold the range's lock if it has one, and end when all members have done their
// part. Meanwhile nobody else may use the elements of a range without locks. Elements travel,
// and are default constructible and movable.
//
// Memory: the elements once more, as they arrive, and at most a few hundredths of them in
// indices; strings 32 bytes each in addition. Throws: out_of_memory, on all members alike; the
// elements are then as they were.
//
// Thread-safety: the body.
namespace lamellar {

/// Sort the elements. Equal ones may change places. Collective.
///
/// Cost: n/P log(n/P) on each PE; each element is sent once to the PE that shall have it.
/// Source: histogram sort with sampling (Harsh, Kale, Solomonik).
template <writable_range R, class Compare = std::less<>, class Projection = std::identity>
task<> sort(const R& range, Compare compare = {}, Projection projection = {},
            std::source_location where = std::source_location::current());

/// The same; equal elements stay in the order in which they were. Collective.
///
/// Cost: as sort(); where the order of indices is not that of the segments, by comparisons, and
/// elements travel with their index.
template <writable_range R, class Compare = std::less<>, class Projection = std::identity>
task<> stable_sort(const R& range, Compare compare = {}, Projection projection = {},
                   std::source_location where = std::source_location::current());

/// Sort `keys`, and let the values go with them. Equal keys keep the order of their values if
/// the order of indices is that of the segments. Collective.
///
/// Memory: keys and values once more, twice if keys are numbers. Requires: segments of equal
/// size, and the same order of indices, in both. Misuse: other sizes.
template <writable_range Keys, writable_range Values, class Compare = std::less<>,
          class Projection = std::identity>
task<> sort_by_key(const Keys& keys, const Values& values, Compare compare = {},
                   Projection projection = {},
                   std::source_location where = std::source_location::current());

/// The indices of the elements in sorted order: range[result[k]] is the k-th least one, and of
/// equal ones the one with the smaller index comes first. In blocks over the team. Collective.
///
/// Memory: keys and indices, twice. Requires: keys that travel.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<unsafe_array<std::uint64_t>> argsort(
    const R& range, Compare compare = {}, Projection projection = {},
    std::source_location where = std::source_location::current());

/// Whether no element comes before the one before it; on every PE. Collective.
///
/// Cost: one pass and an all_reduce; where the order of indices is not that of the segments,
/// all elements travel once.
template <distributed_range R, class Compare = std::less<>, class Projection = std::identity>
task<bool> is_sorted(const R& range, Compare compare = {}, Projection projection = {},
                     std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// The last part of a sort: own elements are sorted by segments; bring them to their indices.
template <class R>
task<> settle(located_team of, const R& range, std::span<element_of<R>> local,
              std::uint64_t begin) {
  if constexpr (indexed_range<R>) {
    auto moving =
        bring_to_indices<R, element_of<R>>(of, range, std::span{std::as_const(local)}, begin);
    auto got = co_await moving;
    move_elements<element_of<R>>(of.value.where(), {got.data(), got.size()}, local);
  }
  co_return;
}

template <bool Stable, class R, class Compare, class Projection>
task<> sort_range(R range, Compare compare, Projection projection, std::source_location where) {
  using T = element_of<R>;
  using order_type = sort_order<T, Compare, Projection>;
  const R mine = std::move(range);
  const order_type order{std::move(compare), std::move(projection)};
  const located_team of{mine.members(), where};
  world& at = of.value.where();
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_write(mine, where);
  auto segment = co_await opening;
  const std::span<T> local = segment.local();
  const std::vector<std::uint64_t> begins = segment_begins(mine);
  const own_place here = place_in(of.value, begins);
  const bool ordered = has_ordered_segments(mine);
  if (of.value.size() == 1) {
    sort_in_place(at, local, order, Stable);
  } else if (ordered || !Stable) {
    auto bringing = bring_in_order(of, local, order, here.position, tie_by_place{}, begins,
                                   travels_alone{});
    auto got = co_await bringing;
    local_sort<T>(at.on_node(), {got.data(), got.size()}, local, true, order, Stable);
  } else if constexpr (Stable) {
    // Equal elements go by their indices, which travel with them.
    const auto index = indices_of(mine, here.begin);
    const auto make = [&index](const T& element, std::size_t k) {
      return keyed<T, std::uint64_t>{element, index(k)};
    };
    auto bringing = bring_in_order(of, local, order, 0, index, begins, make);
    auto got = co_await bringing;
    const order_with_ties<keyed_order<T, std::uint64_t, Compare, Projection>> by{
        {order.compare, {order.projection}}};
    sort_in_place<keyed<T, std::uint64_t>>(at, {got.data(), got.size()}, by, false);
    for (std::size_t k = 0; k < local.size(); ++k) {
      local[k] = std::move(got[k].key);
    }
  }
  if (!ordered) {
    auto ending = settle(of, mine, local, here.begin);
    co_await ending;
  }
  segment.close();
  auto finished = of.value.barrier(where);
  co_await finished;
}

template <class Keys, class Values, class Compare, class Projection>
task<> sort_pairs(Keys keys, Values values, Compare compare, Projection projection,
                  std::source_location where) {
  using K = element_of<Keys>;
  using V = element_of<Values>;
  using pair = keyed<K, V>;
  const Keys my_keys = std::move(keys);
  const Values my_values = std::move(values);
  const located_team of{my_keys.members(), where};
  world& at = of.value.where();
  const std::vector<std::uint64_t> begins = segment_begins(my_keys);
  check_segments(of, "sort_by_key", my_keys, my_values);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening_keys = open_to_write(my_keys, where);
  auto key_segment = co_await opening_keys;
  auto opening_values = open_to_write(my_values, where);
  auto value_segment = co_await opening_values;
  const std::span<K> local_keys = key_segment.local();
  const std::span<V> local_values = value_segment.local();
  const own_place here = place_in(of.value, begins);
  const auto make = [local_values](const K& key, std::size_t k) {
    return pair{key, local_values[k]};
  };
  const std::span<const K> elements = local_keys;
  const sort_order<K, Compare, Projection> order{compare, projection};
  auto bringing =
      bring_in_order(of, elements, order, here.position, tie_by_place{}, begins, make);
  auto got = co_await bringing;
  const keyed_order<K, V, Compare, Projection> by{compare, {projection}};
  sort_in_place<pair>(at, {got.data(), got.size()}, by, true);
  if constexpr (indexed_range<Keys>) {
    if (!has_ordered_segments(my_keys)) {
      const std::span<const pair> pairs{got.data(), got.size()};
      auto ending = bring_to_indices<Keys, pair>(of, my_keys, pairs, here.begin);
      got = co_await ending;
    }
  }
  on_node::for_each(at.on_node(), got.size(), [&](std::size_t k) {
    local_keys[k] = std::move(got[k].key);
    local_values[k] = std::move(got[k].value);
  });
  value_segment.close();
  key_segment.close();
  auto finished = of.value.barrier(where);
  co_await finished;
}

/// What argsort() sorts: a key and an index. Keys that are numbers travel as rank words.
template <class R, class Compare, class Projection>
task<unsafe_array<std::uint64_t>> sorted_indices(R range, Compare compare,
                                                 Projection projection,
                                                 std::source_location where) {
  using T = element_of<R>;
  using order_type = sort_order<T, Compare, Projection>;
  const R mine = std::move(range);
  const order_type order{compare, projection};
  const located_team of{mine.members(), where};
  world& at = of.value.where();
  auto making = unsafe_array<std::uint64_t>::create(of, mine.size());
  const unsafe_array<std::uint64_t> result = co_await making;
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const std::span<const T> elements = segment.local();
  const bool ordered = has_ordered_segments(mine);
  const own_place here = place_in(of.value, segment_begins(mine));
  const auto index = indices_of(mine, here.begin);
  const std::vector<std::uint64_t> wanted = segment_begins(result);
  const auto key_of = [&order](const T& element) {
    if constexpr (order_type::ranked) {
      return order.rank(element);
    } else {
      return typename order_type::key(order.key_of(element));
    }
  };
  using K = std::invoke_result_t<decltype(key_of), const T&>;
  static_assert(transferable<K>, "argsort: the keys must be able to travel");
  using pair = keyed<K, std::uint64_t>;
  using compare_type = std::conditional_t<order_type::ranked, std::less<>, Compare>;
  using by_key = keyed_order<K, std::uint64_t, compare_type, std::identity>;
  by_key by{};
  if constexpr (!order_type::ranked) {
    by.compare = compare;
  }
  const auto make = [&index, &key_of](const T& element, std::size_t k) {
    return pair{key_of(element), index(k)};
  };
  auto bringing = bring_in_order(of, elements, order, 0, index, wanted, make);
  exchanged_items<pair> got = co_await bringing;
  segment.close();
  const std::span<pair> pairs{got.data(), got.size()};
  if (ordered) {
    sort_in_place(at, pairs, by, true);
  } else {
    sort_in_place(at, pairs, order_with_ties<by_key>{by}, false);
  }
  const std::span<std::uint64_t> to = result.local();
  on_node::for_each(at.on_node(), to.size(), [&](std::size_t k) { to[k] = got[k].value; });
  auto finished = of.value.barrier(where);
  co_await finished;
  co_return result;
}

/// What is known of a row of elements: its ends, and whether it is sorted.
template <class T>
struct row_ends {
  T first{};
  T last{};
  bool some = false;
  bool sorted = true;
};

template <class T, class Order>
row_ends<T> ends_of(const on_node::execution& how, std::span<const T> row, const Order& order) {
  if (row.empty()) {
    return {};
  }
  const auto block = [&](std::size_t begin, std::size_t end) {
    // With the element before the block.
    const std::size_t from = begin == 0 ? 0 : begin - 1;
    const auto part = row.subspan(from, end - from);
    return std::optional<bool>{std::is_sorted(part.begin(), part.end(), order)};
  };
  const std::optional<bool> sorted =
      on_node::reduce_blocks<bool>(how, row.size(), block, std::logical_and<>{});
  return {row.front(), row.back(), true, sorted.value_or(true)};
}

template <class R, class Compare, class Projection>
task<bool> range_is_sorted(R range, Compare compare, Projection projection,
                           std::source_location where) {
  using T = element_of<R>;
  using order_type = sort_order<T, Compare, Projection>;
  const R mine = std::move(range);
  const order_type order{std::move(compare), std::move(projection)};
  const located_team of{mine.members(), where};
  world& at = of.value.where();
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  row_ends<T> ends;
  if (has_ordered_segments(mine)) {
    ends = ends_of(at.on_node(), segment.local(), order);
  } else if constexpr (indexed_range<R>) {
    auto gathering = bring_neighbours<R, T>(of, mine, segment.local());
    const neighbours<T> row = co_await gathering;
    ends = ends_of(at.on_node(), row.elements(), order);
  }
  segment.close();
  const auto join = [order](row_ends<T> a, row_ends<T> b) {
    if (!a.some || !b.some) {
      return a.some ? a : b;
    }
    const bool sorted = a.sorted && b.sorted && !order(b.first, a.last);
    return row_ends<T>{std::move(a.first), std::move(b.last), true, sorted};
  };
  auto joining = all_reduce(of, std::move(ends), join);
  const row_ends<T> all = co_await joining;
  co_return all.sorted;
}

}  // namespace detail

template <writable_range R, class Compare, class Projection>
task<> sort(const R& range, Compare compare, Projection projection,
            std::source_location where) {
  return detail::sort_range<false>(range, std::move(compare), std::move(projection), where);
}

template <writable_range R, class Compare, class Projection>
task<> stable_sort(const R& range, Compare compare, Projection projection,
                   std::source_location where) {
  return detail::sort_range<true>(range, std::move(compare), std::move(projection), where);
}

template <writable_range Keys, writable_range Values, class Compare, class Projection>
task<> sort_by_key(const Keys& keys, const Values& values, Compare compare,
                   Projection projection, std::source_location where) {
  return detail::sort_pairs(keys, values, std::move(compare), std::move(projection), where);
}

template <distributed_range R, class Compare, class Projection>
task<unsafe_array<std::uint64_t>> argsort(const R& range, Compare compare,
                                          Projection projection, std::source_location where) {
  return detail::sorted_indices(range, std::move(compare), std::move(projection), where);
}

template <distributed_range R, class Compare, class Projection>
task<bool> is_sorted(const R& range, Compare compare, Projection projection,
                     std::source_location where) {
  return detail::range_is_sorted(range, std::move(compare), std::move(projection), where);
}

}  // namespace lamellar
