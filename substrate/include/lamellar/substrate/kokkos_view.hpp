// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Kokkos_Core.hpp>
#include <span>

// A PE's own elements as Kokkos sees them. A header of its own, because Kokkos takes seconds to
// compile.

namespace lamellar {

/// Elements that Kokkos may use and does not own.
template <class T>
using local_view = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// Return a view of `elements`, which must outlive it. Kokkos must be running: on_node::start,
/// or Kokkos::initialize.
template <class T>
[[nodiscard]] local_view<T> as_view(std::span<T> elements) {
  return local_view<T>{elements.data(), elements.size()};
}

}  // namespace lamellar
