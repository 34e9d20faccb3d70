// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/access.hpp>
#include <lamellar/containers/array_guard.hpp>
#include <lamellar/containers/array_operations.hpp>
#include <lamellar/containers/atomic_span.hpp>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/containers/detail/array_errors.hpp>
#include <lamellar/containers/detail/array_handlers.hpp>
#include <lamellar/containers/detail/array_part.hpp>
#include <lamellar/containers/detail/ask_owners.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/world.hpp>
#include <limits>
#include <memory>
#include <source_location>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// array<T, Layout, Access>: n elements of T, spread over the PEs of the world or of a team. The
// layout says where an element lies, the access policy who may do what to it; see layout.hpp
// and access.hpp. Operations are those of array_operations.hpp, on any element from any PE.
//
// The handle is cheap to copy and travels in messages; sub_array() gives a view of a range,
// with indices of its own. The elements are all zero bytes at first (or T{}, for a T that owns
// memory). They go, as the parts of a darc do, in the first quiesce after the last handle.
//
// Where the owner's memory is mapped here, and the access allows it, an operation is done in
// place by loads, stores and atomic instructions; else the owner does it. Both ways may meet on
// one element.
//
// Thread-safety: handles as values; operations: any thread of the PE.
namespace lamellar {

/// What an array holds: values that travel.
template <class T>
concept array_element = transferable<T> && std::default_initializable<T> && std::copyable<T>;

template <array_element T, array_layout Layout = layout::block, class Access = access::atomic>
class array : public array_operations<array<T, Layout, Access>, T, Access> {
  using part_type = detail::array_part<T, Layout>;
  using handle_type = typename Access::template handle<part_type>;
  using element = typename Access::template element<T>;

 public:
  using value_type = T;
  using layout_type = Layout;
  using access_type = Access;

  /// No array; to be assigned to.
  array() noexcept = default;

  /// Make an array of `n` elements on the PEs of the world or of a team. `how...` are further
  /// arguments of the layout, such as the block of a block_cyclic one.
  ///
  /// Cost: a few rounds over the team. Collective over it. Requires: the same n, T, layout and
  /// access on all PEs. Throws: out_of_memory on all of them, if one has no memory.
  template <class... How>
    requires std::constructible_from<Layout, std::size_t, std::uint32_t, How...>
  static task<array> create(detail::located_team of, std::size_t n, How... how) {
    return create_on(std::move(of), n, how...);
  }

  // ---- what and where ----
  /// Elements that this handle covers.
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// Whether this handle names an array.
  explicit operator bool() const { return part_ != nullptr; }
  world& where() const { return part_->members().where(); }
  /// The PEs that have a part.
  const team& members() const { return part_->members(); }
  /// Of the whole array; a view's indices begin at first_index() of it.
  const Layout& layout() const { return layout_; }
  /// The first element of this view in the whole array.
  std::size_t first_index() const { return first_; }

  /// The PE that owns element `i`. Requires: i < size().
  pe owner(std::size_t i, std::source_location at = std::source_location::current()) const {
    return pe{part_->pes()[place(i, "owner", at).part]};
  }
  /// The owner's position in the team, and the offset among the elements of the whole array
  /// that it owns. Requires: i < size().
  element_place place_of(std::size_t i,
                         std::source_location at = std::source_location::current()) const {
    return place(i, "place_of", at);
  }
  /// How many elements of this view position `part` owns.
  std::size_t size_at(team_position part) const {
    return layout_.before(part.index(), first_ + count_) - layout_.before(part.index(), first_);
  }
  /// How many elements of this view are here.
  std::size_t local_size() const { return local_end() - local_begin(); }
  /// The index of element `k` of local(). Requires: k < local_size().
  std::size_t global_index(std::size_t k) const {
    return layout_.index_of({part_->me(), local_begin() + k}) - first_;
  }
  /// The place in local() of element `i`; nothing if it is not here.
  std::optional<std::size_t> local_index(std::size_t i) const {
    if (i >= count_) {
      return std::nullopt;
    }
    const element_place at = layout_.locate(first_ + i);
    return at.part == part_->me() ? std::optional{at.offset - local_begin()} : std::nullopt;
  }
  /// The least index that position `part` owns; nothing if it owns none of this view.
  std::optional<std::size_t> first_index_at(team_position part) const {
    const std::size_t begin = layout_.before(part.index(), first_);
    return size_at(part) == 0 ? std::nullopt
                              : std::optional{layout_.index_of({part.index(), begin}) - first_};
  }
  /// The greatest one.
  std::optional<std::size_t> last_index_at(team_position part) const {
    const std::size_t end = layout_.before(part.index(), first_ + count_);
    return size_at(part) == 0
               ? std::nullopt
               : std::optional{layout_.index_of({part.index(), end - 1}) - first_};
  }

  /// A view of `count` elements from `first` on; it keeps the array alive. Not collective.
  /// Requires: they are in this one.
  array sub_array(std::size_t first, std::size_t count,
                  std::source_location at = std::source_location::current()) const {
    if (first > count_ || count > count_ - first) [[unlikely]] {
      detail::range_outside(home_, "sub_array", first, count, count_, at);
    }
    array part = *this;
    part.first_ += first;
    part.count_ = count;
    return part;
  }

  // ---- ranges of elements, and lists of them, of any owners ----
  /// Let the elements from `i` on be `values`, which may be changed as soon as this returns.
  /// Done: when they are there.
  ///
  /// Cost: where the memory is mapped and the access allows it, the copying; else a message in
  /// pieces of 256 KiB to each owner. Elements are whole, the range is not: of an atomic array
  /// each is stored by itself, local_lock takes each owner's lock for what it owns (where that
  /// is not mapped: for each piece), global_lock the lock of all for the whole range. Not
  /// collective. Threads: any. Requires: all are in the array.
  completion<> put(std::size_t i, std::span<const T> values,
                   std::source_location at =
                       std::source_location::current()) const requires writable<Access>;
  /// The same for one element.
  completion<> put(std::size_t i, const T& value,
                   std::source_location at =
                       std::source_location::current()) const requires writable<Access> {
    return put(i, std::span<const T>{&value, 1}, at);
  }
  /// Fill `into` with the elements from `i` on. Done: when they are there. Keep the completion
  /// until then: dropping it earlier ends the job.
  ///
  /// Cost and wholeness: as put(). Not collective. Threads: any. Requires: all are in the
  /// array.
  completion<> get(std::size_t i, std::span<T> into,
                   std::source_location at = std::source_location::current()) const;
  /// Element `i`. Cost: a load, or a round trip. Requires: i < size().
  completion<T> at(std::size_t i,
                   std::source_location where = std::source_location::current()) const {
    return this->load(i, where);
  }
  /// out[k] = element indices[k], for all k; what load(indices) gives, put to memory that is
  /// there already. Keep both until it is done, as for get(); store(indices, values) is the way
  /// back.
  ///
  /// Cost: a load each, or questions to each owner, gathered in messages. Not collective.
  /// Requires: lists of equal length, every index < size().
  template <detail::list Indices>
    requires detail::index<detail::listed_value<Indices>> completion<> gather_into(
        const Indices& indices, std::span<T> out,
        std::source_location at = std::source_location::current())
  const;

  // ---- the elements that are here ----
  /// Those of this view, in the order of their indices. Plain memory, or for readers only;
  /// atomic elements are accessed as such: see atomic_span. Not there for arrays with locks,
  /// whose guards give it. Requires: nobody does otherwise to them meanwhile, for `unsafe`.
  auto local() const requires(!locked<Access>) {
    if constexpr (std::same_as<Access, access::atomic>) {
      return atomic_span<T>{plain_local(), &part_->locks(), local_begin()};
    } else if constexpr (writable<Access>) {
      return plain_local();
    } else {
      return std::span<const T>{plain_local()};
    }
  }

  /// Access to what is here together with other readers: of this PE's elements for local_lock,
  /// of all for global_lock. Cost: that of the darc's lock. Not collective.
  task<array_guard<array, detail::access::read>> read_lock(
      std::source_location at = std::source_location::current()) const requires locked<Access> {
    return lock_as<detail::access::read>(*this, at);
  }
  /// Access to what is here for this guard alone: for global_lock nobody else has access to any
  /// element of the array.
  task<array_guard<array, detail::access::write>> write_lock(
      std::source_location at = std::source_location::current()) const requires locked<Access> {
    return lock_as<detail::access::write>(*this, at);
  }
  /// Every PE may write to what it owns, and nobody else to anything. Collective; body only.
  task<array_guard<array, detail::access::collective_write>> collective_write_lock(
      std::source_location at = std::source_location::current())
      const requires std::same_as<Access, access::global_lock> {
    return lock_as<detail::access::collective_write>(*this, at);
  }

  // ---- the same elements under another access ----
  // Each is collective, moves no data and leaves this handle empty. If a PE holds another
  // handle of the array (a copy, a view, a guard, one that travels), it throws still_referenced
  // on all PEs, with who holds what, and this handle stays as it was; it must live until the
  // task has ended. Cost: a quiesce, two barriers and a round trip with each PE.
  auto into_atomic(std::source_location at = std::source_location::current()) && {
    return convert<access::atomic>(this, at);
  }
  auto into_local_lock(std::source_location at = std::source_location::current()) && {
    return convert<access::local_lock>(this, at);
  }
  auto into_global_lock(std::source_location at = std::source_location::current()) && {
    return convert<access::global_lock>(this, at);
  }
  auto into_read_only(std::source_location at = std::source_location::current()) && {
    return convert<access::read_only>(this, at);
  }
  auto into_unsafe(std::source_location at = std::source_location::current()) && {
    return convert<access::unsafe>(this, at);
  }

  // Travelling: the parts' name and what is seen of them.
  template <class Archive>
  void serialize(Archive& by) {
    std::uint64_t first = first_;
    std::uint64_t count = count_;
    by(parts_, first, count);
    if constexpr (Archive::is_loading::value) {
      *this = array{std::move(parts_)};
      if (first > count_ || count > count_ - first) {
        throw corrupt_message("a view of an array exceeds it");
      }
      first_ = first;
      count_ = count;
    }
  }

  /// For the library's own layers: what an action of detail/action.hpp is run by.
  template <class Action, class I, class V>
  void tell(const I& at, const V& value, std::source_location where) const;
  template <class Action, class I, class V>
  auto ask(const I& at, const V& value, std::source_location where) const;
  /// The elements at these indices of `of`, asked for where they are not mapped here. Both must
  /// live until the task has ended. Requires: every index < of.size().
  static task<std::vector<T>> load_list(const array& of, std::span<const std::size_t> indices);
  const part_type* part() const { return part_; }
  const handle_type& parts() const { return parts_; }
  detail::engine* home() const { return home_; }

 private:
  template <array_element, array_layout, class>
  friend class array;
  template <class, detail::access>
  friend class array_guard;

  explicit array(handle_type parts) : parts_{std::move(parts)} {
    part_ = detail::part_behind(parts_);
    if (part_ != nullptr) {
      home_ = &detail::engine_of(part_->members().where());
      layout_ = part_->layout();
      bases_ = std::same_as<Layout, layout::block> ? part_->from_zero() : part_->reach();
      all_reached_ = part_->all_reached();
      count_ = layout_.size();
      wide_ = largest_part(layout_) > std::numeric_limits<std::uint32_t>::max();
    }
  }

  template <class... How>
  static task<array> create_on(detail::located_team of, std::size_t n, How... how);
  template <class To>
  static task<array<T, Layout, To>> convert(array* source, std::source_location where);
  template <detail::access Which>
  static task<array_guard<array, Which>> lock_as(array of, std::source_location where);

  std::size_t local_begin() const { return layout_.before(part_->me(), first_); }
  std::size_t local_end() const { return layout_.before(part_->me(), first_ + count_); }
  std::span<T> plain_local() const {
    return part_ == nullptr ? std::span<T>{}
                            : part_->own().subspan(local_begin(), local_size());
  }

  void check(std::size_t i, const char* what, std::source_location where) const {
    if (i >= count_) [[unlikely]] {
      detail::index_outside(home_, what, i, count_, where);
    }
  }
  element_place place(std::size_t i, const char* what, std::source_location where) const {
    check(i, what, where);
    return layout_.locate(first_ + i);
  }
  /// The way from an index to an element that is mapped here; a copy of what it needs, so that
  /// the compiler knows that nothing else changes it.
  struct slot_finder {
    explicit slot_finder(const array& of)
        : layout{of.layout_}, bases{of.bases_}, first{of.first_} {}
    T* operator()(std::size_t i) const {
      if constexpr (std::same_as<Layout, layout::block>) {
        return bases[layout.owner(first + i)] + (first + i);
      } else {
        const element_place at = layout.locate(first + i);
        return bases[at.part] + at.offset;
      }
    }
    /// slots[k] = (*this)(index(k)) for k < n. The loop has nothing to decide.
    template <class Index>
    void each(std::size_t n, const Index& index, T** slots) const {
      if constexpr (std::same_as<Layout, layout::block>) {
        if (layout.is_even()) [[likely]] {
          const detail::divider owner = layout.divide();
          const std::size_t from = first;
          T* const* const base = bases;
          for (std::size_t k = 0; k < n; ++k) {
            const std::size_t i = from + index(k);
            slots[k] = base[owner.multiplied(i)] + i;
          }
          return;
        }
      }
      for (std::size_t k = 0; k < n; ++k) {
        slots[k] = (*this)(index(k));
      }
    }
    Layout layout;
    T* const* bases;
    std::size_t first;
  };
  /// check() of index(k) for all k < n. Where no two of them have bits that together exceed
  /// the length, as in every list for a length of a power of two, one look at all is enough.
  template <class Index>
  void check_all(std::size_t n, const Index& index, const char* what,
                 std::source_location where) const {
    std::size_t bits = 0;
    for (std::size_t k = 0; k < n; ++k) {
      bits |= index(k);
    }
    if (bits < count_) [[likely]] {
      return;
    }
    std::size_t largest = 0;
    for (std::size_t k = 0; k < n; ++k) {
      largest = std::max(largest, index(k));
    }
    check(largest, what, where);
  }
  /// Element `i`, if it is mapped here. Requires: i < size().
  T* reached(std::size_t i) const {
    if (all_reached_) [[likely]] {
      return slot_finder{*this}(i);
    }
    const element_place at = layout_.locate(first_ + i);
    T* const base = part_->reach()[at.part];
    return base == nullptr ? nullptr : base + at.offset;
  }
  template <class Action>
  static constexpr bool direct =
      Action::writes ? Access::template direct_writes<T> : Access::template direct_reads<T>;

  /// In place: only elements that need no lock are.
  template <class Action>
  static typename Action::result run(T& slot, const typename Action::operand& operand) {
    return Action::template run<element>(slot, detail::no_stripe, operand);
  }
  template <class Action>
  void tell_one(std::size_t i, const typename Action::operand& operand,
                std::source_location where) const;
  template <class Action>
  completion<typename Action::result> ask_one(std::size_t i,
                                              const typename Action::operand& operand,
                                              std::source_location where) const;
  template <class Action, class Offset>
  void send_one(const element_place& at, const typename Action::operand& operand) const;
  template <class Action, class Offset>
  auto call_one(const element_place& at, const typename Action::operand& operand) const;
  /// Run an action of each pair in place and hand over what it gives: take(k, result).
  /// Requires: all parts are mapped here.
  template <class Action, class Pairs, class Take>
  void run_many(const Pairs& all, std::source_location where, Take take) const;
  /// Ship `located(k)`, {part, record}, as lists: one lock of the owner for each.
  template <class Action, class Offset, class Located>
  void send_lists(std::size_t n, const Located& located) const;
  template <class Action, class Pairs>
  void tell_many(const Pairs& all, std::source_location where) const;
  template <class Action, class Pairs>
  completion<std::vector<typename Action::result>> ask_many(const Pairs& all,
                                                            std::source_location where) const;
  /// Ask for an action of each `question(k)`, {part, record}; answers go to take(k, answer).
  /// `of` must live until the task has ended.
  template <class Action, class Offset, class Question, class Take>
  static task<> ask_parts(const array& of, std::size_t n, Question question, Take take);
  template <class Action, class Offset>
  static task<std::vector<typename Action::result>> ask_others(
      array of, std::vector<element_place> places,
      std::vector<typename Action::operand> operands);

  handle_type parts_;
  // Of the part, close at hand: an operation is a few instructions.
  part_type* part_ = nullptr;
  detail::engine* home_ = nullptr;
  T* const* bases_ = nullptr;  // of slot_finder
  Layout layout_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool all_reached_ = false;
  bool wide_ = false;  // offsets need more than 32 bits
};

template <class T, class Layout = layout::block>
using atomic_array = array<T, Layout, access::atomic>;
template <class T, class Layout = layout::block>
using local_lock_array = array<T, Layout, access::local_lock>;
template <class T, class Layout = layout::block>
using global_lock_array = array<T, Layout, access::global_lock>;
template <class T, class Layout = layout::block>
using read_only_array = array<T, Layout, access::read_only>;
template <class T, class Layout = layout::block>
using unsafe_array = array<T, Layout, access::unsafe>;

}  // namespace lamellar

#include <lamellar/containers/detail/array_bulk.hpp>
#include <lamellar/containers/detail/array_create.hpp>
#include <lamellar/containers/detail/array_route.hpp>
