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

/// Let the elements of local() from `k` on be `values`, which must live until it is done.
template <class Array>
task<> write_own(Array of, std::size_t k, std::span<const typename Array::value_type> values) {
  using route = range_route<Array>;
  const std::size_t offset = of.layout().before(of.part()->me(), of.first_index()) + k;
  auto entering = [&] {
    if constexpr (route::access::locks) {
      return of.parts().write();
    } else {
      return no_lock(of);
    }
  }();
  [[maybe_unused]] const auto guard = co_await entering;
  route::cells::write(own_range(*of.part(), offset, values.size()), values.size(),
                      route::goods::of(values.data()), of.part()->locks(), offset);
}

/// Copy the elements of local() from `k` on to `into`, which must live until it is done.
template <class Array>
task<> read_own(Array of, std::size_t k, std::span<typename Array::value_type> into) {
  using route = range_route<Array>;
  const std::size_t offset = of.layout().before(of.part()->me(), of.first_index()) + k;
  auto entering = [&] {
    if constexpr (route::access::locks) {
      return of.parts().read();
    } else {
      return no_lock(of);
    }
  }();
  [[maybe_unused]] const auto guard = co_await entering;
  route::cells::read(own_range(*of.part(), offset, into.size()), into.size(),
                     route::goods::of(into.data()), of.part()->locks(), offset);
}

}  // namespace lamellar::detail
