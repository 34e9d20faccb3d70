// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/element.hpp>
#include <lamellar/containers/detail/waiting_copies.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/rw_handle.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/team.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

// One PE's part of an array: its elements, the way to those of the others, and what guards
// them. The parts make up a darc, which keeps them alive; what lies in them, but for the
// elements, is constant.
namespace lamellar::detail {

/// Where elements lie: in memory that peers may reach, if they mean the same everywhere.
template <class T>
struct memory_of : std::type_identity<std::vector<T>> {};
template <region_element T>
struct memory_of<T> : std::type_identity<shared_memory_region<T>> {};

template <class Layout>
std::size_t first_index(const Layout& of, std::uint32_t part) {
  if constexpr (std::same_as<Layout, layout::block>) {
    return of.first(part);
  } else {
    return 0;
  }
}

template <class T, class Layout>
class array_part {
 public:
  static constexpr bool concurrent_handlers = true;
  using value_type = T;
  using memory_type = typename memory_of<T>::type;

  array_part(team members, Layout how, memory_type memory)
      : members_{std::move(members)},
        layout_{how},
        memory_{std::move(memory)},
        locks_{!native_atomic<T>},
        me_{members_.position().index()} {
    const std::size_t mine = part_size(layout_, me_);
    if constexpr (region_element<T>) {
      own_ = memory_.local().first(mine);
      for (std::uint32_t k = 0; k < members_.size(); ++k) {
        const pe owner = members_.at(team_position{k});
        pes_.push_back(owner.index());
        reach_.push_back(memory_.mapped(owner).data());
        from_zero_.push_back(
            reach_.back() == nullptr ? nullptr : reach_.back() - first_index(layout_, k));
        all_reached_ = all_reached_ && (reach_.back() != nullptr || largest_part(layout_) == 0);
      }
    } else {
      own_ = std::span<T>{memory_}.first(mine);
      for (std::uint32_t k = 0; k < members_.size(); ++k) {
        pes_.push_back(members_.at(team_position{k}).index());
        reach_.push_back(nullptr);
      }
      all_reached_ = false;
    }
  }

  const team& members() const { return members_; }
  const Layout& layout() const { return layout_; }
  const memory_type& memory() const { return memory_; }
  /// This PE's position in the team.
  std::uint32_t me() const { return me_; }
  std::span<T> own() const { return own_; }
  /// By position: the elements of that part, mapped here, or nullptr.
  T* const* reach() const { return reach_.data(); }
  /// By position: where the element with index 0 would lie if that part went on to it; for the
  /// block layout, where reached. Then the way from an index to its element is short.
  T* const* from_zero() const { return from_zero_.data(); }
  const std::uint32_t* pes() const { return pes_.data(); }
  bool all_reached() const { return all_reached_; }
  const lock_stripes& locks() const { return locks_; }
  /// Of this PE, on others' elements.
  waiting_copies& copies() const { return copies_; }

  T& at(std::size_t offset) const {
    if (offset >= own_.size()) [[unlikely]] {
      throw corrupt_message("an operation on an element that is not here");
    }
    return own_[offset];
  }

 private:
  team members_;
  Layout layout_;
  memory_type memory_;
  lock_stripes locks_;
  mutable waiting_copies copies_;
  std::uint32_t me_;
  std::span<T> own_;
  std::vector<T*> reach_;
  std::vector<T*> from_zero_;
  std::vector<std::uint32_t> pes_;
  bool all_reached_ = true;
};

/// The part behind a handle of any kind. What is constant in it may be read without a guard.
template <class Part>
Part* part_behind(const darc<Part>& handle) {
  return handle ? &handle.local() : nullptr;
}
template <class Handle, class Kept>
auto* part_behind(const rw_handle<Handle, Kept>& handle) {
  return handle ? plain(const_cast<rw_handle<Handle, Kept>&>(handle)).local().value.get()
                : nullptr;
}

}  // namespace lamellar::detail
