// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <lamellar/containers/detail/pipeline_iterator.hpp>
#include <lamellar/containers/detail/pipeline_nodes.hpp>
#include <lamellar/substrate/schedule.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <utility>
#include <vector>

// Loops over the items of a node that are on this PE: what consumers of pipelines are made of.
namespace lamellar::detail {

template <class Node, class F>
void loop_over(const on_node::execution& how, const Node& node, const schedule& by,
               const F& f) {
  on_node::for_each_range(how, node.slots(), by, [&](std::size_t begin, std::size_t end) {
    visit(node, begin, end,
          [&]<class I>(std::size_t, I&& item) { invoke_with(f, std::forward<I>(item)); });
  });
}

/// Items in slots [begin, end), joined in order.
template <class V, class Node, class Op>
std::optional<V> reduce_slots(const Node& node, std::size_t begin, std::size_t end, Op& op) {
  if constexpr (dense<Node>) {
    return on_node::reduce_range<V>(
        begin, end, [&](std::size_t k) { return static_cast<V>(node.at(k)); }, op);
  } else {
    std::optional<V> all;
    node.run(begin, end, [&]<class I>(std::size_t, I&& item) {
      if (all.has_value()) {
        *all = static_cast<V>(op(*std::move(all), static_cast<V>(std::forward<I>(item))));
      } else {
        all.emplace(static_cast<V>(std::forward<I>(item)));
      }
    });
    return all;
  }
}

template <class V, class Node, class Op>
std::optional<V> reduce_items(const on_node::execution& how, const Node& node, Op op) {
  return on_node::reduce_blocks<V>(
      how, node.slots(),
      [&](std::size_t begin, std::size_t end) { return reduce_slots<V>(node, begin, end, op); },
      op);
}

template <class Node>
std::size_t count_items(const on_node::execution& how, const Node& node) {
  if constexpr (dense<Node>) {
    return node.slots();
  } else {
    const auto count = [&](std::size_t begin, std::size_t end) {
      std::size_t items = 0;
      node.run(begin, end, [&items](std::size_t, auto&&) { ++items; });
      return std::optional{items};
    };
    return on_node::reduce_blocks<std::size_t>(how, node.slots(), count, std::plus<>{})
        .value_or(0);
  }
}

template <class F, class Item>
concept coroutine_body = task_result<std::remove_cvref_t<result_for<F, Item>>>::is_task;

/// Run the tasks that f makes of the items, many at a time, and wait for all. The first
/// exception comes out when all have ended. Requires: node and f outlive the task.
template <class Node, class F>
task<> run_bodies(world& at, const Node& node, const F& f) {
  const std::size_t at_a_time = std::size_t{64} * at.threads();
  std::deque<spawned<>> running;
  std::exception_ptr first;
  for (std::size_t k = 0; k < node.slots() || !running.empty();) {
    // No exception may leave before all bodies, which may use the caller's variables, have
    // ended.
    try {
      if (k < node.slots() && running.size() < at_a_time) {
        const std::size_t slot = k++;
        visit(node, slot, slot + 1, [&]<class I>(std::size_t, I&& item) {
          running.push_back(at.spawn(invoke_with(f, std::forward<I>(item))));
        });
      } else {
        spawned<> oldest = std::move(running.front());
        running.pop_front();
        co_await oldest;
      }
    } catch (...) {
      first = first ? first : std::current_exception();
    }
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

}  // namespace lamellar::detail
