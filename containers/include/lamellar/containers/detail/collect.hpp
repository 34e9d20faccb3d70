// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/pipeline_loops.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

// The items of all PEs as a new array, in the order of their positions. Where each position has
// an item, the position is the index. Where some are left out, indices are counted: each PE
// needs to know how many items come before its own. If the parts' positions are not one after
// the other, the items first move to PEs that have consecutive positions.
namespace lamellar::detail {

/// An item and its position in what it was collected from.
template <class V>
struct positioned {
  std::size_t position;
  V value;
};

/// Store `count` values, value(j) at index(j), into the elements of an array; buffered.
template <class To, class Index, class Value>
void store_items(const To& into, std::size_t count, const Index& index, const Value& value) {
  using V = typename To::value_type;
  constexpr std::size_t at_a_time = std::size_t{1} << 14;
  const std::size_t room = std::min(at_a_time, count);
  std::vector<std::size_t> indices(room);
  const std::unique_ptr<V[]> values{new V[room]};
  for (std::size_t first = 0; first < count; first += room) {
    const std::size_t some = std::min(room, count - first);
    for (std::size_t j = 0; j < some; ++j) {
      indices[j] = index(first + j);
      values[j] = value(first + j);
    }
    into.store(std::span{indices.data(), some}, std::span{values.get(), some});
  }
}

/// Whether the parts' positions are one after the other, in the order of parts.
template <class Positions>
inline constexpr bool parts_in_order = false;
template <>
inline constexpr bool parts_in_order<positions_in_array<layout::block>> = true;

/// Each item to the PE that has its position if positions are cut into blocks; in order.
template <class V>
task<std::vector<positioned<V>>> in_blocks(located_team of, std::size_t length,
                                           std::vector<positioned<V>> items) {
  const layout::block blocks{length, of.value.size()};
  const auto owner = [blocks](const positioned<V>& each) {
    return team_position{blocks.locate(each.position).part};
  };
  std::vector<positioned<V>> mine;
  const auto take = [&mine](std::span<const positioned<V>> some) {
    mine.insert(mine.end(), some.begin(), some.end());
  };
  auto exchanging = exchange(of, items, owner, take);
  co_await exchanging;
  std::sort(mine.begin(), mine.end(),
            [](const auto& a, const auto& b) { return a.position < b.position; });
  co_return mine;
}

/// This PE's items, in order.
template <class V, class Node>
std::vector<positioned<V>> items_here(const on_node::execution& how, const Node& node) {
  using list = std::vector<positioned<V>>;
  const auto some = [&node](std::size_t begin, std::size_t end) {
    list items;
    visit(node, begin, end, [&]<class I>(std::size_t k, I&& one) {
      items.push_back({node.position(k), static_cast<V>(std::forward<I>(one))});
    });
    return std::optional<list>{std::move(items)};
  };
  const auto append = [](list a, list b) {
    std::move(b.begin(), b.end(), std::back_inserter(a));
    return a;
  };
  return on_node::reduce_blocks<list>(how, node.slots(), some, append).value_or(list{});
}

/// An item for each position: positions are indices. Requires: the locks are held.
template <class To, class Node>
void collect_dense(const on_node::execution& how, const Node& node, const To& into) {
  using V = typename To::value_type;
  if constexpr (requires { node.origin().layout == into.layout(); }) {
    const auto from = node.origin();
    if (from.layout == into.layout() && from.first == 0 && from.grain == 1 &&
        node.slots() == into.local_size()) {
      const auto elements = into.local();
      on_node::for_each(how, node.slots(),
                        [&](std::size_t k) { elements[k] = static_cast<V>(node.at(k)); });
      return;
    }
  }
  store_items(
      into, node.slots(), [&](std::size_t k) { return node.position(k); },
      [&](std::size_t k) { return static_cast<V>(node.at(k)); });
}

template <class To, class Node, class... How>
task<To> collect_items(located_team of, Node node, std::vector<lock_taker> locks, How... how) {
  using V = typename To::value_type;
  using plain = array<V, typename To::layout_type, lamellar::access::unsafe>;
  static_assert(std::same_as<V, kept_value<typename Node::item>> ||
                    std::convertible_to<kept_value<typename Node::item>, V>,
                "collect() into an array of another type than the items'");
  const Node mine = std::move(node);
  const on_node::execution threads = of.value.where().on_node();
  plain into;
  auto entering = begin_together(of, std::move(locks));
  auto held = co_await entering;
  std::exception_ptr thrown;
  if constexpr (dense<Node>) {
    auto making = plain::create(of, mine.length(), how...);
    into = co_await making;
    auto done = attempt<std::uint8_t>(of, thrown, [&] {
      collect_dense(threads, mine, into);
      return std::optional<std::uint8_t>{};
    });
    held.clear();
    auto ending = end_together(of, std::move(done), thrown, op::max{});
    co_await ending;
  } else {
    std::vector<positioned<V>> items;
    auto done = attempt<std::size_t>(of, thrown, [&] {
      items = items_here<V>(threads, mine);
      return std::optional{items.size()};
    });
    held.clear();
    auto ending = end_together(of, std::move(done), thrown, op::add{});
    const std::optional<std::size_t> length = co_await ending;
    if constexpr (!parts_in_order<typename Node::positions>) {
      auto moving = in_blocks(of, mine.length(), std::move(items));
      items = co_await moving;
    }
    auto counting = exclusive_scan(of, items.size(), std::size_t{0});
    const std::size_t before = co_await counting;
    auto making = plain::create(of, length.value_or(0), how...);
    into = co_await making;
    store_items(
        into, items.size(), [&](std::size_t j) { return before + j; },
        [&](std::size_t j) { return std::move(items[j].value); });
  }
  auto settling = of.value.quiesce(of.where);
  co_await settling;
  if constexpr (std::same_as<plain, To>) {
    co_return into;
  } else {
    auto converting = [&] {
      if constexpr (std::same_as<typename To::access_type, lamellar::access::atomic>) {
        return std::move(into).into_atomic(of.where);
      } else if constexpr (std::same_as<typename To::access_type,
                                        lamellar::access::local_lock>) {
        return std::move(into).into_local_lock(of.where);
      } else if constexpr (std::same_as<typename To::access_type,
                                        lamellar::access::global_lock>) {
        return std::move(into).into_global_lock(of.where);
      } else {
        return std::move(into).into_read_only(of.where);
      }
    }();
    co_return co_await converting;
  }
}

}  // namespace lamellar::detail
