// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

// For algorithms that look at elements in the order of their indices: where these are dealt out
// among the PEs, elements move to PEs that have rows of neighbours, and back.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// Ends the job: two ranges do not lie in the same way.
[[noreturn]] void segments_differ(const engine* at, const char* what, std::uint32_t position,
                                  std::size_t first, std::size_t second,
                                  std::source_location where);

/// Ends the job: the elements of two ranges are dealt out in different ways.
[[noreturn]] void orders_differ(const engine* at, const char* what, std::source_location where);

template <class T>
void move_elements(world& at, std::span<T> from, std::span<T> to) {
  on_node::for_each_range(at.on_node(), from.size(), [&](std::size_t begin, std::size_t end) {
    std::move(from.data() + begin, from.data() + end, to.data() + begin);
  });
}

/// This member's position and where its segment begins.
struct own_place {
  std::uint32_t position;
  std::uint64_t begin;
};
inline own_place place_in(const team& of, const std::vector<std::uint64_t>& begins) {
  const std::uint32_t position = of.position().index();
  return {position, begins[position]};
}

/// By the indices of a range that has some, else in the order of segments: the index of this
/// member's element k. Requires: the range outlives the function.
template <class R>
auto indices_of(const R& range, std::uint64_t begin) {
  if constexpr (indexed_range<R>) {
    return [&range](std::size_t k) -> std::uint64_t { return range.global_index(k); };
  } else {
    return [begin](std::size_t k) -> std::uint64_t { return begin + k; };
  }
}

/// Whether the indices of two ranges with segments of the same sizes are the same everywhere.
template <class A, class B>
bool same_order(const A& a, const B& b) {
  const bool ordered = has_ordered_segments(a);
  if (ordered != has_ordered_segments(b)) {
    return false;
  }
  if constexpr (indexed_range<A> && indexed_range<B>) {
    for (std::uint32_t k = 0; !ordered && k < a.members().size(); ++k) {
      const team_position part{k};
      if (a.size_at(part) != 0 && (*a.first_index_at(part) != *b.first_index_at(part) ||
                                   *a.last_index_at(part) != *b.last_index_at(part))) {
        return false;
      }
    }
  }
  return true;
}

/// Ends the job, unless both ranges have segments of the same sizes, and the same indices in
/// them.
template <class A, class B>
void check_segments(const located_team& of, const char* what, const A& a, const B& b) {
  for (std::uint32_t k = 0; k < of.value.size(); ++k) {
    const std::size_t first = a.size_at(team_position{k});
    const std::size_t second = b.size_at(team_position{k});
    if (first != second) {
      segments_differ(&engine_of(of.value.where()), what, k, first, second, of.where);
    }
  }
  if (!same_order(a, b)) {
    orders_differ(&engine_of(of.value.where()), what, of.where);
  }
}

/// An element on its way, and its index.
template <class T>
struct numbered {
  T value;
  std::uint64_t index;
};

/// Elements with consecutive indices.
template <class T>
class neighbours {
 public:
  explicit neighbours(exchanged_items<numbered<T>> arrived, std::uint64_t first)
      : elements_{new T[arrived.size()]}, size_{arrived.size()}, first_{first} {
    for (numbered<T>& each : arrived) {
      elements_[each.index - first] = std::move(each.value);
    }
  }
  std::span<T> elements() { return {elements_.get(), size_}; }
  std::span<const T> elements() const { return {elements_.get(), size_}; }
  std::uint64_t first() const { return first_; }

 private:
  std::unique_ptr<T[]> elements_;
  std::size_t size_;
  std::uint64_t first_;
};

/// The elements of a range whose indices are dealt out: on each member as many as it has, in
/// the order of indices. Collective. `local` stays as it is until the task has ended.
template <class R, class T>
task<neighbours<T>> bring_neighbours(located_team of, R range, std::span<const T> local) {
  const std::vector<std::uint64_t> begins = segment_begins(range);
  const auto route = [&begins, &range](const T& element, std::size_t k) {
    const std::uint64_t index = range.global_index(k);
    const auto after = std::upper_bound(begins.begin(), begins.end(), index);
    const auto to = static_cast<std::uint32_t>(after - begins.begin() - 1);
    return parcel<numbered<T>>{team_position{to}, numbered<T>{element, index}};
  };
  auto moving = exchange_placed(of, local, route);
  co_return neighbours<T>{co_await moving, place_in(of.value, begins).begin};
}

/// Bring elements that are in the order of segments to where the range's indices want them.
/// Collective. Requires: `elements` stay as they are until the task has ended.
template <class R, class T>
task<exchanged_items<T>> bring_to_indices(located_team of, R range, std::span<const T> elements,
                                          std::uint64_t first_index) {
  // What a member gets comes with ascending indices, which is the order that it has them in.
  const auto route = [&range, first_index](const T&, std::size_t k) {
    return team_position{range.place_of(first_index + k).part};
  };
  auto moving = exchange_placed(of, elements, route);
  co_return co_await moving;
}

}  // namespace lamellar::detail
