// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <optional>
#include <source_location>
#include <utility>

// One value made of all elements of a distributed range, on every PE: by the names of <numeric>
// and <algorithm>. Arrays have sums and extremes of their own, which one PE can ask for alone:
// <lamellar/containers/reductions.hpp>.
//
// The elements of a member are joined in order, then the members' results in the order of the
// team: where the order of indices is that of the segments an operation need not commute. The
// grouping depends on the sizes of segments alone, not on threads or timing; an operation that
// is associative gives the same for any number of PEs.
//
// Collective; functions as <lamellar/algorithms/elementwise.hpp> says. Cost: n/P, a quiesce and
// an all_reduce. Threads: the body.
namespace lamellar {

/// op(init, e0, e1, ...) of all elements, each converted to T. `init` and `op` must both be
/// given, for reduce(array, op) is the reduction that one PE asks for; and `init` is no
/// function of an element, for reduce(container, f, op) is one of all containers.
///
/// Requires: op(T, T) is associative; and commutative, unless the order of indices is that of
/// the segments.
template <distributed_range R, transferable T, class Op>
  requires(!std::invocable<T&, const element_of<R>&>)
task<T> reduce(const R& range, T init, Op op,
               std::source_location where = std::source_location::current());

/// op(init, f(e0), f(e1), ...) of all elements. Requires: as reduce().
template <distributed_range R, transferable T, class Op, class F>
task<T> transform_reduce(const R& range, T init, Op op, F f,
                         std::source_location where = std::source_location::current());

/// op(init, f(a[0], b[0]), f(a[1], b[1]), ...). Requires: as reduce(). Misuse: ranges with
/// segments of other sizes, or dealt out in another way.
template <distributed_range A, distributed_range B, transferable T, class Op, class F>
  requires distributed_range<B> task<T> transform_reduce(
      const A& a, const B& b, T init, Op op, F f,
      std::source_location where = std::source_location::current());

/// How many elements are such that predicate(projection(element)).
template <distributed_range R, class Predicate, class Projection = std::identity>
task<std::uint64_t> count_if(const R& range, Predicate predicate, Projection projection = {},
                             std::source_location where = std::source_location::current());

/// How many elements have a projection that equals `value`.
template <distributed_range R, class V, class Projection = std::identity>
  requires detail::compared_with<V, R, Projection> task<std::uint64_t> count(
      const R& range, V value, Projection projection = {},
      std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class T, class Op>
task<T> join_to(T init, Op op, task<std::optional<T>> reducing) {
  std::optional<T> all = co_await reducing;
  co_return all.has_value() ? static_cast<T>(op(std::move(init), *std::move(all))) : init;
}

/// op of f(k) for all k < n.
template <class T, class F, class Op>
std::optional<T> reduce_numbers(const on_node::execution& how, std::size_t n, const F& f,
                                Op op) {
  return on_node::reduce_blocks<T>(
      how, n,
      [&](std::size_t begin, std::size_t end) {
        return std::optional<T>{on_node::reduce_range<T>(begin, end, f, op)};
      },
      op);
}

template <class T, class R, class Op, class F>
task<T> transform_and_reduce(const R& range, T init, Op op, F f, const char* what,
                             std::source_location where) {
  const auto work = [op, f = std::move(f)](const on_node::execution& how, auto elements,
                                           const auto&) {
    return reduce_numbers<T>(
        how, elements.size(),
        [&](std::size_t k) { return static_cast<T>(std::invoke(f, elements[k])); }, op);
  };
  return join_to(std::move(init), op, read_segments<T>(range, work, op, what, where));
}

}  // namespace detail

template <distributed_range R, transferable T, class Op>
  requires(!std::invocable<T&, const element_of<R>&>)
task<T> reduce(const R& range, T init, Op op, std::source_location where) {
  return detail::transform_and_reduce(range, std::move(init), std::move(op), std::identity{},
                                      "lamellar::reduce", where);
}

template <distributed_range R, transferable T, class Op, class F>
task<T> transform_reduce(const R& range, T init, Op op, F f, std::source_location where) {
  return detail::transform_and_reduce(range, std::move(init), std::move(op), std::move(f),
                                      "lamellar::transform_reduce", where);
}

template <distributed_range A, distributed_range B, transferable T, class Op, class F>
  requires distributed_range<B> task<T> transform_reduce(const A& a, const B& b, T init, Op op,
                                                         F f, std::source_location where) {
    const auto work = [op, f = std::move(f)](const on_node::execution& how, auto one,
                                             auto other) {
      return detail::reduce_numbers<T>(
          how, one.size(),
          [&](std::size_t k) { return static_cast<T>(std::invoke(f, one[k], other[k])); }, op);
    };
    return detail::join_to(
        std::move(init), op,
        detail::read_both_segments<T>(a, b, work, op, "lamellar::transform_reduce", where));
  }

template <distributed_range R, class Predicate, class Projection>
task<std::uint64_t> count_if(const R& range, Predicate predicate, Projection projection,
                             std::source_location where) {
  const auto one_or_none = [predicate = std::move(predicate),
                            projection = std::move(projection)](const element_of<R>& element) {
    return std::uint64_t{std::invoke(predicate, std::invoke(projection, element)) ? 1U : 0U};
  };
  return detail::transform_and_reduce(range, std::uint64_t{0}, std::plus<>{}, one_or_none,
                                      "lamellar::count_if", where);
}

template <distributed_range R, class V, class Projection>
  requires detail::compared_with<V, R, Projection> task<std::uint64_t> count(
      const R& range, V value, Projection projection, std::source_location where) {
    const auto equal = [value = std::move(value)](const auto& other) { return other == value; };
    return count_if(range, equal, std::move(projection), where);
  }

}  // namespace lamellar
