// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>

// Algorithms that look at each element alone, by the names of <algorithm> and <numeric>, on any
// distributed range. For arrays there are pipelines, too, which do several such steps in one
// loop: <lamellar/containers/all_elements.hpp>.
//
// Each member's threads share the loop over what the member has; nothing travels. Functions are
// called by several threads at once, do not use the world, and what one throws comes out on all
// members, as a remote_error on the others.
//
// All are tasks and collective. They begin with a quiesce of the team, hold the range's lock if
// it has one, and end when all members have done their part. Where the standard library has a
// function of the same name, call these by their full names: lamellar::for_each(a, f).
//
// Cost: n/P calls, a quiesce and an all_reduce of a few bytes. Threads: the body.
namespace lamellar {

/// Call f(element) for every element, T& where the range may be written, else const T&.
/// Collective. Bags and vectors have one for all containers, which only looks:
/// <lamellar/containers/distributed_container.hpp>; transform() changes their elements.
template <distributed_range R, class F>
  requires(!distributed_container<R>)
task<> for_each(const R& range, F f,
                std::source_location where = std::source_location::current());

/// Let every element be `value`. Collective.
template <writable_range R>
task<> fill(const R& range, std::type_identity_t<element_of<R>> value,
            std::source_location where = std::source_location::current());

/// Let element i be f(i). Collective. Not as in the standard library, whose generator is called
/// in the order of the elements: here each knows its index instead.
template <writable_range R, std::invocable<std::uint64_t> F>
task<> generate(const R& range, F f,
                std::source_location where = std::source_location::current());

/// Let element i be `first` + i. Collective. Requires: T is a number.
template <writable_range R>
task<> iota(const R& range, std::type_identity_t<element_of<R>> first = {},
            std::source_location where = std::source_location::current());

/// to[i] = f(from[i]). Both may be the same range. Collective.
///
/// Misuse: ranges with segments of other sizes, or dealt out in another way.
template <distributed_range From, writable_range To, class F>
task<> transform(const From& from, const To& to, F f,
                 std::source_location where = std::source_location::current());

/// to[i] = f(a[i], b[i]). `to` may be either of them. Collective.
///
/// Misuse: as above.
template <distributed_range A, distributed_range B, writable_range To, class F>
task<> transform(const A& a, const B& b, const To& to, F f,
                 std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

template <distributed_range R, class F>
  requires(!distributed_container<R>)
task<> for_each(const R& range, F f, std::source_location where) {
  const auto loop = [f = std::move(f)](const on_node::execution& how, auto elements,
                                       const auto&) {
    on_node::for_each(how, elements.size(),
                      [&](std::size_t k) { std::invoke(f, elements[k]); });
    return detail::no_result{};
  };
  if constexpr (writable_range<R>) {
    return detail::write_segments(range, loop, "lamellar::for_each", where);
  } else {
    return detail::without_result(detail::read_segments<detail::no_result>(
        range, loop, detail::keep_first{}, "lamellar::for_each", where));
  }
}

template <writable_range R>
task<> fill(const R& range, std::type_identity_t<element_of<R>> value,
            std::source_location where) {
  const auto loop = [value = std::move(value)](const on_node::execution& how, auto elements,
                                               const auto&) {
    on_node::fill(how, elements, value);
  };
  return detail::write_segments(range, loop, "lamellar::fill", where);
}

template <writable_range R, std::invocable<std::uint64_t> F>
task<> generate(const R& range, F f, std::source_location where) {
  const auto loop = [f = std::move(f)](const on_node::execution& how, auto elements,
                                       const auto& index) {
    using T = element_of<R>;
    on_node::for_each(how, elements.size(), [&](std::size_t k) {
      elements[k] = static_cast<T>(std::invoke(f, index(k)));
    });
  };
  return detail::write_segments(range, loop, "lamellar::generate", where);
}

template <writable_range R>
task<> iota(const R& range, std::type_identity_t<element_of<R>> first,
            std::source_location where) {
  using T = element_of<R>;
  const auto number = [first](std::uint64_t i) {
    return static_cast<T>(first + static_cast<T>(i));
  };
  return generate(range, number, where);
}

template <distributed_range From, writable_range To, class F>
task<> transform(const From& from, const To& to, F f, std::source_location where) {
  const auto loop = [f = std::move(f)](const on_node::execution& how, auto in, auto out) {
    on_node::for_each(how, out.size(), [&](std::size_t k) { out[k] = std::invoke(f, in[k]); });
  };
  return detail::write_from_segments(from, to, loop, "lamellar::transform", where);
}

namespace detail {

template <class A, class B, class To, class F>
task<> transform_both(A first, B second, To target, F f, std::source_location where) {
  const A one = std::move(first);
  const B other = std::move(second);
  const To to = std::move(target);
  const located_team of{to.members(), where};
  check_segments(of, "lamellar::transform", one, to);
  check_segments(of, "lamellar::transform", other, to);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_both(one, to, where);
  auto both = co_await opening;
  open_segment<const element_of<B>> third;
  const bool open = same_elements(other, to);
  if constexpr (std::same_as<B, To>) {
    if (open) {
      third = {both.out.local(), nullptr};
    }
  }
  if (!open) {
    auto opening_third = open_to_read(other, where);
    third = co_await opening_third;
  }
  std::exception_ptr thrown;
  auto done = attempt<no_result>(of, thrown, [&]() -> std::optional<no_result> {
    const auto a = both.in.local();
    const auto b = third.local();
    const auto out = both.out.local();
    on_node::for_each(of.value.where().on_node(), out.size(),
                      [&](std::size_t k) { out[k] = std::invoke(f, a[k], b[k]); });
    return std::nullopt;
  });
  third.close();
  both.close();
  auto ending = end_together(of, std::move(done), thrown, keep_first{}, "lamellar::transform");
  co_await ending;
}

}  // namespace detail

template <distributed_range A, distributed_range B, writable_range To, class F>
task<> transform(const A& a, const B& b, const To& to, F f, std::source_location where) {
  return detail::transform_both(a, b, to, std::move(f), where);
}

}  // namespace lamellar
