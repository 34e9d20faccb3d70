// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/detail/noted_handles.hpp>
#include <limits>
#include <span>

// The two cursors under every encoder and decoder.
//
// A `byte_writer` fills the room that it is given and goes on counting when the room is spent.
// One pass therefore either writes a record where it belongs, or tells exactly how much room a
// second pass needs; with no room at all it measures. It never allocates and never throws (but
// for the list of handles, if one is wanted).
//
// A `byte_reader` trusts nothing: whatever would reach past the end throws corrupt_message, and
// a count of elements is compared with the bytes that are left before anybody allocates room
// for it.
//
// Both belong to one thread at a time. Alignment is counted from the first byte of the record.

namespace lamellar {

class byte_writer {
 public:
  /// Write into `room`.
  explicit byte_writer(std::span<std::byte> room) noexcept
      : next_{room.data()}, left_{room.size()} {}

  /// Write from `begin` on. Requires: the caller has measured, there is room for all that
  /// follows.
  explicit byte_writer(std::byte* begin) noexcept
      : next_{begin}, left_{std::numeric_limits<std::size_t>::max()} {}

  /// Append `size` bytes.
  void put(const void* data, std::size_t size) noexcept {
    if (claim(size) && size != 0) {
      std::memcpy(next_, data, size);
      next_ += size;
    }
  }

  /// Append a value as its bytes.
  template <bitwise T>
  void put_value(const T& value) noexcept {
    if (claim(bitwise_size<T>)) {
      next_ = write_bitwise(next_, value);
    }
  }

  /// Append a length: one byte if it is below 255, nine otherwise.
  void put_length(std::uint64_t length) noexcept {
    if (length < long_length) {
      put_value(static_cast<std::uint8_t>(length));
    } else {
      put_value(long_length);
      put_value(length);
    }
  }

  /// Append zeros until the next byte lies at a multiple of `alignment`, which is a power of
  /// two.
  void align(std::size_t alignment) noexcept {
    while ((used_ & (alignment - 1)) != 0) {
      put_value(std::uint8_t{0});
    }
  }

  /// Have the handles that are written listed in `into` as well.
  void note_handles_in(detail::noted_handles& into) noexcept { handles_ = &into; }
  /// A handle of the object numbered `number` is being written.
  void note_handle(std::uint32_t number) {
    if (handles_ != nullptr) {
      handles_->objects.push_back(number);
    }
  }
  /// A handle of a one-sided region is being written.
  void note_handle(const detail::one_sided_name& name) {
    if (handles_ != nullptr) {
      handles_->regions.push_back(name);
    }
  }

  /// Number of bytes appended, those that found no room included.
  [[nodiscard]] std::size_t size() const noexcept { return used_; }

  /// The first byte of a long length; short ones are below it.
  static constexpr std::uint8_t long_length = 0xff;

 private:
  /// Count `size` bytes in. False if they find no room.
  bool claim(std::size_t size) noexcept {
    used_ += size;
    if (size > left_) {
      return false;
    }
    left_ -= size;
    return true;
  }

  std::byte* next_;
  std::size_t left_;
  std::size_t used_ = 0;
  detail::noted_handles* handles_ = nullptr;
};

class byte_reader {
 public:
  /// Read from `bytes`, which must stay in place for as long as views of it are used. `owner`:
  /// what handles that travel are attached to, see owner().
  explicit byte_reader(std::span<const std::byte> bytes, void* owner = nullptr) noexcept
      : begin_{bytes.data()}, size_{bytes.size()}, owner_{owner} {}

  /// The runtime of the PE that reads, or nullptr.
  [[nodiscard]] void* owner() const noexcept { return owner_; }

  /// Pass over `size` bytes and return the first of them. Throws: corrupt_message if fewer are
  /// left.
  const std::byte* take(std::size_t size) {
    if (size > left()) {
      throw_truncated(size);
    }
    const std::byte* const at = begin_ + used_;
    used_ += size;
    return at;
  }

  /// Pass over `count` elements of `element_size` bytes. Throws: corrupt_message if fewer are
  /// left.
  const std::byte* take(std::uint64_t count, std::size_t element_size) {
    require(count, element_size);
    return take(static_cast<std::size_t>(count) * element_size);
  }

  /// Read a value from its bytes. Throws: corrupt_message if too few are left.
  template <bitwise T>
  [[nodiscard]] T get_value() {
    return read_bitwise<T>(take(bitwise_size<T>));
  }

  /// Read a length. Nothing is known about its size yet: see require().
  [[nodiscard]] std::uint64_t get_length() {
    const auto first = get_value<std::uint8_t>();
    return first < byte_writer::long_length ? first : get_value<std::uint64_t>();
  }

  /// Check that `count` elements of at least `element_size` bytes can follow. Throws:
  /// corrupt_message if they cannot.
  void require(std::uint64_t count, std::size_t element_size) const {
    if (element_size != 0 && count > left() / element_size) {
      throw_impossible_length(count, element_size);
    }
  }

  /// Pass over the zeros that byte_writer::align put.
  void align(std::size_t alignment) {
    const std::size_t past = used_ & (alignment - 1);
    if (past != 0) {
      take(alignment - past);
    }
  }

  /// Number of bytes that have not been read.
  [[nodiscard]] std::size_t left() const noexcept { return size_ - used_; }

  /// Check that everything has been read. Throws: corrupt_message if bytes are left over.
  void finish() const {
    if (left() != 0) {
      throw_surplus();
    }
  }

 private:
  [[noreturn]] void throw_truncated(std::size_t wanted) const;
  [[noreturn]] void throw_impossible_length(std::uint64_t count,
                                            std::size_t element_size) const;
  [[noreturn]] void throw_surplus() const;

  const std::byte* begin_;
  std::size_t size_;
  std::size_t used_ = 0;
  void* owner_;
};

}  // namespace lamellar
