// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <utility>
#include <vector>

// The first few items of a container of pairs in some order.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// An order of pairs, and of those that are equal in it, by their keys.
template <class Before>
struct order_of_items {
  Before before;
  template <class Item>
  bool operator()(const Item& a, const Item& b) const {
    if (before(a, b)) {
      return true;
    }
    if constexpr (requires { a.first < b.first; }) {
      return !before(b, a) && a.first < b.first;
    } else {
      return false;
    }
  }
};

/// A list of at most k items, in order.
template <class Item, class Order>
class first_items {
 public:
  first_items(std::size_t k, Order order) : k_{k}, order_{std::move(order)} {}

  /// Keeps the k first: the worst of them is on top of a heap.
  void add(const Item& item) {
    if (items_.size() < k_) {
      items_.push_back(item);
      std::push_heap(items_.begin(), items_.end(), order_);
    } else if (k_ != 0 && order_(item, items_.front())) {
      std::pop_heap(items_.begin(), items_.end(), order_);
      items_.back() = item;
      std::push_heap(items_.begin(), items_.end(), order_);
    }
  }
  std::vector<Item> take() {
    std::sort_heap(items_.begin(), items_.end(), order_);
    return std::move(items_);
  }

 private:
  std::size_t k_;
  Order order_;
  std::vector<Item> items_;
};

template <class C, class Before>
task<std::vector<typename C::item_type>> top_items(C c, std::size_t k, Before before) {
  using item = typename C::item_type;
  using list = std::vector<item>;
  const order_of_items<Before> order{before};
  auto settling = c.members().quiesce();
  co_await settling;
  first_items<item, order_of_items<Before>> here{k, order};
  c.local_for_each([&here](const item& each) { here.add(each); });
  const auto join = [order, k](list a, const list& b) {
    list both(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), both.begin(), order);
    both.resize(std::min(k, both.size()));
    return both;
  };
  auto joining = all_reduce(c.members(), here.take(), join);
  co_return co_await joining;
}

}  // namespace lamellar::detail
