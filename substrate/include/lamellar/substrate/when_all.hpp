// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/task.hpp>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

// Wait for several things at once. Replies and spawned tasks are under way already; tasks are
// started, in order, before the first one is awaited.
namespace lamellar {

namespace detail {

template <class A>
using awaited_value = typename A::value_type;

/// void has no values: std::monostate stands in a tuple for it.
template <class T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class A>
void start_if_lazy(A& what) {
  if constexpr (requires { what.start(); }) {
    what.start();
  }
}

template <class A>
task<stored<awaited_value<A>>> one_of_all(A& what) {
  if constexpr (std::is_void_v<awaited_value<A>>) {
    co_await what;
    co_return std::monostate{};
  } else {
    co_return co_await what;
  }
}

}  // namespace detail

/// Await all; the results in the order of the arguments, std::monostate where there is none.
///
/// Throws: what the first of them, in this order, threw; the others still run to their end.
template <class... A>
task<std::tuple<detail::stored<detail::awaited_value<A>>...>> when_all(A... all) {
  (detail::start_if_lazy(all), ...);
  // Braces: from left to right.
  co_return std::tuple<detail::stored<detail::awaited_value<A>>...>{
      co_await detail::one_of_all(all)...};
}

/// The same for many of one kind; a vector of results, or nothing.
template <class A>
auto when_all(std::vector<A> all)
    -> task<std::conditional_t<std::is_void_v<detail::awaited_value<A>>, void,
                               std::vector<detail::stored<detail::awaited_value<A>>>>> {
  for (A& each : all) {
    detail::start_if_lazy(each);
  }
  if constexpr (std::is_void_v<detail::awaited_value<A>>) {
    for (A& each : all) {
      co_await each;
    }
  } else {
    std::vector<detail::awaited_value<A>> results;
    results.reserve(all.size());
    for (A& each : all) {
      results.push_back(co_await each);
    }
    co_return results;
  }
}

}  // namespace lamellar
