// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Where the elements of an array lie: a layout maps each index to a part and an offset there,
// and back. Parts are numbered by team position. All three are a few words of constants, and
// the way from an index to its owner, which cannot be predicted, has no branch and no division.
//
//   block         each part has consecutive indices; the first n mod P parts have one more
//   cyclic        index i lies on part i mod P
//   block_cyclic  blocks of B consecutive indices are dealt out in turn
//
// In all of them the elements of a part that belong to a range of indices lie at consecutive
// offsets, in the order of their indices.
//
// Thread-safety: constant after construction.
namespace lamellar {

/// Where an element lies.
struct element_place {
  std::uint32_t part = 0;  ///< the owner's position in the array's team
  std::size_t offset = 0;  ///< among the owner's elements

  friend bool operator==(const element_place&, const element_place&) = default;
};

namespace detail {

/// Division by a constant that is known at run time only, by a multiplication.
class divider {
 public:
  divider() noexcept = default;
  /// For dividends up to `largest`. Requires: by > 0.
  divider(std::size_t by, std::size_t largest) noexcept : by_{by} {
    // Rounded up: floor(i * reciprocal / 2^64) is i / by as long as i * by < 2^64.
    if (by > 1 && largest < ~std::size_t{0} / by) {
      reciprocal_ = ~std::size_t{0} / by + 1;
    }
  }
  std::size_t by() const noexcept { return by_; }
  std::size_t quotient(std::size_t i) const noexcept {
    return reciprocal_ == 0 ? i / by_ : multiplied(i);
  }
  /// Whether multiplied() may be used.
  bool multiplies() const noexcept { return reciprocal_ != 0; }
  std::size_t multiplied(std::size_t i) const noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<wide>(i) * reciprocal_) >> 64);
  }
  friend bool operator==(const divider&, const divider&) = default;

 private:
  std::size_t by_ = 1;
  std::size_t reciprocal_ = 0;  // 0: divide
};

}  // namespace detail

/// What an array asks of a layout. `n` elements on `parts` parts.
template <class L>
concept array_layout = std::copyable<L> && std::equality_comparable<L> &&
    requires(const L& l, std::size_t i, std::uint32_t part) {
  { L::name } -> std::convertible_to<std::string_view>;
  { l.size() } -> std::same_as<std::size_t>;
  { l.parts() } -> std::same_as<std::uint32_t>;
  { l.locate(i) } -> std::same_as<element_place>;
  /// Elements of a part whose index is less than i.
  { l.before(part, i) } -> std::same_as<std::size_t>;
  /// The index of an element.
  { l.index_of(element_place{}) } -> std::same_as<std::size_t>;
  /// How many indices from i on lie at consecutive offsets of one part.
  { l.run_length(i) } -> std::same_as<std::size_t>;
};

namespace layout {

class block {
 public:
  static constexpr std::string_view name = "block";

  block() noexcept = default;
  /// Requires: parts > 0.
  block(std::size_t n, std::uint32_t parts) noexcept
      : n_{n}, each_{n / parts}, larger_{n % parts}, parts_{parts} {
    // Where all parts are alike, division gives the owner. Else a divisor that no part exceeds
    // gives the owner or, where parts are large enough, the one before it.
    if (larger_ == 0 && each_ != 0) {
      owner_or_before_ = detail::divider{each_, n};
    } else if (each_ >= parts) {
      owner_or_before_ = detail::divider{each_ + 1, n};
    }
  }

  std::size_t size() const noexcept { return n_; }
  std::uint32_t parts() const noexcept { return parts_; }
  element_place locate(std::size_t i) const noexcept {
    const std::size_t part = owner(i);
    return {static_cast<std::uint32_t>(part), i - first(part)};
  }
  /// Whether all parts are alike and divide().multiplied(i) is the owner of index i.
  bool is_even() const noexcept { return larger_ == 0 && owner_or_before_.multiplies(); }
  const detail::divider& divide() const noexcept { return owner_or_before_; }
  /// The part on which index i lies.
  std::size_t owner(std::size_t i) const noexcept {
    if (owner_or_before_.by() == 1) [[unlikely]] {
      const std::size_t in_larger = larger_ * (each_ + 1);
      return i < in_larger ? i / (each_ + 1) : larger_ + (i - in_larger) / each_;
    }
    const std::size_t part = owner_or_before_.quotient(i);
    return larger_ == 0 ? part : part + static_cast<std::size_t>(i >= first(part + 1));
  }
  /// The first index on a part. Requires: part <= parts().
  std::size_t first(std::size_t part) const noexcept {
    return each_ * part + std::min(part, larger_);
  }
  std::size_t before(std::uint32_t part, std::size_t i) const noexcept {
    const std::size_t begin = first(part);
    return i <= begin ? 0 : std::min(i, first(part + 1)) - begin;
  }
  std::size_t index_of(element_place at) const noexcept { return first(at.part) + at.offset; }
  std::size_t run_length(std::size_t i) const noexcept {
    return first(std::size_t{locate(i).part} + 1) - i;
  }

  friend bool operator==(const block&, const block&) = default;

 private:
  std::size_t n_ = 0;
  std::size_t each_ = 0;    // elements of the smaller parts
  std::size_t larger_ = 0;  // how many parts have one more
  detail::divider owner_or_before_;
  std::uint32_t parts_ = 1;
};

class cyclic {
 public:
  static constexpr std::string_view name = "cyclic";

  cyclic() noexcept = default;
  /// Requires: parts > 0.
  cyclic(std::size_t n, std::uint32_t parts) noexcept : n_{n}, by_parts_{parts, n} {}

  std::size_t size() const noexcept { return n_; }
  std::uint32_t parts() const noexcept { return static_cast<std::uint32_t>(by_parts_.by()); }
  element_place locate(std::size_t i) const noexcept {
    const std::size_t round = by_parts_.quotient(i);
    return {static_cast<std::uint32_t>(i - round * by_parts_.by()), round};
  }
  std::size_t before(std::uint32_t part, std::size_t i) const noexcept {
    return (std::min(i, n_) + by_parts_.by() - 1 - part) / by_parts_.by();
  }
  std::size_t index_of(element_place at) const noexcept {
    return at.offset * by_parts_.by() + at.part;
  }
  std::size_t run_length(std::size_t i) const noexcept {
    return by_parts_.by() == 1 ? n_ - i : 1;
  }

  friend bool operator==(const cyclic&, const cyclic&) = default;

 private:
  std::size_t n_ = 0;
  detail::divider by_parts_;
};

class block_cyclic {
 public:
  static constexpr std::string_view name = "block_cyclic";

  block_cyclic() noexcept = default;
  /// Blocks of `block` elements. Requires: parts > 0, block > 0.
  block_cyclic(std::size_t n, std::uint32_t parts, std::size_t block = 64) noexcept
      : n_{n}, by_block_{block, n}, by_parts_{parts, n} {}

  std::size_t size() const noexcept { return n_; }
  std::uint32_t parts() const noexcept { return static_cast<std::uint32_t>(by_parts_.by()); }
  /// Consecutive indices on one part.
  std::size_t block() const noexcept { return by_block_.by(); }
  element_place locate(std::size_t i) const noexcept {
    const std::size_t number = by_block_.quotient(i);
    const std::size_t round = by_parts_.quotient(number);
    return {static_cast<std::uint32_t>(number - round * by_parts_.by()),
            (round - number) * block() + i};
  }
  std::size_t before(std::uint32_t part, std::size_t i) const noexcept {
    const std::size_t end = std::min(i, n_);
    const std::size_t round = block() * by_parts_.by();
    const std::size_t into = end % round;
    const std::size_t begin = block() * part;
    return end / round * block() + (into <= begin ? 0 : std::min(into - begin, block()));
  }
  std::size_t index_of(element_place at) const noexcept {
    const std::size_t round = by_block_.quotient(at.offset);
    return (round * (by_parts_.by() - 1) + at.part) * block() + at.offset;
  }
  std::size_t run_length(std::size_t i) const noexcept {
    return by_parts_.by() == 1
               ? n_ - i
               : std::min(n_ - i, block() - (i - by_block_.quotient(i) * block()));
  }

  friend bool operator==(const block_cyclic&, const block_cyclic&) = default;

 private:
  std::size_t n_ = 0;
  detail::divider by_block_;
  detail::divider by_parts_;
};

}  // namespace layout

/// Elements on a part.
template <array_layout L>
std::size_t part_size(const L& of, std::uint32_t part) {
  return of.before(part, of.size());
}

/// The elements on the part that has most.
template <array_layout L>
std::size_t largest_part(const L& of) {
  return part_size(of, 0);
}

}  // namespace lamellar
