// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/object_handle.hpp>
#include <lamellar/substrate/detail/one_sided_table.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/world.hpp>
#include <source_location>
#include <span>
#include <utility>

// one_sided_memory_region<T>: n elements of T on one PE, made by that PE alone. Its handle
// travels in messages, and whoever has one may read and write the memory: the way to hand over
// much data without sending it, and to be given data back.
//
// Operations, completions and races are those of shared_memory_region; there is one PE with
// memory, so none has to be named. The memory goes in the first quiesce after the last handle
// on any PE has gone. A handle in a message counts, and one in an answer that nobody has read.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <region_element T>
class one_sided_memory_region {
 public:
  using value_type = T;
  using place = std::source_location;

  /// No region; to be assigned to.
  one_sided_memory_region() noexcept = default;
  one_sided_memory_region(const one_sided_memory_region& other) noexcept
      : one_sided_memory_region{other.home_, other.entry_, other.base_, other.first_,
                                other.count_} {
    if (entry_ != nullptr) {
      entry_->handles.fetch_add(1, std::memory_order_relaxed);
    }
  }
  one_sided_memory_region(one_sided_memory_region&& other) noexcept { exchange_with(other); }
  one_sided_memory_region& operator=(one_sided_memory_region other) noexcept {
    exchange_with(other);
    return *this;
  }
  ~one_sided_memory_region() {
    if (entry_ != nullptr) {
      entry_->handles.fetch_sub(1, std::memory_order_release);
    }
  }

  /// Make a region of `n` elements, all zero bytes, on the PE that calls. No communication.
  /// Threads: any of the PE, handlers too. Throws: out_of_memory.
  static one_sided_memory_region create(world& of, std::size_t n) {
    detail::engine& here = detail::engine_of(of);
    detail::one_sided_entry& made =
        here.one_sided().make(detail::bytes_of_elements(n, sizeof(T)));
    return {&here, &made, made.base, 0, n};
  }

  // ---- what is here ----
  std::size_t size() const { return count_; }
  explicit operator bool() const { return entry_ != nullptr; }
  /// The PE that has the memory. Requires: a region.
  pe owner() const { return pe{entry_->name.owner}; }
  /// Whether that is this PE.
  bool is_local() const { return entry_ != nullptr && entry_->name.owner == home_->me(); }

  /// The elements: plain memory. Requires: is_local().
  std::span<T> local(place where = place::current()) const {
    if (!is_local()) [[unlikely]] {
      detail::region_is_elsewhere(home_, entry_, where);
    }
    return {count_ == 0 ? nullptr : reinterpret_cast<T*>(base_) + first_, count_};
  }
  T* begin() const { return local().data(); }
  T* end() const { return local().data() + count_; }
  /// Element `index`. Requires: is_local(), index < size().
  T& at(std::size_t index, place where = place::current()) const {
    check(index, 1, "at", where);
    return local(where)[index];
  }

  /// A view of `count` elements from `first` on; it keeps the region alive.
  one_sided_memory_region sub_region(std::size_t first, std::size_t count,
                                     place where = place::current()) const {
    check(first, count, "sub_region", where);
    one_sided_memory_region part = *this;
    part.first_ += first;
    part.count_ = count;
    return part;
  }

  // ---- put and get: as those of shared_memory_region ----
  completion<> put(std::size_t index, const T& value, place where = place::current()) const {
    return detail::put_element(reach(index, 1, "put", where), offset_of(index), value);
  }
  completion<> put(std::size_t index, std::span<const T> values,
                   place where = place::current()) const {
    return detail::put_bytes(reach(index, values.size(), "put", where), offset_of(index),
                             std::as_bytes(values));
  }
  completion<> put_from(std::size_t index, std::span<const T> values,
                        place where = place::current()) const {
    return detail::put_bytes(reach(index, values.size(), "put_from", where), offset_of(index),
                             std::as_bytes(values), true);
  }
  completion<T> get(std::size_t index, place where = place::current()) const {
    return detail::get_element<T>(reach(index, 1, "get", where), offset_of(index));
  }
  completion<> get(std::size_t index, std::span<T> into, place where = place::current()) const {
    return detail::get_bytes(reach(index, into.size(), "get", where), offset_of(index),
                             std::as_writable_bytes(into), where);
  }

  // ---- atomic operations: as those of shared_memory_region ----
  completion<T> fetch_add(std::size_t index, T by,
                          place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::add>(index, by, where);
  }
  completion<T> fetch_sub(std::size_t index, T by,
                          place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::sub>(index, by, where);
  }
  completion<T> fetch_and(std::size_t index, T bits,
                          place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_and>(index, bits, where);
  }
  completion<T> fetch_or(std::size_t index, T bits,
                         place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_or>(index, bits, where);
  }
  completion<T> fetch_xor(std::size_t index, T bits,
                          place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_xor>(index, bits, where);
  }
  completion<T> swap(std::size_t index, T value,
                     place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::swap>(index, value, where);
  }
  completion<T> load(std::size_t index,
                     place where = place::current()) const requires atomic_element<T> {
    return fetch<detail::atomic_op::load>(index, T{}, where);
  }
  completion<> store(std::size_t index, T value,
                     place where = place::current()) const requires atomic_element<T> {
    return change<detail::atomic_op::store>(index, value, where);
  }
  completion<> add(std::size_t index, T by,
                   place where = place::current()) const requires atomic_element<T> {
    return change<detail::atomic_op::add>(index, by, where);
  }
  completion<exchanged<T>> compare_exchange(std::size_t index, T expected, T desired,
                                            place where = place::current()) const requires
      atomic_element<T> {
    return detail::compare_exchange_op<T>(reach(index, 1, "an atomic operation", where),
                                          offset_of(index), expected, desired);
  }

  // Travelling: where the memory lies, and what of it is seen.
  template <class Archive>
  void save(Archive& to) const {
    const detail::one_sided_name name =
        entry_ == nullptr ? detail::one_sided_name{} : entry_->name;
    to(name.owner, name.number, name.key, name.segment_bytes, name.offset, name.bytes,
       name.remote.address, name.remote.key, name.remote.reachable, std::uint64_t{first_},
       std::uint64_t{count_});
    if constexpr (requires { to.bytes().note_handle(name); }) {
      if (name.number != 0) {
        to.bytes().note_handle(name);
      }
    }
  }
  template <class Archive>
  void load(Archive& from) {
    detail::one_sided_name name;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    from(name.owner, name.number, name.key, name.segment_bytes, name.offset, name.bytes,
         name.remote.address, name.remote.key, name.remote.reachable, first, count);
    one_sided_memory_region arrived;
    detail::engine* const here = detail::reader_of(from);
    if (here != nullptr && name.number != 0) {
      const std::uint64_t elements = name.bytes / sizeof(T);
      if (first > elements || count > elements - first) {
        throw corrupt_message("a view of a one-sided memory region exceeds it");
      }
      detail::one_sided_entry& entry = here->one_sided().arrive(name);
      arrived = {here, &entry, entry.base, first, count};
    }
    *this = std::move(arrived);
  }

 private:
  /// Takes one of the entry's handles over.
  one_sided_memory_region(detail::engine* home, detail::one_sided_entry* entry, std::byte* base,
                          std::size_t first, std::size_t count) noexcept
      : home_{home}, entry_{entry}, base_{base}, first_{first}, count_{count} {}

  void exchange_with(one_sided_memory_region& other) noexcept {
    std::swap(home_, other.home_);
    std::swap(entry_, other.entry_);
    std::swap(base_, other.base_);
    std::swap(first_, other.first_);
    std::swap(count_, other.count_);
  }

  std::size_t offset_of(std::size_t index) const { return (first_ + index) * sizeof(T); }

  void check(std::size_t index, std::size_t count, const char* what, place where) const {
    if (index > count_ || count > count_ - index) [[unlikely]] {
      detail::region_out_of_range(home_, what, index, count, count_, where);
    }
  }

  detail::region_reach reach(std::size_t index, std::size_t count, const char* what,
                             place where) const {
    check(index, count, what, where);
    if (entry_ == nullptr) [[unlikely]] {
      detail::region_out_of_range(nullptr, what, index, count, 0, where);
    }
    return {home_, base_, entry_->name.owner, detail::one_sided_region_id(entry_->name.number),
            base_ == nullptr && entry_->place.memory.reachable != 0 ? &entry_->place : nullptr};
  }

  template <detail::atomic_op Op>
  completion<T> fetch(std::size_t index, T operand, place where) const {
    return detail::fetch_op<Op, T>(reach(index, 1, "an atomic operation", where),
                                   offset_of(index), operand);
  }
  template <detail::atomic_op Op>
  completion<> change(std::size_t index, T operand, place where) const {
    return detail::change_op<Op, T>(reach(index, 1, "an atomic operation", where),
                                    offset_of(index), operand);
  }

  detail::engine* home_ = nullptr;
  detail::one_sided_entry* entry_ = nullptr;
  std::byte* base_ = nullptr;  // the memory as mapped here, or nullptr
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace lamellar
