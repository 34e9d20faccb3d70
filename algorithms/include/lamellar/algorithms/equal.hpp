// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <lamellar/algorithms/detail/realign.hpp>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>

// Whether two distributed ranges of one team have the same elements in the same order, however
// they are divided.
//
// Collective; functions as <lamellar/algorithms/elementwise.hpp> says. Threads: the body.
namespace lamellar {

/// Whether both have as many elements, and predicate(a[i], b[i]) for all i; on every PE.
///
/// Cost: n/P, a quiesce and an all_reduce; where they lie in different ways each element of `b`
/// travels once, with its index, and takes room for that twice.
template <distributed_range A, distributed_range B, class Predicate = std::equal_to<>>
task<bool> equal(const A& a, const B& b, Predicate predicate = {},
                 std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class A, class B, class Predicate>
task<bool> equal_ranges(A first, B second, Predicate predicate, std::source_location where) {
  const A a = std::move(first);
  const B b = std::move(second);
  const located_team of{a.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  if (a.size() != b.size()) {
    co_return false;
  }
  auto opening = open_to_read(a, where);
  auto segment = co_await opening;
  auto opening_other = open_to_read(b, where);
  auto other = co_await opening_other;
  const bool alike = lie_alike(a, b);
  exchanged_items<numbered<element_of<B>>> brought;
  if (!alike) {
    auto bringing = bring_beside(of, b, a, other.local());
    brought = co_await bringing;
  }
  std::exception_ptr thrown;
  auto done = attempt<no_result>(of, thrown, [&] {
    const auto own = segment.local();
    const auto beside = other.local();
    const auto block = [&](std::size_t begin, std::size_t end) {
      bool same = true;
      for (std::size_t k = begin; k < end && same; ++k) {
        same = static_cast<bool>(
            alike ? std::invoke(predicate, own[k], beside[k])
                  : std::invoke(predicate, own[k], std::as_const(brought[k].value)));
      }
      return std::optional<no_result>{same ? no_result{1} : no_result{0}};
    };
    return on_node::reduce_blocks<no_result>(of.value.where().on_node(), own.size(), block,
                                             std::bit_and<no_result>{});
  });
  other.close();
  segment.close();
  auto ending =
      end_together(of, std::move(done), thrown, std::bit_and<no_result>{}, "lamellar::equal");
  const std::optional<no_result> same = co_await ending;
  co_return same.value_or(1) != 0;
}

}  // namespace detail

template <distributed_range A, distributed_range B, class Predicate>
task<bool> equal(const A& a, const B& b, Predicate predicate, std::source_location where) {
  return detail::equal_ranges(a, b, std::move(predicate), where);
}

}  // namespace lamellar
