// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <lamellar/containers/detail/pipeline_nodes.hpp>
#include <lamellar/substrate/error.hpp>
#include <limits>
#include <type_traits>
#include <utility>

// A pipeline: elements, and what is to become of them on the way. It holds no elements and does
// nothing until a consumer is called; the compiler sees all of it as one loop.
//
//   local_elements(a).filter(is_odd).map(square).sum()
//   co_await all_elements(a).enumerate().for_each([](std::size_t i, auto& x) { x = i; })
//
// local_elements.hpp has pipelines over the elements that are here, all_elements.hpp those over
// all elements of an array, each PE working on its own. The adapters, below, are the same.
//
// A function in a pipeline is called by several threads at once where the PE has several, and
// must not send or wait. Where items are pairs (enumerate, zip) it may take two arguments.
//
// Thread-safety: a value; adapters leave the pipeline as it is and return another one.
namespace lamellar {

/// Arrays that were to be iterated over together have elements on different PEs.
class layout_mismatch : public error {
 public:
  using error::error;
};

namespace detail {

[[noreturn]] void refuse_zip(std::size_t length, std::size_t other);

template <class A, class B>
void check_zip(const A& a, const B& b) {
  static_assert(std::same_as<typename A::positions, typename B::positions>,
                "zip() takes a pipeline of the same kind over an array of the same layout: "
                "elements at equal positions must be on one PE");
  if constexpr (std::same_as<typename A::positions, typename B::positions>) {
    if (a.length() != b.length() || !A::positions::aligned(a.origin(), b.origin())) {
      refuse_zip(a.length(), b.length());
    }
  }
}

}  // namespace detail

/// `Scope` says whose elements are meant, and has the consumers.
template <class Node, class Scope>
class pipeline : public Scope::template consumers<Node> {
  using base = typename Scope::template consumers<Node>;

 public:
  /// What a consumer's function gets.
  using item_type = typename Node::item;

  pipeline(Node node, Scope scope) : base{std::move(node), std::move(scope)} {}

  // ---- adapters: each item alone ----
  /// f(item) in place of each item.
  template <class F>
  auto map(F f) const {
    return then(
        detail::transformed<Node, detail::by_function<F>>{this->node(), {std::move(f)}});
  }
  /// Only the items for which f(item) is true.
  template <class F>
  auto filter(F f) const {
    return then(detail::selected<Node, detail::if_true<F>>{this->node(), {std::move(f)}});
  }
  /// *f(item) for the items for which f, which returns a std::optional, gives a value.
  template <class F>
  auto filter_map(F f) const {
    return then(detail::selected<Node, detail::if_value<F>>{this->node(), {std::move(f)}});
  }
  /// Pairs of a number and the item. Numbers are those that enumerate() would have given before
  /// any filter: they grow, with gaps.
  auto monotonic() const {
    return then(detail::transformed<Node, detail::with_position>{this->node(), {}});
  }

  // ---- adapters: by position. Not after filter() or filter_map() ----
  /// Pairs of the position and the item. Of local elements, positions count from 0 here; of
  /// all elements they are the indices of the array.
  auto enumerate() const {
    indexed_only();
    return monotonic();
  }
  /// Without the first `count`.
  auto skip(std::size_t count) const {
    indexed_only();
    return then(detail::ranged<Node>{this->node(), count, every});
  }
  /// Only the first `count`.
  auto take(std::size_t count) const {
    indexed_only();
    return then(detail::ranged<Node>{this->node(), 0, count});
  }
  /// Only every `step`-th, from the first one on; 0 counts as 1.
  auto step_by(std::size_t step) const {
    indexed_only();
    return then(detail::stepped<Node>{this->node(), step});
  }
  /// Spans of `size` elements that lie side by side on a PE; the last one of each PE may be
  /// shorter. 0 counts as 1. Before any adapter but skip() and take().
  auto chunks(std::size_t size) const {
    static_assert(detail::sliceable<Node>,
                  "chunks() are cut from elements as they lie: only skip() and take() may come "
                  "before it");
    return then(detail::chunked<Node>{this->node(), size});
  }
  /// Pairs of the items at equal positions of this and of another pipeline.
  ///
  /// Throws: layout_mismatch, on all PEs, if the lengths differ, or if items at equal positions
  /// lie on different PEs: arrays must have the same size, layout and PEs, and views begin at
  /// the same index.
  template <class Other, class OtherScope>
  auto zip(const pipeline<Other, OtherScope>& other) const {
    indexed_only();
    static_assert(detail::dense<Node> && detail::dense<Other>,
                  "zip() must come before filter(), filter_map() and step_by()");
    detail::check_zip(this->node(), other.node());
    return pipeline<detail::transformed<Node, detail::with_other<Other>>, Scope>{
        {this->node(), {other.node()}}, this->scope().with(other.scope())};
  }

 private:
  static constexpr std::size_t every = std::numeric_limits<std::size_t>::max();

  static constexpr void indexed_only() {
    static_assert(Node::indexed,
                  "after filter() or filter_map() items have no position: call enumerate(), "
                  "skip(), take(), step_by() and zip() before, or monotonic() after");
  }
  template <class Next>
  pipeline<Next, Scope> then(Next next) const {
    return {std::move(next), this->scope()};
  }
};

}  // namespace lamellar
