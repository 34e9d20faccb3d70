// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/own_range.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// Elements from one array to another: copy() between arrays or views of any layouts and
// accesses, redistribute() to a new array of another layout, resize() to one of another length.
// Each PE moves a share: what it will own, or what it owns, whichever makes longer ranges.
//
// Thread-safety: the body.
namespace lamellar {

/// Let element i of `to` be element i of `from`, for all i. Both may be views.
///
/// Cost: each element is read once and written once, in ranges as put() and get() move them
/// where one side has consecutive indices on each PE, else by lists of indices; nothing travels
/// where both have an element in the same place. Memory: a few MiB. Elements are whole, and
/// under locks as put() and get() say. Collective over the team of the array with fewer PEs,
/// whose PEs must be in the other's team too. Ends when all of them have finished. Requires:
/// equal sizes; nobody changes either meanwhile (quiesce before, if messages may be under way);
/// two views of one array do not overlap.
template <array_element T, array_layout FromLayout, class FromAccess, array_layout ToLayout,
          writable ToAccess>
task<> copy(array<T, FromLayout, FromAccess> from, array<T, ToLayout, ToAccess> to,
            std::source_location where = std::source_location::current());

/// Make an array with the same elements in another layout: `redistribute<layout::cyclic>(a)`.
/// `how...` are further arguments of the layout. `from` stays as it is.
///
/// Cost: create() and copy(). Collective over the array's team. Requires: as copy(). Throws:
/// out_of_memory on all PEs.
template <array_layout Layout, array_element T, array_layout From, class Access, class... How>
task<array<T, Layout, Access>> redistribute(array<T, From, Access> from, How... how) requires(
    std::constructible_from<Layout, std::size_t, std::uint32_t, How...>);

/// Make an array of `n` elements of it: those with an index less than n keep their values, new
/// ones are zero. The old handle is left empty.
///
/// Cost: two conversions, create() and copy(). Collective over the array's team; `from` must
/// live until the task has ended. Requires: the handle of a whole array, not a view; the same n
/// everywhere. Throws: still_referenced on all PEs, if one holds another handle, out_of_memory
/// on all, if one has no memory; `from` is then as it was.
template <array_element T, class Access>
task<array<T, layout::block, Access>> resize(
    array<T, layout::block, Access>&& from, std::size_t n,
    std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

/// Whether each part has consecutive indices of a view.
template <class Array>
bool consecutive_parts(const Array& of) {
  const auto& how = of.layout();
  for (std::uint32_t part = 0; part < how.parts(); ++part) {
    const std::size_t begin = how.before(part, of.first_index());
    const std::size_t n = how.before(part, of.first_index() + of.size()) - begin;
    if (n > 1 && how.run_length(how.index_of({part, begin})) < n) {
      return false;
    }
  }
  return true;
}

/// Whether all members of `some` are members of `all`.
bool is_part_of(const team& some, const team& all);
/// Whether each position of both is the same PE.
bool same_positions(const team& a, const team& b);
/// Ends the job: two arrays of different sizes, or of teams neither of which has the other's.
[[noreturn]] void cannot_copy(const engine* at, std::size_t from, std::size_t to,
                              std::source_location where);
/// Ends the job: a view was to be resized.
[[noreturn]] void cannot_resize_view(const engine* at, std::source_location where);

/// Whether every element of one lies where that of the other does.
template <class From, class To>
bool same_places(const From& from, const To& to) {
  if constexpr (std::same_as<typename From::layout_type, typename To::layout_type>) {
    const auto& a = from.layout();
    const auto& b = to.layout();
    if (!same_positions(from.members(), to.members()) ||
        from.first_index() != to.first_index()) {
      return false;
    }
    if constexpr (requires { a.block(); }) {
      return a.block() == b.block();
    } else {
      return std::same_as<typename From::layout_type, layout::cyclic> || a.size() == b.size();
    }
  } else {
    return false;
  }
}

/// Elements that a copy holds at a time.
template <class T>
constexpr std::size_t copied_at_a_time = std::max<std::size_t>(1, (std::size_t{2} << 20) /
                                                                      sizeof(T));

/// What this PE will own, from wherever it is.
template <class From, class To>
task<> pull(From from, To to, std::source_location where) {
  using T = typename From::value_type;
  const std::size_t n = to.local_size();
  const std::size_t at_a_time = std::min(n, copied_at_a_time<T>);
  const bool here = same_places(from, to);
  const bool consecutive = consecutive_parts(to);
  const std::unique_ptr<T[]> some{new T[at_a_time]()};
  std::vector<std::size_t> indices;
  for (std::size_t k = 0; k < n; k += at_a_time) {
    const std::size_t now = std::min(at_a_time, n - k);
    const std::span<T> into{some.get(), now};
    if (here) {
      auto reading = read_own(from, k, into);
      co_await reading;
    } else if (consecutive) {
      auto getting = from.get(to.global_index(k), into, where);
      co_await getting;
    } else {
      indices.resize(now);
      for (std::size_t j = 0; j < now; ++j) {
        indices[j] = to.global_index(k + j);
      }
      auto gathering = from.gather_into(indices, into, where);
      co_await gathering;
    }
    auto writing = write_own(to, k, into);
    co_await writing;
  }
}

/// What this PE owns, to wherever it shall be.
template <class From, class To>
task<> push(From from, To to, std::source_location where) {
  using T = typename From::value_type;
  const std::size_t n = from.local_size();
  const std::size_t at_a_time = std::min(n, copied_at_a_time<T>);
  const std::unique_ptr<T[]> some{new T[at_a_time]()};
  std::vector<completion<>> under_way;
  constexpr std::size_t most_under_way = 1024;
  for (std::size_t k = 0; k < n; k += at_a_time) {
    const std::size_t now = std::min(at_a_time, n - k);
    const std::span<T> values{some.get(), now};
    auto reading = read_own(from, k, values);
    co_await reading;
    for (std::size_t j = 0; j < now;) {
      const std::size_t i = from.global_index(k + j);
      const std::size_t run =
          std::min(from.layout().run_length(from.first_index() + i), now - j);
      completion<> one = to.put(i, values.subspan(j, run), where);
      if (!one.ready()) {
        under_way.push_back(std::move(one));
      }
      j += run;
      if (under_way.size() == most_under_way || j == now) {
        for (completion<>& each : under_way) {
          co_await each;
        }
        under_way.clear();
      }
    }
  }
}

}  // namespace detail

template <array_element T, array_layout FromLayout, class FromAccess, array_layout ToLayout,
          writable ToAccess>
task<> copy(array<T, FromLayout, FromAccess> given, array<T, ToLayout, ToAccess> wanted,
            std::source_location where) {
  // Parameters live as long as the task, even if it has ended; these do not.
  const auto from = std::move(given);
  const auto to = std::move(wanted);
  const bool may_pull = detail::is_part_of(to.members(), from.members());
  const bool may_push = detail::is_part_of(from.members(), to.members());
  if (from.size() != to.size() || !(may_pull || may_push)) {
    detail::cannot_copy(from.home(), from.size(), to.size(), where);
  }
  const bool pulls =
      may_pull && (!may_push || detail::same_places(from, to) ||
                   detail::consecutive_parts(to) || !detail::consecutive_parts(from));
  const team over = pulls ? to.members() : from.members();
  auto ready = over.barrier(where);
  co_await ready;
  auto moving = pulls ? detail::pull(from, to, where) : detail::push(from, to, where);
  co_await moving;
  auto finished = over.barrier(where);
  co_await finished;
}

template <array_layout Layout, array_element T, array_layout From, class Access, class... How>
task<array<T, Layout, Access>> redistribute(array<T, From, Access> from, How... how) requires(
    std::constructible_from<Layout, std::size_t, std::uint32_t, How...>) {
  constexpr bool fixed = std::same_as<Access, access::read_only>;
  using filled = array<T, Layout, std::conditional_t<fixed, access::unsafe, Access>>;
  auto making = filled::create(from.members(), from.size(), how...);
  filled made = co_await making;
  auto copying = lamellar::copy(std::move(from), made);
  co_await copying;
  if constexpr (fixed) {
    auto converting = std::move(made).into_read_only();
    co_return co_await converting;
  } else {
    co_return made;
  }
}

namespace detail {

/// The same elements with access To.
template <class To, class T, class Layout, class Access>
task<array<T, Layout, To>> with_access(array<T, Layout, Access>* source,
                                       std::source_location where) {
  if constexpr (std::same_as<To, lamellar::access::atomic>) {
    return std::move(*source).into_atomic(where);
  } else if constexpr (std::same_as<To, lamellar::access::local_lock>) {
    return std::move(*source).into_local_lock(where);
  } else if constexpr (std::same_as<To, lamellar::access::global_lock>) {
    return std::move(*source).into_global_lock(where);
  } else if constexpr (std::same_as<To, lamellar::access::read_only>) {
    return std::move(*source).into_read_only(where);
  } else {
    return std::move(*source).into_unsafe(where);
  }
}

template <class T, class Access>
task<array<T, layout::block, Access>> resize_array(array<T, layout::block, Access>* from,
                                                   std::size_t n, std::source_location where) {
  if (from->size() != from->layout().size()) {
    cannot_resize_view(from->home(), where);
  }
  const team all = from->members();
  // Whoever has the only handles has the elements for himself.
  auto claiming = with_access<lamellar::access::unsafe>(from, where);
  unsafe_array<T> old = co_await claiming;
  unsafe_array<T> made;
  std::exception_ptr failed;
  try {
    auto making = unsafe_array<T>::create({all, where}, n);
    made = co_await making;
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed) {
    auto restoring = with_access<Access>(&old, where);
    *from = co_await restoring;
    std::rethrow_exception(failed);
  }
  const std::size_t kept = std::min(n, old.size());
  auto copying = lamellar::copy(old.sub_array(0, kept), made.sub_array(0, kept), where);
  co_await copying;
  old = {};
  auto converting = with_access<Access>(&made, where);
  co_return co_await converting;
}

}  // namespace detail

template <array_element T, class Access>
task<array<T, layout::block, Access>> resize(array<T, layout::block, Access>&& from,
                                             std::size_t n, std::source_location where) {
  return detail::resize_array(&from, n, where);
}

}  // namespace lamellar
