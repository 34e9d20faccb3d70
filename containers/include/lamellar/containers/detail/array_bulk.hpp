// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/array_range.hpp>
#include <lamellar/containers/detail/slots_ahead.hpp>
#include <lamellar/substrate/detail/prefetch.hpp>

// Ranges and lists of an array's elements, to and from the caller's memory. Included by
// array.hpp.
namespace lamellar {

namespace detail {

/// Load elements of a list. Ask owners where the memory is not mapped here, a part of the list
/// at a time.
template <class Array>
task<> gather_pieces(Array of, std::vector<std::size_t> indices,
                     std::shared_ptr<landing> into) {
  using T = typename Array::value_type;
  const counted_as_work until_the_last_piece{*of.home()};
  constexpr std::size_t at_a_time = std::size_t{1} << 16;
  for (std::size_t begin = 0; begin < indices.size(); begin += at_a_time) {
    const std::size_t n = std::min(at_a_time, indices.size() - begin);
    auto loading = Array::load_list(of, {indices.data() + begin, n});
    const std::vector<T> values = co_await loading;
    const std::lock_guard lock{into->mutex};
    if (into->at == nullptr) {
      co_return;  // nobody wants them any more
    }
    std::copy_n(values.begin(), n, reinterpret_cast<T*>(into->at) + begin);
  }
}

template <class Array>
landing_under_way begin_gather(const Array& of, std::vector<std::size_t> indices,
                               std::span<typename Array::value_type> into,
                               std::source_location where) {
  auto place = make_landing(of.home(), into, where);
  reply<> rest{gather_pieces(of, std::move(indices), place)};
  return {std::move(rest), std::move(place)};
}

}  // namespace detail

template <array_element T, array_layout Layout, class Access>
task<std::vector<T>> array<T, Layout, Access>::load_list(const array& of,
                                                         std::span<const std::size_t> indices) {
  using action = detail::load_action<T>;
  if constexpr (bitwise<T>) {
    std::vector<T> values(indices.size());
    const auto ask = [&]<class Offset>() {
      const auto question = [layout = of.layout_, first = of.first_, indices](std::size_t k) {
        const element_place at = layout.locate(first + indices[k]);
        return std::pair{
            at.part, detail::element_record<Offset, typename action::operand>{at.offset, {}}};
      };
      const auto take = [&values](std::size_t k, const detail::listed<T>& value) {
        values[k] = static_cast<T>(value);
      };
      return ask_parts<action, Offset>(of, indices.size(), question, take);
    };
    auto asking = of.wide_ ? ask.template operator()<std::uint64_t>()
                           : ask.template operator()<std::uint32_t>();
    co_await asking;
    co_return values;
  } else {
    auto loading = of.load(indices);
    co_return co_await loading;
  }
}

template <array_element T, array_layout Layout, class Access>
inline completion<> array<T, Layout, Access>::put(
    std::size_t i, std::span<const T> values,
    std::source_location at) const requires writable<Access> {
  if (i > count_ || values.size() > count_ - i) [[unlikely]] {
    detail::range_outside(home_, "put", i, values.size(), count_, at);
  }
  return values.empty() ? completion<>{}
                        : detail::range_route<array>::put(*this, first_ + i, values, at);
}

template <array_element T, array_layout Layout, class Access>
inline completion<> array<T, Layout, Access>::get(std::size_t i, std::span<T> into,
                                                  std::source_location at) const {
  if (i > count_ || into.size() > count_ - i) [[unlikely]] {
    detail::range_outside(home_, "get", i, into.size(), count_, at);
  }
  return into.empty() ? completion<>{}
                      : detail::range_route<array>::get(*this, first_ + i, into, at);
}

template <array_element T, array_layout Layout, class Access>
template <detail::list Indices>
  requires detail::index<detail::listed_value<Indices>> completion<>
  array<T, Layout, Access>::gather_into(const Indices& indices, std::span<T> out,
                                        std::source_location at)
const {
  const std::size_t n = std::ranges::size(indices);
  const auto* const index = std::ranges::data(indices);
  if (n != out.size()) [[unlikely]] {
    detail::lengths_differ(home_, n, out.size(), at);
  }
  if (n == 0) {
    return {};
  }
  if constexpr (Access::template direct_reads<T>) {
    if (all_reached_) [[likely]] {
      home_->here().put_off.drain();
      const slot_finder places{*this};
      const auto find = [&](std::size_t begin, std::size_t count, T** slots) {
        const auto index_at = [&](std::size_t k) {
          return static_cast<std::size_t>(index[begin + k]);
        };
        check_all(count, index_at, "gather_into", at);
        places.each(count, index_at, slots);
      };
      detail::each_slot_ahead<T>(
          n, find, detail::prefetch_for<false>{},
          [&](std::size_t k, T& slot) { out[k] = element::load(slot, detail::no_stripe); });
      return {};
    }
  }
  std::vector<std::size_t> places(n);
  for (std::size_t k = 0; k < n; ++k) {
    places[k] = static_cast<std::size_t>(index[k]);
    check(places[k], "gather_into", at);
  }
  auto begun = detail::begin_gather(*this, std::move(places), out, at);
  return {std::move(begun.rest), std::move(begun.place)};
}

}  // namespace lamellar
