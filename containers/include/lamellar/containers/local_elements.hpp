// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <iterator>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/pipeline_loops.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/containers/pipeline.hpp>
#include <lamellar/substrate/schedule.hpp>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// Iteration over the elements of an array that are on this PE: no communication, nobody else
// takes part. Positions count from 0; array::global_index() tells the index in the array.
//
//   local_elements(a).for_each([](auto& x) { x += 1; });
//   for (auto& [k, x] : local_elements(a).enumerate()) ...
//
// Items are T& for `unsafe`, const T& for `read_only`, atomic_reference<T> for `atomic`. The
// elements of an array with locks are those of a guard: const T& or T&, as the guard allows.
//
// Consumers use all threads of the PE where the caller is its main thread, and return when all
// is done. Such a pipeline is a range, too: of random access, one way after filter(),
// filter_map() and step_by(). Source: Lamellar's local_iter.
namespace lamellar {

/// The elements on this PE: what they are consumed by.
struct local_scope {
  world* at;

  template <class Other>
  local_scope with(const Other&) const {
    return *this;
  }

  template <class Node>
  class consumers;
};

template <class Node>
class local_scope::consumers {
  using item = typename Node::item;
  using kept = detail::kept_value<item>;

 public:
  consumers(Node node, local_scope scope) : node_{std::move(node)}, scope_{scope} {}

  /// Call f(item) for every item, in no order; several at once.
  ///
  /// Throws: what f throws, the first of several, when no other is running any more.
  template <class F>
    requires(!detail::coroutine_body<F, item>)
  void for_each(F f, const schedule& by = {}) const { detail::loop_over(how(), node_, by, f); }

  /// The same for an f that gives a task, which may send and wait: many of them are under way
  /// at a time. Done: when the task has ended, with all of them.
  template <detail::coroutine_body<item> F>
  task<> for_each(F f) const {
    return run(*scope_.at, node_, std::move(f));
  }

  /// How many items there are. Cost: none, unless something is left out on the way.
  std::size_t count() const { return detail::count_items(how(), node_); }

  /// op of all items in order, or nothing if there is none. Requires: op is associative. The
  /// grouping depends on the number of items alone.
  template <class Op>
  std::optional<kept> reduce(Op op) const {
    return detail::reduce_items<kept>(how(), node_, op);
  }

  /// Of all items, in their type; a value made by {} if there is none.
  kept sum() const requires operation_on<op::add, kept> {
    return reduce(op::add{}).value_or(kept{});
  }

  /// All items in order, in a vector.
  std::vector<kept> collect() const {
    if constexpr (detail::dense<Node> && std::default_initializable<kept> &&
                  !std::same_as<kept, bool>) {
      std::vector<kept> all(node_.slots());
      on_node::for_each(how(), all.size(),
                        [&](std::size_t k) { all[k] = static_cast<kept>(node_.at(k)); });
      return all;
    } else {
      std::vector<kept> all;
      detail::visit(node_, 0, node_.slots(), [&all]<class I>(std::size_t, I&& one) {
        all.push_back(static_cast<kept>(std::forward<I>(one)));
      });
      return all;
    }
  }

  // ---- as a range ----
  auto begin() const {
    if constexpr (detail::dense<Node>) {
      return detail::dense_iterator<Node>{&node_, 0};
    } else {
      return detail::sparse_iterator<Node>{&node_};
    }
  }
  auto end() const {
    if constexpr (detail::dense<Node>) {
      return detail::dense_iterator<Node>{&node_, node_.slots()};
    } else {
      return std::default_sentinel;
    }
  }
  std::size_t size() const requires detail::dense<Node> { return node_.slots(); }

  /// For the library's own layers.
  const Node& node() const { return node_; }
  const local_scope& scope() const { return scope_; }

 private:
  on_node::execution how() const { return scope_.at->on_node(); }

  template <class F>
  static task<> run(world& at, Node node, F f) {
    // What keeps the array goes with the work, even if the task is kept for longer.
    const Node mine = std::move(node);
    auto running = detail::run_bodies(at, mine, f);
    co_await running;
  }

  Node node_;
  local_scope scope_;
};

/// The elements of `a` that are here, as a pipeline; it keeps the array alive. Not collective.
/// Requires: nobody does otherwise to them meanwhile, for `unsafe`.
template <array_element T, array_layout Layout, class Access>
  requires(!locked<Access>)
auto local_elements(const array<T, Layout, Access>& a) {
  using span = decltype(a.local());
  using node = detail::element_source<span, detail::positions_here, array<T, Layout, Access>>;
  return pipeline<node, local_scope>{{a.local(), {a.local_size()}, a}, {&a.where()}};
}

/// The elements that a guard gives access to. Requires: the guard outlives the pipeline.
template <class Array, detail::access Which>
auto local_elements(const array_guard<Array, Which>& guard) {
  struct nothing_to_keep {};
  using span = decltype(guard.local());
  using node = detail::element_source<span, detail::positions_here, nothing_to_keep>;
  return pipeline<node, local_scope>{{guard.local(), {guard.size()}, {}}, {&guard.where()}};
}
template <class Array, detail::access Which>
auto local_elements(array_guard<Array, Which>&& guard) = delete;  // it would be gone

}  // namespace lamellar
