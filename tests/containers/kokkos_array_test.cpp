// SPDX-License-Identifier: BSD-3-Clause
// The local part of an array as a Kokkos view: the same memory, the same size, not owned.
#include <lamellar/containers/kokkos_array.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <type_traits>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

TEST_CASE("a view is what is here") {
  on_pes([](world& w) -> task<> {
    auto making = unsafe_array<double, layout::cyclic>::create(w, 1001);
    auto a = co_await making;
    {
      const auto view = as_view(a);
      static_assert(decltype(view)::traits::memory_traits::is_unmanaged);
      CHECK(view.extent(0) == a.local_size());
      CHECK(view.data() == a.local().data());
      for (std::size_t k = 0; k < view.extent(0); ++k)
        view(k) = 0.5 * static_cast<double>(a.global_index(k));
      const auto part = as_view(a.sub_array(10, 20));
      CHECK(part.extent(0) == a.sub_array(10, 20).local_size());
    }
    co_await w.barrier();
    CHECK(co_await a.at(1000) == 500);
    auto fixing = std::move(a).into_read_only();
    auto fixed = co_await fixing;
    {
      const auto view = as_view(fixed);
      static_assert(std::is_same_v<decltype(view(0)), const double&>);
      CHECK(view.extent(0) == fixed.local_size());
    }
    auto locking = std::move(fixed).into_local_lock();
    auto locked = co_await locking;
    {
      auto guard = co_await locked.write_lock();
      const auto view = as_view(guard);
      static_assert(std::is_same_v<decltype(view(0)), double&>);
      for (std::size_t k = 0; k < view.extent(0); ++k) view(k) += 1;
    }
    {
      auto guard = co_await locked.read_lock();
      const auto view = as_view(guard);
      static_assert(std::is_same_v<decltype(view(0)), const double&>);
      CHECK(view.extent(0) == locked.local_size());
    }
    co_await w.barrier();
    CHECK(co_await locked.at(1000) == 501);
    co_await w.barrier();
  });
}
