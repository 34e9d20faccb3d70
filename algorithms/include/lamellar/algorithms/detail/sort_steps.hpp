// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/cuts.hpp>
#include <lamellar/algorithms/detail/local_sort.hpp>
#include <lamellar/algorithms/detail/sort_order.hpp>
#include <lamellar/algorithms/detail/splitters.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// What the sorts are made of: first every element goes to the member that shall have it, then
// each member sorts what it got. Elements travel once, before anybody has sorted anything; so
// there is nothing to merge, and the exchange is as balanced as the wanted sizes are.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// What elements are compared by: their rank words, if they have some, or themselves.
template <class T, class Order>
struct compared_by : std::type_identity<T> {};
template <class T, class Order>
requires Order::ranked struct compared_by<T, Order>
    : std::type_identity<rank_word<typename Order::key>> {
};

/// This member's elements as cuts and splitters see them. `Tie` gives the number of element k
/// that orders equal keys; `part` the first word of ties.
template <class T, class Order, class Tie>
class sort_items {
 public:
  static constexpr bool words = Order::ranked;
  using key_type = typename compared_by<T, Order>::type;

  sort_items(std::span<const T> elements, const Order& order, std::uint32_t part, Tie tie)
      : elements_{elements}, order_{order}, tie_{tie}, part_{part} {}

  std::size_t size() const { return elements_.size(); }
  std::uint32_t part() const { return part_; }
  std::uint64_t tie(std::size_t k) const { return tie_(k); }
  decltype(auto) key(std::size_t k) const {
    if constexpr (words) {
      return order_.rank(elements_[k]);
    } else {
      return (elements_[k]);
    }
  }
  bool before(const key_type& a, const key_type& b) const {
    if constexpr (words) {
      return a < b;
    } else {
      return order_(a, b);
    }
  }

 private:
  std::span<const T> elements_;
  Order order_;
  Tie tie_;
  std::uint32_t part_;
};

/// Equal keys in the order of members and, on each, in that of its elements.
struct tie_by_place {
  std::uint64_t operator()(std::size_t k) const { return k; }
};

/// Elements between two looks at what has arrived.
inline constexpr std::size_t polled_after = 1u << 16;

/// Elements travel as they are.
struct travels_alone {
  template <class T>
  const T& operator()(const T& element, std::size_t) const {
    return element;
  }
};

/// What travels of Ts.
template <class T, class Make>
using made_of = std::remove_cvref_t<std::invoke_result_t<Make&, const T&, std::size_t>>;

/// A key, or an element, and something that goes with it.
template <class K, class V>
struct keyed {
  K key;
  V value;
};

/// The order of keyed values by their keys.
template <class K, class V, class Compare, class Projection>
struct project_key {
  [[no_unique_address]] Projection projection;
  decltype(auto) operator()(const keyed<K, V>& of) const {
    return std::invoke(projection, of.key);
  }
};
template <class K, class V, class Compare, class Projection>
using keyed_order = sort_order<keyed<K, V>, Compare, project_key<K, V, Compare, Projection>>;

/// The order by key, and of equal keys by the number that goes with them: nothing is equal.
template <class Order>
struct order_with_ties {
  using key = void;
  static constexpr bool natural = false;
  static constexpr bool ranked = false;
  static constexpr bool bare = false;
  Order order;

  template <class T>
  bool operator()(const T& a, const T& b) const {
    return order(a, b) || (!order(b, a) && a.value < b.value);
  }
};

/// Put the elements into rows for the members that shall have them, and these to their places.
/// A row is as long as memory likes; it is in a cache until it is full.
template <class Item, class Cuts, class T, class Make, class Rows>
void deal_rows(const Cuts& between, std::span<T> elements, const Make& make,
               std::uint32_t leading, Rows& rows) {
  const std::size_t members = between.size() + 1;
  const auto index = [](std::size_t j) { return j; };
  const auto member = [leading](std::size_t to) {
    return team_position{leading + static_cast<std::uint32_t>(to)};
  };
  constexpr bool small = bitwise<Item> && std::is_trivially_copyable_v<Item> &&
                         std::default_initializable<Item> && sizeof(Item) <= 256;
  if constexpr (!small) {
    std::size_t until_poll = polled_after;
    between.each(elements.size(), index, [&](std::size_t k, std::size_t to) {
      if constexpr (std::same_as<Make, travels_alone>) {
        rows.put(member(to), {&elements[k], 1});
      } else {
        Item one = make(elements[k], k);
        rows.put(member(to), {&one, 1});
      }
      if (--until_poll == 0) [[unlikely]] {
        rows.poll();
        until_poll = polled_after;
      }
    });
  } else if (members == 2) {
    // Every item is stored in both rows, and counts in one.
    constexpr std::size_t length = 8192 / sizeof(Item);
    const std::unique_ptr<Item[]> room{new Item[2 * length]};
    Item* const first = room.get();
    Item* const second = first + length;
    std::size_t until_poll = polled_after / length;
    between.stretches(elements.size(), index,
                      [&](std::size_t begin, std::size_t end, auto find) {
                        for (std::size_t from = begin; from < end; from += length) {
                          const std::size_t to = std::min(end, from + length);
                          std::size_t in_second = 0;
                          for (std::size_t k = from; k < to; ++k) {
                            const Item one = make(elements[k], k);
                            first[k - from - in_second] = one;
                            second[in_second] = one;
                            in_second += find(k);
                          }
                          rows.put(member(0), {first, to - from - in_second});
                          rows.put(member(1), {second, in_second});
                          if (--until_poll == 0) {
                            rows.poll();
                            until_poll = polled_after / length;
                          }
                        }
                      });
  } else {
    constexpr std::size_t length = 512 / sizeof(Item) < 2 ? 2 : 512 / sizeof(Item);
    const std::unique_ptr<Item[]> room{new Item[members * length]};
    std::vector<std::uint32_t> used(members);
    std::size_t until_poll = polled_after / length;
    between.each(elements.size(), index, [&](std::size_t k, std::size_t to) {
      Item* const row = room.get() + to * length;
      row[used[to]] = make(elements[k], k);
      if (++used[to] == length) [[unlikely]] {
        rows.put(member(to), {row, length});
        used[to] = 0;
        if (--until_poll == 0) {
          rows.poll();
          until_poll = polled_after / length;
        }
      }
    });
    for (std::size_t to = 0; to < members; ++to) {
      rows.put(member(to), {room.get() + to * length, used[to]});
    }
  }
}

/// Bring the elements to the members, as many to each as lie between its and the next of
/// `begins`, the least ones to the first member. `make(element, k)` is what travels of element
/// k; elements that travel alone are moved from. On each member those of the first source come
/// first, and those of a source in order. Collective.
template <class T, class Order, class Tie, class Make>
auto bring_in_order(located_team of, std::span<T> elements, Order order, std::uint32_t part,
                    Tie tie, std::vector<std::uint64_t> begins, Make make)
    -> task<exchanged_items<made_of<T, Make>>> {
  using item = made_of<T, Make>;
  using items = sort_items<std::remove_const_t<T>, Order, Tie>;
  const items mine{elements, order, part, tie};
  const std::uint64_t total = begins.back();
  // Members that have nothing before them get no mark, and neither have those with nothing
  // after them.
  std::vector<std::uint64_t> ranks;
  std::uint32_t leading = 0;
  for (std::size_t k = 1; k + 1 < begins.size(); ++k) {
    if (begins[k] == 0) {
      ++leading;
    } else if (begins[k] < total) {
      ranks.push_back(begins[k]);
    }
  }
  auto searching = find_splitters(of, mine, std::move(ranks), total);
  const auto splitters = co_await searching;
  cuts<items> between{mine};
  // How many own elements go to each member: those between two splitters.
  std::vector<std::uint64_t> counts(begins.size() - 1);
  std::uint64_t before = 0;
  for (std::size_t k = 0; k < splitters.size(); ++k) {
    between.add(splitters[k].at);
    counts[leading + k] = splitters[k].own_before - before;
    before = splitters[k].own_before;
  }
  counts[leading + splitters.size()] = elements.size() - before;
  const auto fill = [&between, elements, &make, leading](auto& rows) {
    deal_rows<item>(between, elements, make, leading, rows);
  };
  auto moving = exchange_rows<item>(of, std::move(counts), fill);
  co_return co_await moving;
}

/// Room for sorting n elements, in memory of the same kind as what arrives in an exchange;
/// empty, if there is none.
template <class T>
exchanged_items<T> scratch_for(world& at, std::size_t n) noexcept {
  try {
    return exchanged_items<T>{engine_of(at), {n}};
  } catch (...) {
    return {};
  }
}

/// Sort in place what one member has, with room of its own if the kernel needs any.
template <class T, class Order>
void sort_in_place(world& at, std::span<T> items, const Order& order, bool stable) {
  exchanged_items<T> room;
  const on_node::execution how = at.on_node();
  if (moves_elements(kernel_for<T, Order>()) || how.threads() > 1) {
    room = scratch_for<T>(at, items.size());
  }
  if constexpr (kernel_for<T, Order>() == sort_kernel::numbers) {
    if (how.threads() == 1) {
      sort_piece<T>(items, {}, order, stable);
      return;
    }
  }
  local_sort<T>(how, items, {room.data(), room.size()}, false, order, stable);
}

}  // namespace lamellar::detail
