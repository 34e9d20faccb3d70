// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <lamellar/algorithms/detail/deal_out.hpp>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/world.hpp>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// Each element of a distributed range with the one before it: what undoes an inclusive scan.
//
// Collective; begins with a quiesce of the team. Requires: the operation does not throw.
// Thread-safety: the body.
namespace lamellar {

/// to[i] = op(from[i], from[i - 1]); to[0] = from[0]. Both may be the same range.
///
/// Cost: each segment is read and written once, and an exclusive scan of one element of each
/// member; where the order of indices is not that of the segments all elements travel twice.
/// Misuse: ranges with segments of other sizes, or dealt out in another way.
template <distributed_range From, writable_range To, class Op = std::minus<>>
  requires std::same_as<element_of<From>, element_of<To>> task<> adjacent_difference(
      const From& from, const To& to, Op op = {},
      std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Collective. `out` may be `in`.
template <class T, class Op>
task<> difference_rows(located_team of, std::span<const T> in, std::span<T> out, Op op) {
  auto asking = element_before(of, in);
  const last_element<T> last = co_await asking;
  const on_node::execution how = of.value.where().on_node();
  constexpr std::size_t least_part = 8192;
  const std::size_t parts = std::clamp<std::size_t>(in.size() / least_part, 1, how.threads());
  const auto begin_of = [&](std::size_t part) { return in.size() * part / parts; };
  std::vector<last_element<T>> before{last};
  for (std::size_t part = 1; part < parts; ++part) {
    before.push_back({in[begin_of(part) - 1], true});
  }
  deal_out(how, parts, [&](std::size_t part) {
    // From the end, so that what is read has not been written.
    const std::size_t begin = begin_of(part);
    const std::size_t end = begin_of(part + 1);
    for (std::size_t i = end; i-- > begin + 1;) {
      out[i] = static_cast<T>(op(in[i], in[i - 1]));
    }
    if (begin != end) {
      const last_element<T>& first = before[part];
      out[begin] = first.some ? static_cast<T>(op(in[begin], first.value)) : in[begin];
    }
  });
}

}  // namespace detail

template <distributed_range From, writable_range To, class Op>
  requires std::same_as<element_of<From>, element_of<To>> task<> adjacent_difference(
      const From& from, const To& to, Op op, std::source_location where) {
    using T = element_of<From>;
    const auto work = [op = std::move(op)](detail::located_team of, std::span<const T> in,
                                           std::span<T> out) {
      return detail::difference_rows<T>(std::move(of), in, out, op);
    };
    return detail::rewrite_in_order(from, to, "adjacent_difference", work, where);
  }

}  // namespace lamellar
