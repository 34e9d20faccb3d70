// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/layout.hpp>

// The runs of a layout: elements whose indices and whose offsets on a part are both
// consecutive, so that they are copied in one go.
//
// Thread-safety: plain functions.
namespace lamellar::detail {

/// Call f(index, place, n) for each run of n elements at consecutive indices and offsets among
/// the offsets [begin, end) of a part.
template <class Layout, class F>
inline void each_run(const Layout& of, std::uint32_t part, std::size_t begin, std::size_t end,
                     F f) {
  for (std::size_t offset = begin; offset < end;) {
    const element_place at{part, offset};
    const std::size_t i = of.index_of(at);
    const std::size_t n = std::min(of.run_length(i), end - offset);
    f(i, at, n);
    offset += n;
  }
}

/// The same for the indices [first, first + count), in such an order that memory on both sides
/// is passed but once.
template <class Layout, class F>
inline void each_run_of_all(const Layout& of, std::size_t first, std::size_t count, F f) {
  constexpr std::size_t long_run = 16;
  constexpr std::size_t at_a_time = 4096;  // stays in the cache while each part has its turn
  const std::size_t end = first + count;
  for (std::size_t i = first; i < end;) {
    const std::size_t n = std::min(of.run_length(i), end - i);
    if (n >= long_run) {
      f(i, of.locate(i), n);
      i += n;
      continue;
    }
    const std::size_t until = std::min(end, i + at_a_time);
    for (std::uint32_t part = 0; part < of.parts(); ++part) {
      each_run(of, part, of.before(part, i), of.before(part, until), f);
    }
    i = until;
  }
}

}  // namespace lamellar::detail
