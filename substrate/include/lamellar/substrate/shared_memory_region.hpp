// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/detail/region_part.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <source_location>
#include <span>
#include <typeinfo>
#include <utility>
#include <vector>

// shared_memory_region<T>: n elements of T on every PE of the world or of a team, which all of
// these may read and write. The lowest way to share data: no element has an owner who orders
// what happens to it. PEs are named as PEs of the world, in a team too.
//
// Where the other PE's memory is mapped, an operation is a load, a store, an atomic instruction
// or one memcpy, done when the call returns; it makes no progress on messages. Elsewhere it is
// a message. The program is the same: each operation gives a completion, and get() or co_await
// on it means that the data are placed, at the target or here.
//
// What is not atomic is not ordered: puts and gets of the same element by several PEs, without
// anything between them that orders, are a race. A put or get of one element of 1, 2, 4 or 8
// bytes is whole all the same. The atomic operations may be mixed with each other freely.
//
// The handle is cheap to copy, and travels in messages; sub_region() gives a view of a part.
// The memory goes, as the parts of a darc do, in the first quiesce after the last handle.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

template <region_element T>
class shared_memory_region {
 public:
  using value_type = T;

  /// No region; to be assigned to.
  shared_memory_region() noexcept = default;

  /// Make a region of `n` elements, all zero bytes, on every PE of the world or of a team.
  ///
  /// Cost: a gather, a broadcast and that of darc::create. Collective over it. Requires: the
  /// same n and T on all PEs. Throws: out_of_memory on all of them, with the same text, if one
  /// has no memory.
  static task<shared_memory_region> create(detail::located_team of, std::size_t n);

  // ---- what is here ----
  /// Elements on each PE that this handle covers.
  std::size_t size() const { return count_; }
  /// Whether this handle names a region.
  explicit operator bool() const { return static_cast<bool>(parts_); }
  world& where() const { return parts_.where(); }

  /// This PE's elements: plain memory. Others may write to it at any time.
  std::span<T> local() const {
    return {count_ == 0 ? nullptr : reinterpret_cast<T*>(own_base()) + first_, count_};
  }
  T* begin() const { return local().data(); }
  T* end() const { return local().data() + count_; }
  /// This PE's element `index`. Requires: index < size().
  T& at(std::size_t index, std::source_location where = std::source_location::current()) const {
    check(index, 1, "at", where);
    return local()[index];
  }

  /// The elements of PE `of`, if its memory can be loaded from and stored to here; empty where
  /// it cannot, and where there are none. Requires: `of` has a part.
  std::span<T> mapped(detail::located_pe of) const {
    std::byte* const base = reach(of, 0, 0, "mapped").base;
    return {base == nullptr || count_ == 0 ? nullptr : reinterpret_cast<T*>(base) + first_,
            base == nullptr ? 0 : count_};
  }

  /// A view of `count` elements from `first` on, of every PE; it keeps the region alive.
  /// Requires: they are in this one.
  shared_memory_region sub_region(
      std::size_t first, std::size_t count,
      std::source_location where = std::source_location::current()) const {
    check(first, count, "sub_region", where);
    shared_memory_region part = *this;
    part.first_ += first;
    part.count_ = count;
    return part;
  }

  // ---- put and get ----
  /// Write `value` to element `index` of PE `to`. Done: when it is there.
  ///
  /// Cost: a store, or a round trip. Not collective. Requires: index < size().
  completion<> put(detail::located_pe to, std::size_t index, const T& value) const {
    return detail::put_element(reach(to, index, 1, "put"), offset_of(index), value);
  }

  /// Write `values` to PE `to`, from element `index` on. They may be changed as soon as this
  /// returns. Done: when they are there.
  ///
  /// Cost: one memcpy, or a message in pieces of 256 KiB. Not collective. Requires: all are in
  /// the region. Throws: out_of_memory from handlers, as a send.
  completion<> put(detail::located_pe to, std::size_t index, std::span<const T> values) const {
    return detail::put_bytes(reach(to, index, values.size(), "put"), offset_of(index),
                             std::as_bytes(values));
  }

  /// put() without a copy: `values` must stay as they are until it is done.
  completion<> put_from(detail::located_pe to, std::size_t index,
                        std::span<const T> values) const {
    return detail::put_bytes(reach(to, index, values.size(), "put_from"), offset_of(index),
                             std::as_bytes(values), true);
  }

  /// put() to each PE that has a part of the region, this one included.
  completion<> put_all(std::size_t index, std::span<const T> values,
                       std::source_location where = std::source_location::current()) const;
  completion<> put_all(std::size_t index, const T& value,
                       std::source_location where = std::source_location::current()) const {
    return put_all(index, std::span<const T>{&value, 1}, where);
  }

  /// Element `index` of PE `from`. Cost: a load, or a round trip. Requires: index < size().
  completion<T> get(detail::located_pe from, std::size_t index) const {
    return detail::get_element<T>(reach(from, index, 1, "get"), offset_of(index));
  }

  /// Fill `into` with the elements of PE `from` from `index` on. Done: when they are there.
  /// Keep the completion until then: dropping it earlier ends the job.
  ///
  /// Cost: one memcpy, or messages in pieces of 256 KiB. Not collective. Requires: all are in
  /// the region.
  completion<> get(detail::located_pe from, std::size_t index, std::span<T> into) const {
    return detail::get_bytes(reach(from, index, into.size(), "get"), offset_of(index),
                             std::as_writable_bytes(into), from.where);
  }

  // ---- atomic operations: on integers of 32 and 64 bits, sequentially consistent ----
  // Each works on element `index` of PE `to`. Those that give the element return what it was
  // before. Cost: an atomic instruction, or a round trip. Requires: index < size().

  completion<T> fetch_add(detail::located_pe to, std::size_t index,
                          T by) const requires atomic_element<T> {
    return fetch<detail::atomic_op::add>(to, index, by);
  }
  completion<T> fetch_sub(detail::located_pe to, std::size_t index,
                          T by) const requires atomic_element<T> {
    return fetch<detail::atomic_op::sub>(to, index, by);
  }
  completion<T> fetch_and(detail::located_pe to, std::size_t index,
                          T bits) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_and>(to, index, bits);
  }
  completion<T> fetch_or(detail::located_pe to, std::size_t index,
                         T bits) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_or>(to, index, bits);
  }
  completion<T> fetch_xor(detail::located_pe to, std::size_t index,
                          T bits) const requires atomic_element<T> {
    return fetch<detail::atomic_op::bit_xor>(to, index, bits);
  }
  completion<T> swap(detail::located_pe to, std::size_t index,
                     T value) const requires atomic_element<T> {
    return fetch<detail::atomic_op::swap>(to, index, value);
  }
  completion<T> load(detail::located_pe from,
                     std::size_t index) const requires atomic_element<T> {
    return fetch<detail::atomic_op::load>(from, index, T{});
  }
  completion<> store(detail::located_pe to, std::size_t index,
                     T value) const requires atomic_element<T> {
    return change<detail::atomic_op::store>(to, index, value);
  }
  completion<> add(detail::located_pe to, std::size_t index,
                   T by) const requires atomic_element<T> {
    return change<detail::atomic_op::add>(to, index, by);
  }
  /// Replace the element by `desired` if it is `expected`; tells what it was, and whether.
  completion<exchanged<T>> compare_exchange(detail::located_pe to, std::size_t index,
                                            T expected,
                                            T desired) const requires atomic_element<T> {
    return detail::compare_exchange_op<T>(reach(to, index, 1, "an atomic operation"),
                                          offset_of(index), expected, desired);
  }

  // Travelling: the parts' name and what is seen of them; every PE has its own part.
  template <class Archive>
  void save(Archive& to) const {
    to(parts_, std::uint64_t{first_}, std::uint64_t{count_});
  }
  template <class Archive>
  void load(Archive& from) {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    detail::darc_of_parts parts;
    from(parts, first, count);
    *this = shared_memory_region{std::move(parts)};
    if (first > count_ || count > count_ - first) {
      throw corrupt_message("a view of a shared memory region exceeds it");
    }
    first_ = first;
    count_ = count;
  }

  /// For the library's own tests and containers.
  const detail::darc_of_parts& parts() const { return parts_; }

 private:
  explicit shared_memory_region(detail::darc_of_parts parts) : parts_{std::move(parts)} {
    if (!parts_) {
      return;
    }
    const detail::region_part& mine = parts_.local();
    if (mine.element_bytes != sizeof(T)) {
      throw corrupt_message("a shared memory region of elements of another size");
    }
    bases_ = mine.bases.data();
    pes_ = static_cast<std::uint32_t>(mine.bases.size());
    count_ = mine.count;
  }

  detail::engine* home() const { return parts_ ? parts_->home : nullptr; }
  std::byte* own_base() const { return bases_[parts_->home->me()]; }
  std::size_t offset_of(std::size_t index) const { return (first_ + index) * sizeof(T); }

  void check(std::size_t index, std::size_t count, const char* what,
             std::source_location where) const {
    if (index > count_ || count > count_ - index) [[unlikely]] {
      detail::region_out_of_range(home(), what, index, count, count_, where);
    }
  }

  detail::region_reach reach(const detail::located_pe& to, std::size_t index, std::size_t count,
                             const char* what) const {
    check(index, count, what, to.where);
    const std::uint32_t pe = to.value.index();
    if (pe >= pes_) [[unlikely]] {
      if (pes_ != 0) {
        detail::no_such_pe(*home(), to);
      }
      detail::region_out_of_range(nullptr, what, index, count, 0, to.where);
    }
    std::byte* const base = bases_[pe];
    if (base == nullptr) [[unlikely]] {
      detail::check_member(parts_, to);
    }
    return {parts_->home, base, pe, detail::shared_region_id(parts_.number()),
            base == nullptr ? detail::place_at(*parts_, pe) : nullptr};
  }

  template <detail::atomic_op Op>
  completion<T> fetch(const detail::located_pe& to, std::size_t index, T operand) const {
    return detail::fetch_op<Op, T>(reach(to, index, 1, "an atomic operation"), offset_of(index),
                                   operand);
  }
  template <detail::atomic_op Op>
  completion<> change(const detail::located_pe& to, std::size_t index, T operand) const {
    return detail::change_op<Op, T>(reach(to, index, 1, "an atomic operation"),
                                    offset_of(index), operand);
  }

  detail::darc_of_parts parts_;
  // Of the part, close at hand: a put of one element is a few instructions.
  std::byte* const* bases_ = nullptr;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint32_t pes_ = 0;
};

template <region_element T>
task<shared_memory_region<T>> shared_memory_region<T>::create(detail::located_team of,
                                                              std::size_t n) {
  detail::region_shape wanted{n, sizeof(T), typeid(T).name()};
  task<detail::darc_of_parts> making = detail::create_region(std::move(of), std::move(wanted));
  co_return shared_memory_region{co_await making};
}

template <region_element T>
completion<> shared_memory_region<T>::put_all(std::size_t index, std::span<const T> values,
                                              std::source_location where) const {
  check(index, values.size(), "put_all", where);
  std::vector<completion<>> rest;
  if (!values.empty()) {
    const detail::member_list& members = parts_->members;
    for (std::uint32_t k = 0; k < members.size(); ++k) {
      completion<> one = put({pe{members.at(k)}, where}, index, values);
      if (!one.ready()) {
        rest.push_back(std::move(one));
      }
    }
  }
  return rest.empty() ? completion<>{}
                      : completion<>{reply<>{detail::all_of_them(std::move(rest))}};
}

}  // namespace lamellar
