// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/detail/landing.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// The items that exchange_placed() has brought to this PE.
//
// Thread-safety: as a std::vector.
namespace lamellar {

namespace detail {
/// Ends the job: there are not so many sources.
[[noreturn]] void no_such_source(std::uint32_t position, std::size_t sources,
                                 std::source_location where);
}  // namespace detail

/// What exchange_placed() gives: the items that came here, of one source after the other. They
/// are the holder's own, and gone with it; it must not outlive its world.
template <class T>
class exchanged_items {
 public:
  using value_type = T;

  exchanged_items() = default;
  /// For exchange_placed(): room for counts[k] items from position k. Throws: out_of_memory.
  exchanged_items(detail::engine& home, const std::vector<std::uint64_t>& counts);
  exchanged_items(exchanged_items&&) noexcept = default;
  exchanged_items& operator=(exchanged_items&&) noexcept = default;

  std::size_t size() const { return first_.empty() ? 0 : first_.back(); }
  bool empty() const { return size() == 0; }
  T* data() { return const_cast<T*>(std::as_const(*this).data()); }
  const T* data() const {
    if constexpr (plain) {
      return reinterpret_cast<const T*>(memory_.data());
    } else {
      return memory_.data();
    }
  }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }

  /// What the member at `source` has sent, in the order that it had there. Requires: a position
  /// of the team.
  std::span<T> from(team_position source,
                    std::source_location where = std::source_location::current()) {
    const std::span<const T> items = std::as_const(*this).from(source, where);
    return {const_cast<T*>(items.data()), items.size()};
  }
  std::span<const T> from(team_position source,
                          std::source_location where = std::source_location::current()) const {
    if (source.index() >= sources()) [[unlikely]] {
      detail::no_such_source(source.index(), sources(), where);
    }
    const std::uint64_t first = first_[source.index()];
    return {data() + first, first_[source.index() + 1] - first};
  }
  /// Members of the team.
  std::size_t sources() const { return first_.empty() ? 0 : first_.size() - 1; }
  /// Where the items of each source begin, and the number of all.
  std::span<const std::uint64_t> displacements() const { return first_; }

  /// For exchange_placed(). Whether items land here as bytes.
  static constexpr bool plain = region_element<T>;
  const detail::heap_block& block() const { return memory_.block(); }

 private:
  std::conditional_t<plain, detail::landing_memory, std::vector<T>> memory_;
  std::vector<std::uint64_t> first_;  // of each source, then the number of all
};

template <class T>
exchanged_items<T>::exchanged_items(detail::engine& home,
                                    const std::vector<std::uint64_t>& counts)
    : first_(counts.size() + 1) {
  for (std::size_t k = 0; k < counts.size(); ++k) {
    first_[k + 1] = first_[k] + counts[k];
  }
  if constexpr (plain) {
    memory_ = detail::landing_memory{home, first_.back(), sizeof(T)};
  } else {
    memory_.resize(first_.back());
  }
}

}  // namespace lamellar
