// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <lamellar/algorithms/detail/neighbours.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>

// The frame of algorithms in which each member works on its own segment and nothing moves but
// the result: all wait for what was sent, take locks, work, give locks back, and join what they
// have found. What a function throws on one member comes out on all.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// A value that what a projection gives can be compared with. Asked for by algorithms whose
/// names are common, so that a user's own count(array, list) is no call of them.
template <class V, class R, class Projection>
concept compared_with = requires(Projection& projection, const element_of<R>& element,
                                 const V& value) {
  { std::invoke(projection, element) == value } -> std::convertible_to<bool>;
};

/// For work without a result.
using no_result = std::uint8_t;
struct keep_first {
  template <class T>
  T operator()(T a, const T&) const {
    return a;
  }
};

/// For work that always has a result.
template <class V>
task<V> value_of(task<std::optional<V>> work) {
  std::optional<V> result = co_await work;
  co_return *std::move(result);
}
template <class V>
task<> without_result(task<std::optional<V>> work) {
  co_await work;
}

/// Whether two ranges are one, and under one lock.
template <class A, class B>
bool same_elements(const A& a, const B& b) {
  if constexpr (std::same_as<A, B> && requires { a.part(); }) {
    return a.part() == b.part();
  } else {
    return false;
  }
}

/// `from` for reading and `to` for writing; one range may be both.
template <class From, class To>
struct two_segments {
  open_segment<const element_of<From>> in;
  open_segment<element_of<To>> out;

  void close() {
    in.close();
    out.close();
  }
};
template <class From, class To>
task<two_segments<From, To>> open_both(From from, To to, std::source_location where) {
  two_segments<From, To> both;
  auto opening = open_to_write(to, where);
  both.out = co_await opening;
  if constexpr (std::same_as<From, To>) {
    if (same_elements(from, to)) {
      both.in = {both.out.local(), nullptr};
      co_return both;
    }
  }
  auto opening_source = open_to_read(from, where);
  both.in = co_await opening_source;
  co_return both;
}

/// Call `work(how, elements, index)` on each member's segment, with the indices of its elements
/// as a function; join the std::optional<V>s that it returns. Collective.
template <class V, class R, class Work, class Join>
task<std::optional<V>> read_segments(R range, Work work, Join join, const char* what,
                                     std::source_location where) {
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const auto index = indices_of(mine, place_in(of.value, segment_begins(mine)).begin);
  std::exception_ptr thrown;
  auto done = attempt<V>(of, thrown, [&] {
    return std::optional<V>{work(of.value.where().on_node(), segment.local(), index)};
  });
  segment.close();
  auto ending = end_together(of, std::move(done), thrown, std::move(join), what);
  co_return co_await ending;
}

/// The same for two ranges that lie in the same way: `work(how, first, second)`.
template <class V, class A, class B, class Work, class Join>
task<std::optional<V>> read_both_segments(A first, B second, Work work, Join join,
                                          const char* what, std::source_location where) {
  const A one = std::move(first);
  const B other = std::move(second);
  const located_team of{one.members(), where};
  check_segments(of, what, one, other);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(one, where);
  auto segment = co_await opening;
  auto opening_other = open_to_read(other, where);
  auto other_segment = co_await opening_other;
  std::exception_ptr thrown;
  auto done = attempt<V>(of, thrown, [&] {
    return std::optional<V>{
        work(of.value.where().on_node(), segment.local(), other_segment.local())};
  });
  other_segment.close();
  segment.close();
  auto ending = end_together(of, std::move(done), thrown, std::move(join), what);
  co_return co_await ending;
}

/// Call `work(how, elements, index)` on each member's segment, to change it. Collective.
template <class R, class Work>
task<> write_segments(R range, Work work, const char* what, std::source_location where) {
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_write(mine, where);
  auto segment = co_await opening;
  const auto index = indices_of(mine, place_in(of.value, segment_begins(mine)).begin);
  std::exception_ptr thrown;
  auto done = attempt<no_result>(of, thrown, [&]() -> std::optional<no_result> {
    work(of.value.where().on_node(), segment.local(), index);
    return std::nullopt;
  });
  segment.close();
  auto ending = end_together(of, std::move(done), thrown, keep_first{}, what);
  co_await ending;
}

/// Call `work(how, from, to)` on each member's segments, to change those of `target`. Both lie
/// in the same way, and may be the same. Collective.
template <class From, class To, class Work>
task<> write_from_segments(From source, To target, Work work, const char* what,
                           std::source_location where) {
  const From from = std::move(source);
  const To to = std::move(target);
  const located_team of{to.members(), where};
  check_segments(of, what, from, to);
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_both(from, to, where);
  auto both = co_await opening;
  std::exception_ptr thrown;
  auto done = attempt<no_result>(of, thrown, [&]() -> std::optional<no_result> {
    work(of.value.where().on_node(), both.in.local(), both.out.local());
    return std::nullopt;
  });
  both.close();
  auto ending = end_together(of, std::move(done), thrown, keep_first{}, what);
  co_await ending;
}

}  // namespace lamellar::detail
