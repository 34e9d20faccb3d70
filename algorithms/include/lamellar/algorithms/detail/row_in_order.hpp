// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>

// The elements of a distributed range as rows that follow each other from member to member in
// the order of indices, and what lies before each row.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// An element, or none: what lies before a segment.
template <class T>
struct last_element {
  T value{};
  bool some = false;

  static last_element of(std::span<const T> elements) {
    return elements.empty() ? last_element{} : last_element{elements.back(), true};
  }
  struct join {
    last_element operator()(last_element a, last_element b) const { return b.some ? b : a; }
  };
};

/// The last element of all members before this one. Collective.
template <class T>
task<last_element<T>> element_before(located_team of, std::span<const T> row) {
  auto asking = exclusive_scan(of, last_element<T>::of(row), last_element<T>{},
                               typename last_element<T>::join{});
  co_return co_await asking;
}

/// The elements of a range in the order of indices: the segments themselves where that is their
/// order, else rows of neighbours that were brought here.
template <class T>
class row_in_order {
 public:
  explicit row_in_order(std::span<const T> here) : elements_{here} {}
  explicit row_in_order(neighbours<T> brought)
      : brought_{std::move(brought)}, elements_{brought_->elements()} {}
  std::span<const T> elements() const { return elements_; }

 private:
  std::optional<neighbours<T>> brought_;
  std::span<const T> elements_;
};

/// Collective. Requires: `local`, the segment of `range`, outlives the result.
template <class R>
task<row_in_order<element_of<R>>> in_order(located_team of, R range,
                                           std::span<const element_of<R>> local) {
  using T = element_of<R>;
  if constexpr (indexed_range<R>) {
    if (!has_ordered_segments(range)) {
      auto gathering = bring_neighbours<R, T>(of, range, local);
      co_return row_in_order<T>{co_await gathering};
    }
  }
  co_return row_in_order<T>{local};
}

/// Change `target` by `work(of, in, out)`, a task: rows of `source`, in the order of indices,
/// and of what becomes of them, which may be the same memory. Both ranges lie in the same way,
/// and may be the same. Collective.
template <class From, class To, class Work>
task<> rewrite_in_order(From source, To target, const char* what, Work work,
                        std::source_location where) {
  using T = element_of<From>;
  const From from = std::move(source);
  const To to = std::move(target);
  const located_team of{from.members(), where};
  world& at = of.value.where();
  check_segments(of, what, from, to);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_both(from, to, where);
  auto both = co_await opening;
  if (has_ordered_segments(from)) {
    auto working = work(of, both.in.local(), both.out.local());
    co_await working;
  } else if constexpr (indexed_range<From> && indexed_range<To>) {
    auto gathering = bring_neighbours<From, T>(of, from, both.in.local());
    neighbours<T> row = co_await gathering;
    auto working = work(of, std::as_const(row).elements(), row.elements());
    co_await working;
    auto settling_down =
        bring_to_indices<To, T>(of, to, std::as_const(row).elements(), row.first());
    auto got = co_await settling_down;
    move_elements<T>(at, {got.data(), got.size()}, both.out.local());
  }
  both.close();
  auto finished = of.value.barrier(where);
  co_await finished;
}

}  // namespace lamellar::detail
