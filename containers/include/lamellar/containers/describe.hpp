// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/layout.hpp>
#include <string>
#include <string_view>
#include <vector>

// Who owns what, to be looked at: a layout or an array as text and as a picture.
//
//   block, 11 elements on 4 parts
//   part  PE  elements  first  last
//      0   0         3      0     2
//      1   1         3      3     5
//      2   2         3      6     8
//      3   3         2      9    10
//   00011122233
//
// The bar is the row of indices, from the first to the last, in at most 64 characters: a digit
// or letter for the part that owns all of a character's indices, + where several do.
//
// Thread-safety: plain functions. No communication.
namespace lamellar {

namespace detail {

/// What of a layout is drawn.
struct layout_picture {
  /// Indices are drawn in so many pieces at most.
  static constexpr std::size_t most_cells = 256;
  static constexpr std::size_t most_characters = 64;

  struct part {
    std::uint32_t pe = 0;
    std::size_t elements = 0;
    std::size_t first = 0;
    std::size_t last = 0;
    /// How many of each cell's indices it owns; for the picture, and for the bar.
    std::vector<std::size_t> cells = {};
    std::vector<std::size_t> characters = {};
  };
  std::string_view name;
  std::size_t block = 0;  ///< of a block_cyclic layout
  std::size_t size = 0;
  bool view = false;
  std::size_t first_index = 0;
  std::vector<part> parts = {};

  std::string text() const;
  std::string svg() const;
};

/// Of the indices [first, first + size); `pe_of(part)` is its PE.
template <class Layout, class PeOf>
layout_picture draw(const Layout& of, std::size_t first, std::size_t size, PeOf pe_of) {
  layout_picture picture{
      .name = Layout::name, .size = size, .view = size != of.size(), .first_index = first};
  if constexpr (requires { of.block(); }) {
    picture.block = of.block();
  }
  const auto owned = [&](std::uint32_t part, std::size_t pieces) {
    std::vector<std::size_t> counts;
    std::size_t before = of.before(part, first);
    for (std::size_t k = 1; k <= pieces; ++k) {
      // As size * k / pieces, which may be too large.
      const std::size_t end = size / pieces * k + size % pieces * k / pieces;
      const std::size_t now = of.before(part, first + end);
      counts.push_back(now - before);
      before = now;
    }
    return counts;
  };
  for (std::uint32_t k = 0; k < of.parts(); ++k) {
    const std::size_t begin = of.before(k, first);
    const std::size_t end = of.before(k, first + size);
    layout_picture::part one{.pe = pe_of(k), .elements = end - begin};
    if (begin != end) {
      one.first = of.index_of({k, begin}) - first;
      one.last = of.index_of({k, end - 1}) - first;
    }
    one.cells = owned(k, size < layout_picture::most_cells ? size : layout_picture::most_cells);
    one.characters = owned(
        k, size < layout_picture::most_characters ? size : layout_picture::most_characters);
    picture.parts.push_back(std::move(one));
  }
  return picture;
}

/// Of a layout, or of an array, which knows its PEs and may be a view.
template <class Of>
layout_picture picture_of(const Of& of) {
  if constexpr (array_layout<Of>) {
    return draw(of, 0, of.size(), [](std::uint32_t part) { return part; });
  } else {
    return draw(of.layout(), of.first_index(), of.size(),
                [&of](std::uint32_t part) { return of.part()->pes()[part]; });
  }
}

}  // namespace detail

/// Who owns which indices of a layout or an array, in a few lines of text.
/// Cost: O(parts) and no communication.
template <class Of>
std::string describe(const Of& of) {
  return detail::picture_of(of).text();
}

/// The same as an SVG picture: a row for each part, in which its indices are filled; cells that
/// it owns in part are filled lighter.
template <class Of>
std::string describe_svg(const Of& of) {
  return detail::picture_of(of).svg();
}

}  // namespace lamellar
