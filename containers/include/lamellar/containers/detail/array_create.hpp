// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/array.hpp>

// How an array comes to be, and becomes one of another access. Included by array.hpp.
namespace lamellar {

namespace detail {

template <class From, class To>
task<To> change_handle(From* source, std::source_location where) {
  constexpr bool to_plain = requires(const To& t) { t.local(); };
  constexpr bool from_plain = requires(const From& f) { f.local(); };
  if constexpr (to_plain && from_plain) {
    co_return co_await darc_access::claim(source, where);
  } else if constexpr (to_plain) {
    co_return co_await std::move(*source).into_darc(where);
  } else if constexpr (std::same_as<To, local_rw_darc<typename To::value_type>>) {
    co_return co_await std::move(*source).into_local_rw(where);
  } else {
    co_return co_await std::move(*source).into_global_rw(where);
  }
}

}  // namespace detail

template <array_element T, array_layout Layout, class Access>
template <class... How>
task<array<T, Layout, Access>> array<T, Layout, Access>::create_on(detail::located_team of,
                                                                   std::size_t n, How... how) {
  const Layout wanted(n, of.value.size(), how...);
  const std::uint64_t kind = detail::kind_of_object(typeid(array));
  std::uint64_t settings = 0;
  ((settings = settings * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(how)), ...);
  auto gathering = all_gather(of, detail::array_terms{n, kind, settings});
  detail::check_terms(of, co_await gathering);
  typename part_type::memory_type memory;
  if constexpr (region_element<T>) {
    auto making = shared_memory_region<T>::create(of, largest_part(wanted));
    memory = co_await making;
  } else {
    memory.resize(part_size(wanted, of.value.position().index()));
  }
  auto making = handle_type::create(of, of.value, wanted, std::move(memory));
  co_return array{co_await making};
}

template <array_element T, array_layout Layout, class Access>
template <class To>
task<array<T, Layout, To>> array<T, Layout, Access>::convert(array* source,
                                                             std::source_location where) {
  using result = array<T, Layout, To>;
  if (source->part_ == nullptr) {
    detail::nothing_to_convert(To::name.data(), where);
  }
  const std::size_t first = source->first_;
  const std::size_t count = source->count_;
  auto changing =
      detail::change_handle<handle_type, typename result::handle_type>(&source->parts_, where);
  result now{co_await changing};
  now.first_ = first;
  now.count_ = count;
  *source = {};
  co_return now;
}

template <array_element T, array_layout Layout, class Access>
template <detail::access Which>
task<array_guard<array<T, Layout, Access>, Which>> array<T, Layout, Access>::lock_as(
    array of, std::source_location where) {
  auto entering = [&] {
    if constexpr (Which == detail::access::read) {
      return of.parts_.read(where);
    } else if constexpr (Which == detail::access::write) {
      return of.parts_.write(where);
    } else {
      return of.parts_.collective_write(where);
    }
  }();
  auto guard = co_await entering;
  co_return array_guard<array, Which>{std::move(guard), of.plain_local(), of.where()};
}

}  // namespace lamellar
