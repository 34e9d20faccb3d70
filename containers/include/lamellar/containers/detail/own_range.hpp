// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/containers/detail/array_range.hpp>
#include <lamellar/substrate/task.hpp>
#include <span>
#include <variant>

// A row of a PE's own elements of an array, as its access demands: under the lock if it has
// one, word by word if others may be at them.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

template <class Array>
task<std::monostate> no_lock(Array) {
  co_return std::monostate{};
}

/// Access to what is here: a guard, or nothing where no lock is needed.
template <bool Writes, class Array>
auto enter_own(const Array& of) {
  if constexpr (!range_route<Array>::access::locks) {
    return no_lock(of);
  } else if constexpr (Writes) {
    return of.parts().write();
  } else {
    return of.parts().read();
  }
}

/// The offset, among all that is here, of element `k` of local().
template <class Array>
std::size_t own_offset(const Array& of, std::size_t k) {
  return of.layout().before(of.part()->me(), of.first_index()) + k;
}

/// Let the elements of local() from `k` on be `values`, which must live until it is done.
template <class Array>
task<> write_own(Array of, std::size_t k, std::span<const typename Array::value_type> values) {
  using route = range_route<Array>;
  const std::size_t offset = own_offset(of, k);
  auto entering = enter_own<true>(of);
  [[maybe_unused]] const auto guard = co_await entering;
  route::cells::write(own_range(*of.part(), offset, values.size()), values.size(),
                      route::goods::of(values.data()), of.part()->locks(), offset);
}

/// Copy the elements of local() from `k` on to `into`, which must live until it is done.
template <class Array>
task<> read_own(Array of, std::size_t k, std::span<typename Array::value_type> into) {
  using route = range_route<Array>;
  const std::size_t offset = own_offset(of, k);
  auto entering = enter_own<false>(of);
  [[maybe_unused]] const auto guard = co_await entering;
  route::cells::read(own_range(*of.part(), offset, into.size()), into.size(),
                     route::goods::of(into.data()), of.part()->locks(), offset);
}

}  // namespace lamellar::detail
