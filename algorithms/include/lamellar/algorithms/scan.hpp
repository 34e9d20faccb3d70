// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/algorithms/detail/deal_out.hpp>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// Scans over the elements of a distributed range, in order: element i of `to` is made of the
// elements of `from` before i, or up to it.
//
// Both ranges have segments of the same sizes and the same order of indices; they may be the
// same range. The operation is associative; it need not commute. Elements are joined in a
// grouping that depends on the segments and the number of threads.
//
// Call them by their full names, lamellar::inclusive_scan(a, b): without, an operation of the
// standard library would let the compiler find its scans first.
//
// Cost: each segment is read twice and written once, and an exclusive scan over the PEs; where
// the order of indices is not that of the segments all elements travel twice, and take two
// thirds more memory. Collective; begins with a quiesce of the team. Requires: op does not
// throw. Misuse: segments of other sizes.
//
// Thread-safety: the body.
namespace lamellar {

/// to[i] = op(from[0], ... from[i]).
template <distributed_range From, writable_range To, class Op = std::plus<>>
  requires std::same_as<element_of<From>, element_of<To>> task<> inclusive_scan(
      const From& from, const To& to, Op op = {},
      std::source_location where = std::source_location::current());

/// to[i] = op(init, from[0], ... from[i - 1]); to[0] = init.
template <distributed_range From, writable_range To, class Op = std::plus<>>
  requires std::same_as<element_of<From>, element_of<To>> task<> exclusive_scan(
      const From& from, const To& to, std::type_identity_t<element_of<From>> init, Op op = {},
      std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// A sum of some elements, or of none.
template <class T>
struct sum_of_some {
  T value{};
  bool some = false;
};

template <class T, class Op>
struct join_sums {
  Op op;
  sum_of_some<T> operator()(sum_of_some<T> a, sum_of_some<T> b) const {
    if (!a.some || !b.some) {
      return a.some ? a : b;
    }
    return {static_cast<T>(op(std::move(a.value), std::move(b.value))), true};
  }
};

/// The parts of a segment that threads scan side by side, and the sum of each.
template <class T, class Op>
class scanned_parts {
 public:
  scanned_parts(const on_node::execution& how, std::span<const T> from, const Op& op)
      : how_{how}, from_{from}, op_{op} {
    constexpr std::size_t least_part = 8192;
    parts_ = std::clamp<std::size_t>(from.size() / least_part, 1, how.threads());
    sums_.resize(parts_);
    each([this](std::size_t part, std::size_t begin, std::size_t end) {
      if (begin != end) {
        sums_[part] = {on_node::reduce_range<T>(
                           begin, end, [this](std::size_t i) { return from_[i]; }, op_),
                       true};
      }
    });
  }

  sum_of_some<T> sum() const {
    sum_of_some<T> all;
    for (const sum_of_some<T>& part : sums_) {
      all = join_sums<T, Op>{op_}(std::move(all), part);
    }
    return all;
  }

  /// Scan into `to`. `before`: of all elements before these.
  void scan(std::span<T> to, sum_of_some<T> before, bool inclusive) {
    for (sum_of_some<T>& part : sums_) {
      sum_of_some<T> next = join_sums<T, Op>{op_}(before, std::move(part));
      part = std::exchange(before, std::move(next));
    }
    each([&](std::size_t part, std::size_t begin, std::size_t end) {
      inclusive ? with_it(to, std::move(sums_[part]), begin, end)
                : without_it(to, std::move(sums_[part].value), begin, end);
    });
  }

 private:
  template <class F>
  void each(const F& f) const {
    const auto one = [&](std::size_t part) {
      f(part, from_.size() * part / parts_, from_.size() * (part + 1) / parts_);
    };
    if (parts_ == 1) {
      one(0);
    } else {
      deal_out(how_, parts_, one);
    }
  }
  void with_it(std::span<T> to, sum_of_some<T> before, std::size_t begin, std::size_t end) {
    if (begin == end) {
      return;
    }
    T sum =
        before.some ? static_cast<T>(op_(std::move(before.value), from_[begin])) : from_[begin];
    to[begin] = sum;
    for (std::size_t i = begin + 1; i < end; ++i) {
      sum = static_cast<T>(op_(std::move(sum), from_[i]));
      to[i] = sum;
    }
  }
  void without_it(std::span<T> to, T sum, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      T next = static_cast<T>(op_(sum, from_[i]));  // before to[i], which may be from[i]
      to[i] = std::move(sum);
      sum = std::move(next);
    }
  }

  on_node::execution how_;
  std::span<const T> from_;
  Op op_;
  std::size_t parts_ = 1;
  std::vector<sum_of_some<T>> sums_;
};

/// Scan segments that follow each other in order of positions. Collective.
template <class T, class Op>
task<> scan_segments(located_team of, std::span<const T> from, std::span<T> to,
                     sum_of_some<T> init, Op op) {
  const join_sums<T, Op> join{op};
  scanned_parts<T, Op> parts{of.value.where().on_node(), from, op};
  const bool inclusive = !init.some;
  auto scanning = exclusive_scan(of, parts.sum(), init, join);
  parts.scan(to, co_await scanning, inclusive);
}

template <class From, class To, class Op>
task<> scan_range(const From& from, const To& to, sum_of_some<element_of<From>> init, Op op,
                  std::source_location where) {
  using T = element_of<From>;
  const auto scan = [init = std::move(init), op = std::move(op)](
                        located_team of, std::span<const T> in, std::span<T> out) {
    return scan_segments<T>(std::move(of), in, out, init, op);
  };
  return rewrite_in_order(from, to, "scan", scan, where);
}

}  // namespace detail

template <distributed_range From, writable_range To, class Op>
  requires std::same_as<element_of<From>, element_of<To>> task<> inclusive_scan(
      const From& from, const To& to, Op op, std::source_location where) {
    return detail::scan_range(from, to, detail::sum_of_some<element_of<From>>{}, std::move(op),
                              where);
  }

template <distributed_range From, writable_range To, class Op>
  requires std::same_as<element_of<From>, element_of<To>> task<> exclusive_scan(
      const From& from, const To& to, std::type_identity_t<element_of<From>> init, Op op,
      std::source_location where) {
    return detail::scan_range(from, to,
                              detail::sum_of_some<element_of<From>>{std::move(init), true},
                              std::move(op), where);
  }

}  // namespace lamellar
