// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/detail/random_numbers.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

// Pairs of elements of two distributed ranges of one team whose keys are equal: an inner join
// of two tables.
//
//   const auto rows = co_await hash_join(orders, customers, &order::customer, &customer::id);
//
// A key is what a projection gives; both have keys of one type, which std::hash takes.
//
// Collective; begins with a quiesce of the team. Requires: projections do not throw. Threads:
// the body.
namespace lamellar {

/// What belongs together.
template <class L, class R>
struct joined {
  L left;
  R right;

  friend bool operator==(const joined&, const joined&) = default;
};

/// All pairs with left_key(left) == right_key(right), on the members that keys are dealt out
/// to. In no order: sort() it where one is wanted.
///
/// Cost: each element travels once; O(n/P) and the result. Memory: the elements once more, and
/// an index of those on the right. Limit: all elements with one key meet on one member; where a
/// key is very frequent and one side is small, take broadcast_join().
template <distributed_range Left, distributed_range Right, class LeftKey, class RightKey>
auto hash_join(const Left& left, const Right& right, LeftKey left_key, RightKey right_key,
               std::source_location where = std::source_location::current())
    -> task<segments<joined<element_of<Left>, element_of<Right>>>>;

/// The same; all members get the whole of `right`, and `left` stays where it is. In the order
/// of `left`'s segments, pairs of one element in the order of `right`.
///
/// Cost: an all_gather of `right`; O(n/P) and the result. Memory: `right` on each member, and
/// an index of it.
template <distributed_range Left, distributed_range Right, class LeftKey, class RightKey>
auto broadcast_join(const Left& left, const Right& right, LeftKey left_key, RightKey right_key,
                    std::source_location where = std::source_location::current())
    -> task<segments<joined<element_of<Left>, element_of<Right>>>>;

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// The key that a projection makes of an element.
template <class Projection, class T>
using key_by = std::remove_cvref_t<std::invoke_result_t<const Projection&, const T&>>;

/// Which elements have a key, in their order.
template <class T, class Projection>
class key_index {
 public:
  using key = key_by<Projection, T>;

  key_index(std::span<const T> elements, Projection projection)
      : elements_{elements}, projection_{std::move(projection)}, next_(elements.size(), none) {
    heads_.reserve(elements.size());
    // From the end, so that each list is in order.
    for (std::size_t k = elements.size(); k-- > 0;) {
      const auto [at, is_new] = heads_.try_emplace(std::invoke(projection_, elements[k]), k);
      if (!is_new) {
        next_[k] = std::exchange(at->second, k);
      }
    }
  }
  template <class Visit>
  void each(const key& wanted, const Visit& visit) const {
    const auto at = heads_.find(wanted);
    for (std::size_t k = at == heads_.end() ? none : at->second; k != none; k = next_[k]) {
      visit(elements_[k]);
    }
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};

  std::span<const T> elements_;
  Projection projection_;
  std::unordered_map<key, std::size_t> heads_;
  std::vector<std::size_t> next_;  // element with the same key
};

template <class L, class R, class LeftKey, class RightKey>
std::vector<joined<L, R>> join_here(std::span<const L> left, std::span<const R> right,
                                    const LeftKey& left_key, const RightKey& right_key) {
  static_assert(std::same_as<key_by<LeftKey, L>, key_by<RightKey, R>>,
                "join: both projections must give keys of the same type");
  const key_index<R, RightKey> index{right, right_key};
  std::vector<joined<L, R>> pairs;
  for (const L& each : left) {
    index.each(std::invoke(left_key, each), [&](const R& other) {
      pairs.push_back({each, other});
    });
  }
  return pairs;
}

/// What has equal keys goes to the same member.
template <class Key>
auto route_by_hash(const Key& key_of, std::uint32_t members) {
  return [&key_of, members]<class T>(const T& element) {
    const auto hashed = mixed_bits(std::hash<key_by<Key, T>>{}(std::invoke(key_of, element)));
    return team_position{static_cast<std::uint32_t>(((hashed >> 32) * members) >> 32)};
  };
}

template <class R, class Key>
task<exchanged_items<element_of<R>>> exchange_by_hash(located_team of, R range, Key key_of) {
  auto opening = open_to_read(range, of.where);
  auto segment = co_await opening;
  const auto route = route_by_hash(key_of, of.value.size());
  auto moving = exchange_placed(of, segment.local(), route);
  co_return co_await moving;
}

template <class Left, class Right, class LeftKey, class RightKey>
auto join_by_hash(Left given_left, Right given_right, LeftKey left_key, RightKey right_key,
                  std::source_location where)
    -> task<segments<joined<element_of<Left>, element_of<Right>>>> {
  using L = element_of<Left>;
  using R = element_of<Right>;
  const Left left = std::move(given_left);
  const Right right = std::move(given_right);
  const located_team of{left.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto moving = exchange_by_hash(of, left, left_key);
  const exchanged_items<L> lefts = co_await moving;
  auto moving_right = exchange_by_hash(of, right, right_key);
  const exchanged_items<R> rights = co_await moving_right;
  std::vector<joined<L, R>> pairs =
      join_here(std::span<const L>{lefts.data(), lefts.size()},
                std::span<const R>{rights.data(), rights.size()}, left_key, right_key);
  auto making = segments<joined<L, R>>::create(of, std::move(pairs));
  co_return co_await making;
}

template <class Left, class Right, class LeftKey, class RightKey>
auto join_by_broadcast(Left given_left, Right given_right, LeftKey left_key, RightKey right_key,
                       std::source_location where)
    -> task<segments<joined<element_of<Left>, element_of<Right>>>> {
  using L = element_of<Left>;
  using R = element_of<Right>;
  const Left left = std::move(given_left);
  const Right right = std::move(given_right);
  const located_team of{left.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  std::vector<R> rights;
  {
    auto opening = open_to_read(right, where);
    auto segment = co_await opening;
    auto ordering = in_order(of, right, segment.local());
    const row_in_order<R> row = co_await ordering;
    auto gathering =
        all_gather(of, std::vector<R>(row.elements().begin(), row.elements().end()));
    auto rows = co_await gathering;
    segment.close();
    for (std::vector<R>& each : rows) {
      std::move(each.begin(), each.end(), std::back_inserter(rights));
    }
  }
  auto opening = open_to_read(left, where);
  auto segment = co_await opening;
  std::vector<joined<L, R>> pairs =
      join_here(segment.local(), std::span<const R>{rights}, left_key, right_key);
  segment.close();
  auto making = segments<joined<L, R>>::create(of, std::move(pairs));
  co_return co_await making;
}

}  // namespace detail

template <distributed_range Left, distributed_range Right, class LeftKey, class RightKey>
auto hash_join(const Left& left, const Right& right, LeftKey left_key, RightKey right_key,
               std::source_location where)
    -> task<segments<joined<element_of<Left>, element_of<Right>>>> {
  return detail::join_by_hash(left, right, std::move(left_key), std::move(right_key), where);
}

template <distributed_range Left, distributed_range Right, class LeftKey, class RightKey>
auto broadcast_join(const Left& left, const Right& right, LeftKey left_key, RightKey right_key,
                    std::source_location where)
    -> task<segments<joined<element_of<Left>, element_of<Right>>>> {
  return detail::join_by_broadcast(left, right, std::move(left_key), std::move(right_key),
                                   where);
}

}  // namespace lamellar
