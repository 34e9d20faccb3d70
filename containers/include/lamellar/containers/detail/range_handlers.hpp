// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/array_part.hpp>
#include <lamellar/containers/detail/element_range.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/task.hpp>
#include <utility>

// What the owner of elements runs for a range of them: consecutive offsets of its part. For
// those whose lock is on the owner a handler waits for it; where the caller holds the lock of
// the whole array already, it does not.
namespace lamellar::detail {

/// The elements [offset, offset + count) of this PE. Throws: corrupt_message.
template <class Part>
auto* own_range(const Part& part, std::uint64_t offset, std::uint64_t count) {
  const auto own = part.own();
  if (offset > own.size() || count > own.size() - offset) [[unlikely]] {
    throw corrupt_message("an operation on elements that are not here");
  }
  return own.data() + offset;
}

template <class Element, class Part>
void write_here(const Part& part, std::uint64_t offset,
                const typename cargo<typename Part::value_type>::seen& units) {
  const std::size_t count = units.size() / cargo<typename Part::value_type>::units;
  element_range<Element>::write(own_range(part, offset, count), count, units.data(),
                                part.locks(), offset);
}
template <class Element, class Part>
auto read_here(const Part& part, std::uint64_t offset, std::uint64_t count) {
  using goods = cargo<typename Part::value_type>;
  const auto* const from = own_range(part, offset, count);
  typename goods::owned units(count * goods::units);
  element_range<Element>::read(from, count, units.data(), part.locks(), offset);
  return units;
}

template <class Element, class Part>
struct write_range {
  void operator()(Part& part, std::uint64_t offset,
                  typename cargo<typename Part::value_type>::seen units) const {
    write_here<Element>(part, offset, units);
  }
};
template <class Element, class Part>
struct read_range {
  typename cargo<typename Part::value_type>::owned operator()(Part& part, std::uint64_t offset,
                                                              std::uint64_t count) const {
    return read_here<Element>(part, offset, count);
  }
};

/// Under the owner's lock.
template <class Element, class Handle>
struct write_range_locked {
  using units = typename cargo<typename Handle::value_type::value_type>::owned;
  task<> operator()(context, Handle object, std::uint64_t offset, units values) const {
    auto entering = object.write();
    auto guard = co_await entering;
    write_here<Element>(*guard, offset, values);
  }
};
template <class Element, class Handle>
struct read_range_locked {
  using units = typename cargo<typename Handle::value_type::value_type>::owned;
  task<units> operator()(context, Handle object, std::uint64_t offset,
                         std::uint64_t count) const {
    auto entering = object.read();
    const auto guard = co_await entering;
    co_return read_here<Element>(*guard, offset, count);
  }
};

/// Make a copy that waits on this PE. Its caller holds the lock for it.
template <class Handle>
struct make_copy {
  void operator()(context&, const Handle& object, std::uint64_t number) const {
    part_behind(object)->copies().make(number);
  }
};

/// Hold the owner's lock while the caller makes a copy of its own.
template <class Handle, bool Writes>
struct lock_for_copy {
  task<> operator()(context at, Handle object, std::uint64_t number) const {
    auto entering = [&] {
      if constexpr (Writes) {
        return object.write();
      } else {
        return object.read();
      }
    }();
    const auto guard = co_await entering;
    auto copying = object.call(at.origin(), make_copy<Handle>{}, number);
    co_await copying;
  }
};

/// The caller holds the lock.
template <class Element, class Handle>
struct write_range_held {
  using units = typename cargo<typename Handle::value_type::value_type>::seen;
  void operator()(context&, const Handle& object, std::uint64_t offset, units values) const {
    write_here<Element>(*part_behind(object), offset, values);
  }
};
template <class Element, class Handle>
struct read_range_held {
  using units = typename cargo<typename Handle::value_type::value_type>::owned;
  units operator()(context&, const Handle& object, std::uint64_t offset,
                   std::uint64_t count) const {
    return read_here<Element>(*part_behind(object), offset, count);
  }
};

}  // namespace lamellar::detail
