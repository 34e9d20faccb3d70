// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/realign.hpp>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <source_location>
#include <utility>

// Elements from one distributed range to another one of its team, however they are divided.
// Between arrays there is the copy() of <lamellar/containers/array_copy.hpp>, which moves whole
// ranges of indices.
//
// Collective; begins with a quiesce of the team. Threads: the body.
namespace lamellar {

/// Let element i of `to` be element i of `from`, for all i.
///
/// Cost: n/P, a quiesce and a barrier; where they lie in different ways each element travels
/// once, with its index. Memory: nothing, or the elements and their indices. Misuse: ranges of
/// other sizes.
template <distributed_range From, writable_range To>
  requires std::same_as<element_of<From>, element_of<To>> task<> copy(
      const From& from, const To& to,
      std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Ends the job: two ranges have not as many elements.
[[noreturn]] void sizes_differ(const engine* at, const char* what, std::size_t first,
                               std::size_t second, std::source_location where);

template <class From, class To>
task<> copy_range(From source, To target, std::source_location where) {
  const From from = std::move(source);
  const To to = std::move(target);
  const located_team of{to.members(), where};
  world& at = of.value.where();
  if (from.size() != to.size()) {
    sizes_differ(&engine_of(at), "copy", from.size(), to.size(), where);
  }
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_both(from, to, where);
  auto both = co_await opening;
  const auto out = both.out.local();
  if (lie_alike(from, to)) {
    const auto in = both.in.local();
    on_node::for_each(at.on_node(), out.size(), [&](std::size_t k) { out[k] = in[k]; });
  } else {
    auto bringing = bring_beside(of, from, to, both.in.local());
    auto got = co_await bringing;
    on_node::for_each(at.on_node(), out.size(),
                      [&](std::size_t k) { out[k] = std::move(got[k].value); });
  }
  both.close();
  auto finished = of.value.barrier(where);
  co_await finished;
}

}  // namespace detail

template <distributed_range From, writable_range To>
  requires std::same_as<element_of<From>, element_of<To>> task<> copy(
      const From& from, const To& to, std::source_location where) {
    return detail::copy_range(from, to, where);
  }

}  // namespace lamellar
