// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <lamellar/algorithms/detail/segment_work.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/task.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <utility>

// The first element of a distributed range that is such as one looks for, and whether there is
// any: found by all, without looking at everything.
//
// Members look through their segments in rounds, 2^14 elements in the first and four times as
// many in each one after it, and tell each other after every round what they have found. Who
// has nothing left before the first one found looks no further, and all end when it is known to
// be the first: so at most about four times as many elements are looked at as lie before it on
// any member, and there are at most log4(n / P / 2^14) + 2 rounds.
//
// Collective; functions as <lamellar/algorithms/elementwise.hpp> says. Cost: a quiesce, and an
// all_reduce for each round. Threads: the body.
namespace lamellar {

/// The least index of an element with predicate(projection(element)); nothing if there is none.
template <distributed_range R, class Predicate, class Projection = std::identity>
task<std::optional<std::uint64_t>> find_if(
    const R& range, Predicate predicate, Projection projection = {},
    std::source_location where = std::source_location::current());

/// The least index of an element whose projection equals `value`; nothing if there is none.
template <distributed_range R, class V, class Projection = std::identity>
  requires detail::compared_with<V, R, Projection> task<std::optional<std::uint64_t>> find(
      const R& range, V value, Projection projection = {},
      std::source_location where = std::source_location::current());

/// Whether there is an element with predicate(projection(element)). All end in the round in
/// which one is found anywhere.
template <distributed_range R, class Predicate, class Projection = std::identity>
task<bool> any_of(const R& range, Predicate predicate, Projection projection = {},
                  std::source_location where = std::source_location::current());

/// Whether all elements are such; true, if there are none.
template <distributed_range R, class Predicate, class Projection = std::identity>
task<bool> all_of(const R& range, Predicate predicate, Projection projection = {},
                  std::source_location where = std::source_location::current());

/// Whether no element is such.
template <distributed_range R, class Predicate, class Projection = std::identity>
task<bool> none_of(const R& range, Predicate predicate, Projection projection = {},
                   std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// What is known after a round of a search.
struct search_state {
  static constexpr std::uint64_t none = ~std::uint64_t{0};
  std::uint64_t found = none;   ///< least index
  std::uint64_t unseen = none;  ///< least index of an element that nobody has looked at

  friend search_state earlier(const search_state& a, const search_state& b) {
    return {std::min(a.found, b.found), std::min(a.unseen, b.unseen)};
  }
};

/// The first element of [begin, end) that `test` holds for.
template <class T, class Test>
std::optional<std::size_t> find_here(const on_node::execution& how, std::span<const T> elements,
                                     std::size_t begin, std::size_t end, const Test& test) {
  const auto block = [&](std::size_t first, std::size_t last) {
    const auto row = elements.subspan(begin + first, last - first);
    const auto at = std::find_if(row.begin(), row.end(), test);
    return at == row.end()
               ? std::optional<std::size_t>{}
               : std::optional{begin + first + static_cast<std::size_t>(at - row.begin())};
  };
  const auto first = [](std::size_t a, std::size_t) { return a; };
  return on_node::reduce_blocks<std::size_t>(how, end - begin, block, first);
}

/// The least index of an element that `test` holds for, or the index of any such.
template <class R, class Test>
task<std::optional<std::uint64_t>> search(R range, Test test, bool any, const char* what,
                                          std::source_location where) {
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  const auto index = indices_of(mine, place_in(of.value, segment_begins(mine)).begin);
  const std::size_t n = segment.local().size();
  std::size_t seen = 0;
  search_state known;
  for (std::size_t step = std::size_t{1} << 14;; step *= 4) {
    std::exception_ptr thrown;
    auto done = attempt<search_state>(of, thrown, [&] {
      search_state own;
      const std::size_t until = std::min(n, seen + std::min(step, n));
      if (const auto at =
              find_here(of.value.where().on_node(), segment.local(), seen, until, test)) {
        own.found = index(*at);
        seen = n;  // what comes after it is of no use
      } else {
        seen = until;
      }
      own.unseen = seen < n ? index(seen) : search_state::none;
      return std::optional{own};
    });
    const auto join = [](const search_state& a, const search_state& b) {
      return earlier(a, b);
    };
    auto telling = end_together(of, std::move(done), thrown, join, what);
    const std::optional<search_state> all = co_await telling;
    known = earlier(known, {all->found, search_state::none});
    if (known.found <= all->unseen || (any && known.found != search_state::none)) {
      break;  // both are `none` where nothing was found
    }
    if (seen < n && index(seen) > known.found) {
      seen = n;
    }
  }
  segment.close();
  co_return known.found == search_state::none ? std::nullopt : std::optional{known.found};
}

template <class Predicate, class Projection>
struct projected_test {
  Predicate predicate;
  Projection projection;
  template <class T>
  bool operator()(const T& element) const {
    return static_cast<bool>(std::invoke(predicate, std::invoke(projection, element)));
  }
};

inline task<bool> whether(task<std::optional<std::uint64_t>> searching, bool found) {
  const std::optional<std::uint64_t> at = co_await searching;
  co_return at.has_value() == found;
}

}  // namespace detail

template <distributed_range R, class Predicate, class Projection>
task<std::optional<std::uint64_t>> find_if(const R& range, Predicate predicate,
                                           Projection projection, std::source_location where) {
  return detail::search(range,
                        detail::projected_test<Predicate, Projection>{std::move(predicate),
                                                                      std::move(projection)},
                        false, "lamellar::find_if", where);
}

template <distributed_range R, class V, class Projection>
  requires detail::compared_with<V, R, Projection> task<std::optional<std::uint64_t>> find(
      const R& range, V value, Projection projection, std::source_location where) {
    const auto equal = [value = std::move(value)](const auto& other) { return other == value; };
    return lamellar::find_if(range, equal, std::move(projection), where);
  }

template <distributed_range R, class Predicate, class Projection>
task<bool> any_of(const R& range, Predicate predicate, Projection projection,
                  std::source_location where) {
  const detail::projected_test<Predicate, Projection> test{std::move(predicate),
                                                           std::move(projection)};
  return detail::whether(detail::search(range, test, true, "lamellar::any_of", where), true);
}

template <distributed_range R, class Predicate, class Projection>
task<bool> all_of(const R& range, Predicate predicate, Projection projection,
                  std::source_location where) {
  const auto fails =
      [test = detail::projected_test<Predicate, Projection>{
           std::move(predicate), std::move(projection)}](const element_of<R>& element) {
        return !test(element);
      };
  return detail::whether(detail::search(range, fails, true, "lamellar::all_of", where), false);
}

template <distributed_range R, class Predicate, class Projection>
task<bool> none_of(const R& range, Predicate predicate, Projection projection,
                   std::source_location where) {
  const detail::projected_test<Predicate, Projection> test{std::move(predicate),
                                                           std::move(projection)};
  return detail::whether(detail::search(range, test, true, "lamellar::none_of", where), false);
}

}  // namespace lamellar
