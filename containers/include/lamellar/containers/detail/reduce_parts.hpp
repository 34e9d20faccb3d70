// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/pipeline_loops.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/containers/operations.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

// A reduction that one PE asks for: each owner reduces its part, the asking PE joins what they
// answer. It reduces its own part while the others do theirs.
namespace lamellar::detail {

// ---- what is joined -------------------------------------------------------------------------

/// The elements.
struct as_they_are {
  template <class Source>
  static Source from(Source elements) {
    return elements;
  }
};

/// An element as the least and the greatest of one.
template <class Extremes>
struct to_extremes {
  template <class Item>
  Extremes operator()(std::size_t i, const Item& item) const {
    using T = decltype(Extremes::min);
    const T value = static_cast<T>(item);
    return {value, i, value, i};
  }
};
template <class Extremes>
struct as_extremes {
  template <class Source>
  static auto from(Source elements) {
    using change = by_function<to_extremes<Extremes>>;
    using numbered = transformed<Source, with_position>;
    return transformed<numbered, change>{numbered{std::move(elements), {}}, {}};
  }
};

/// The extremes of both; of equal ones, that with the smaller index.
struct join_extremes {
  template <class Extremes>
  Extremes operator()(Extremes a, const Extremes& b) const {
    const auto replace = [](auto& ours, std::size_t& at, const auto& theirs, std::size_t there,
                            bool smaller, bool larger) {
      // A NaN gives way to any number.
      const bool better = smaller || (is_nan(ours) && !is_nan(theirs));
      const bool worse = larger || (is_nan(theirs) && !is_nan(ours));
      if (better || (!worse && there < at)) {
        ours = theirs;
        at = there;
      }
    };
    replace(a.min, a.min_index, b.min, b.min_index, b.min < a.min, a.min < b.min);
    replace(a.max, a.max_index, b.max, b.max_index, a.max < b.max, b.max < a.max);
    return a;
  }
};

// ---- how ------------------------------------------------------------------------------------

template <class Array>
auto part_of(const Array& a) {
  using positions = positions_in_array<typename Array::layout_type>;
  const positions where{a.layout(), a.first_index(), a.size(), a.part()->me(), a.part()->pes()};
  if constexpr (locked<typename Array::access_type>) {
    using T = typename Array::value_type;
    const std::size_t begin = a.layout().before(a.part()->me(), a.first_index());
    const std::span<const T> elements = a.part()->own().subspan(begin, a.local_size());
    return element_source<std::span<const T>, positions, Array>{elements, where, a};
  } else {
    return element_source<decltype(a.local()), positions, Array>{a.local(), where, a};
  }
}

template <class Sums, class Of>
task<> add_up_share(Sums& sums, std::size_t first, std::size_t last, Of& of) {
  sums.add_up(first, last, of);
  co_return;
}

/// Like reduce_items(), in a handler as well, where the loops of Kokkos are not to be had: then
/// by tasks on the PE's workers.
template <class V, class Node, class Op>
task<std::optional<V>> reduce_beside(world& at, const Node& node, Op& op) {
  constexpr std::size_t worth_it = std::size_t{1} << 16;
  const on_node::execution how = at.on_node();
  if (how.threads() > 1 || at.threads() == 1 || node.slots() < worth_it) {
    co_return reduce_items<V>(how, node, op);
  }
  on_node::detail::block_sums<V> sums{node.slots()};
  const auto of = [&](std::size_t begin, std::size_t end) {
    return reduce_slots<V>(node, begin, end, op);
  };
  const std::size_t shares = std::min<std::size_t>(at.threads(), sums.blocks());
  std::vector<spawned<>> others;
  for (std::size_t k = 1; k < shares; ++k) {
    others.push_back(at.spawn(
        add_up_share(sums, sums.blocks() * k / shares, sums.blocks() * (k + 1) / shares, of)));
  }
  std::exception_ptr first;
  try {
    sums.add_up(0, sums.blocks() / shares, of);
  } catch (...) {
    first = std::current_exception();
  }
  for (spawned<>& each : others) {
    try {
      co_await each;
    } catch (...) {
      first = first ? first : std::current_exception();
    }
  }
  if (first) {
    std::rethrow_exception(first);
  }
  co_return sums.join(op);
}

/// The part of `a` that is here; under its lock, if the part has one of its own.
template <class V, class Build, class Array, class Op>
task<std::optional<V>> reduce_own_part(Array a, Op op, std::source_location where) {
  if constexpr (std::same_as<typename Array::access_type, lamellar::access::local_lock>) {
    auto entering = a.read_lock(where);
    const auto guard = co_await entering;
    const auto node = Build::from(part_of(a));
    auto reducing = reduce_beside<V>(a.where(), node, op);
    co_return co_await reducing;
  } else {
    const auto node = Build::from(part_of(a));
    auto reducing = reduce_beside<V>(a.where(), node, op);
    co_return co_await reducing;
  }
}

template <class V, class Build, class Array, class Op>
struct reduce_part {
  task<maybe<V>> operator()(context, Array a, Op op) const {
    auto reducing =
        reduce_own_part<V, Build>(std::move(a), std::move(op), std::source_location::current());
    co_return maybe<V>::of(co_await reducing);
  }
};

template <class V, class Build, class Array, class Op>
task<std::optional<V>> ask_parts(Array given, Op op, std::source_location where) {
  const Array a = std::move(given);  // given back at the end, even if the task is kept
  std::shared_ptr<void> whole;
  if constexpr (std::same_as<typename Array::access_type, lamellar::access::global_lock>) {
    using guard_type = array_guard<Array, detail::access::read>;
    auto entering = a.read_lock(where);
    whole = std::make_shared<guard_type>(co_await entering);
  }
  const team& members = a.members();
  const std::uint32_t me = a.part()->me();
  std::vector<reply<maybe<V>>> answers(members.size());
  for (std::uint32_t k = 0; k < members.size(); ++k) {
    if (const team_position at{k}; k != me && a.size_at(at) != 0) {
      answers[k] = members.call(at, reduce_part<V, Build, Array, Op>{}, a, op);
    }
  }
  auto reducing = reduce_own_part<V, Build>(a, op, where);
  std::optional<V> own = co_await reducing;
  std::optional<V> all;
  for (std::uint32_t k = 0; k < members.size(); ++k) {
    std::optional<V> next;
    if (k == me) {
      next = std::move(own);
    } else if (answers[k].valid()) {
      maybe<V> answer = co_await answers[k];
      next = std::move(answer).get();
    }
    if (all.has_value() && next.has_value()) {
      all.emplace(op(*std::move(all), *std::move(next)));
    } else if (next.has_value()) {
      all = std::move(next);
    }
  }
  co_return all;
}

template <class V, class Build, class Array, class Op>
reply<std::optional<V>> reduce_parts(const Array& a, Op op, std::source_location where) {
  return reply<std::optional<V>>{ask_parts<V, Build>(a, std::move(op), where)};
}

}  // namespace lamellar::detail
