// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/containers/detail/table_memory.hpp>
#include <lamellar/substrate/detail/prefetch.hpp>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// A hash table in two rows of memory: slots, and for each slot a byte, its tag, with 8 bits of
// the hash. Tags are looked at 16 at a time, and a slot only if its tag fits.
//
// Why not one that exists: a message brings many operations at once, and a table that can be
// asked to fetch what an operation will touch, first the tags and then the slot, does several
// at a time. That is worth more than all else where tables are larger than the cache. And the
// place of an item grows with its hash, so that a table of any size is moved to a larger one
// from front to back: memory is read and written in order, and growing by a quarter is cheap.
//
// The caller brings hashes, whose bits are mixed: bits 0 to 7 make the tag, 14 to 45 the place.
// No slot is removed while others look for a free one behind it: where a group of 16 was full,
// what is erased leaves a mark, until the table is moved.
//
// Thread-safety: none.
namespace lamellar::detail {

/// 16 tags, and which of them are what.
class tag_group {
 public:
  static constexpr std::uint32_t size = 16;
  static constexpr std::uint8_t empty = 0;
  static constexpr std::uint8_t erased = 1;

  explicit tag_group(const std::uint8_t* tags) : tags_{tags} {}

  /// Bit k: tag k is `tag`.
  std::uint32_t match(std::uint8_t tag) const {
#if defined(__SSE2__)
    const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags_));
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(all, wanted)));
#else
    std::uint32_t found = 0;
    for (std::uint32_t k = 0; k < size; ++k) {
      found |= static_cast<std::uint32_t>(tags_[k] == tag) << k;
    }
    return found;
#endif
  }
  /// Bit k: there is an item.
  std::uint32_t occupied() const { return ~(match(empty) | match(erased)) & 0xffffU; }

 private:
  const std::uint8_t* tags_;
};

/// `HashOf{}(slot)` is the hash of what is in a slot; asked when the table is moved.
template <class Slot, class HashOf>
class flat_table {
 public:
  /// The memory must live longer than the table.
  explicit flat_table(table_memory& memory) : memory_{&memory} {}
  flat_table(const flat_table&) = delete;
  flat_table& operator=(const flat_table&) = delete;
  ~flat_table() { clear(); }

  std::size_t size() const { return size_; }
  /// Of memory.
  std::size_t bytes() const { return groups_ * group_bytes; }

  /// Fetch what the first look for this hash reads.
  void prefetch_tags(std::uint64_t h) const {
    __builtin_prefetch(tags_ + home(h) * tag_group::size);
  }
  /// Fetch the slot in which it probably is, or will be put. Reads the tags.
  void prefetch_slot(std::uint64_t h) const {
    if (groups_ == 0) {
      return;
    }
    const std::size_t group = home(h);
    const tag_group tags{tags_ + group * tag_group::size};
    std::uint32_t found = tags.match(tag_of(h));
    found = found != 0 ? found : tags.match(tag_group::empty) | 1U << (tag_group::size - 1);
    const Slot* const slot =
        slots_ + group * tag_group::size + static_cast<unsigned>(std::countr_zero(found));
    prefetch_for_write(slot);
  }

  /// The slot with this hash for which `is(slot)` holds, or nullptr.
  template <class Is>
  Slot* find(std::uint64_t h, const Is& is) const {
    if (groups_ == 0) {
      return nullptr;
    }
    const std::uint8_t tag = tag_of(h);
    for (std::size_t group = home(h);; group = after(group)) {
      const tag_group tags{tags_ + group * tag_group::size};
      Slot* const slots = slots_ + group * tag_group::size;
      for (std::uint32_t found = tags.match(tag); found != 0; found &= found - 1) {
        Slot* const slot = slots + std::countr_zero(found);
        if (is(*slot)) [[likely]] {
          return slot;
        }
      }
      if (tags.match(tag_group::empty) != 0) [[likely]] {
        return nullptr;
      }
    }
  }

  /// The same; if there is none, a new one, in which `make(place)` constructs. The flag says
  /// that it is new. What `make` throws leaves the table as it was.
  template <class Is, class Make>
  std::pair<Slot*, bool> find_or_make(std::uint64_t h, const Is& is, const Make& make) {
    if (Slot* const found = find(h, is); found != nullptr) {
      return {found, false};
    }
    if (used_ >= limit_) [[unlikely]] {
      move_to_larger();
    }
    const std::size_t at = free_place(h);
    Slot* const slot = make(static_cast<void*>(slots_ + at));
    used_ += tags_[at] == tag_group::empty;
    tags_[at] = tag_of(h);
    ++size_;
    return {slot, true};
  }

  /// Remove what is in the slot.
  void erase(Slot* slot) {
    std::destroy_at(slot);
    const auto at = static_cast<std::size_t>(slot - slots_);
    const tag_group tags{tags_ + at / tag_group::size * tag_group::size};
    // Nobody has ever gone past a group that has a free slot.
    const bool passed = tags.match(tag_group::empty) == 0;
    tags_[at] = passed ? tag_group::erased : tag_group::empty;
    used_ -= passed ? 0 : 1;
    --size_;
  }

  /// Call f(slot) for each. It may erase the one that it is given, no other.
  template <class F>
  void for_each(F&& f) {
    for (std::size_t group = 0; group < groups_; ++group) {
      const std::uint32_t all = tag_group{tags_ + group * tag_group::size}.occupied();
      for (std::uint32_t left = all; left != 0; left &= left - 1) {
        f(slots_[group * tag_group::size + static_cast<unsigned>(std::countr_zero(left))]);
      }
    }
  }

  /// Remove all, and give the memory back.
  void clear() noexcept {
    if constexpr (!std::is_trivially_destructible_v<Slot>) {
      for_each([](Slot& slot) { std::destroy_at(&slot); });
    }
    if (groups_ != 0) {
      memory_->give_back(slots_, bytes());
    }
    slots_ = nullptr;
    tags_ = nullptr;
    groups_ = size_ = used_ = limit_ = 0;
  }

  /// Make room for so many items.
  void reserve(std::size_t items) {
    if (const std::size_t wanted = groups_for(items); wanted > groups_) {
      move_to(wanted);
    }
  }

 private:
  static constexpr std::size_t group_bytes = tag_group::size * (sizeof(Slot) + 1);
  static constexpr std::size_t fullest_of_16 = 13;

  static std::uint8_t tag_of(std::uint64_t h) {
    const auto tag = static_cast<std::uint8_t>(h);
    return tag > tag_group::erased ? tag : static_cast<std::uint8_t>(tag + 2);
  }
  std::size_t home(std::uint64_t h) const {
    return static_cast<std::size_t>(
        std::uint64_t{static_cast<std::uint32_t>(h >> 14)} * groups_ >> 32);
  }
  std::size_t after(std::size_t group) const { return group + 1 == groups_ ? 0 : group + 1; }
  static std::size_t groups_for(std::size_t items) { return items / fullest_of_16 + 1; }

  /// The first slot for a new item; one that was erased will do.
  std::size_t free_place(std::uint64_t h) const {
    for (std::size_t group = home(h);; group = after(group)) {
      const tag_group tags{tags_ + group * tag_group::size};
      const std::uint32_t free = tags.match(tag_group::empty) | tags.match(tag_group::erased);
      if (free != 0) [[likely]] {
        return group * tag_group::size + static_cast<unsigned>(std::countr_zero(free));
      }
    }
  }

  /// Small tables double, for that is done soon; large ones grow by less, for memory.
  void move_to_larger() {
    const std::size_t slots = groups_ * tag_group::size;
    if (size_ < used_ / 2) {
      move_to(groups_);  // most of what is in the way has been erased
    } else if (slots < 1024) {
      move_to(groups_ == 0 ? 1 : 2 * groups_);
    } else if (slots < 16384) {
      move_to(groups_ + groups_ / 2);
    } else {
      move_to(groups_ + groups_ / 4);
    }
  }

  void move_to(std::size_t groups) {
    auto* const memory = static_cast<std::byte*>(memory_->take(groups * group_bytes));
    auto* const slots = reinterpret_cast<Slot*>(memory);
    auto* const tags = reinterpret_cast<std::uint8_t*>(slots + groups * tag_group::size);
    std::memset(tags, tag_group::empty, groups * tag_group::size);
    Slot* const old_slots = std::exchange(slots_, slots);
    std::uint8_t* const old_tags = std::exchange(tags_, tags);
    const std::size_t old_groups = std::exchange(groups_, groups);
    for (std::size_t group = 0; group < old_groups; ++group) {
      const tag_group old{old_tags + group * tag_group::size};
      for (std::uint32_t left = old.occupied(); left != 0; left &= left - 1) {
        const std::size_t from =
            group * tag_group::size + static_cast<unsigned>(std::countr_zero(left));
        const std::size_t at = free_place(HashOf{}(old_slots[from]));
        tags_[at] = old_tags[from];
        relocate(old_slots + from, slots_ + at);
      }
    }
    if (old_groups != 0) {
      memory_->give_back(old_slots, old_groups * group_bytes);
    }
    used_ = size_;
    limit_ = groups_ * fullest_of_16;
  }

  static void relocate(Slot* from, Slot* to) {
    if constexpr (std::is_trivially_copy_constructible_v<Slot> &&
                  std::is_trivially_destructible_v<Slot>) {
      std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), sizeof(Slot));
    } else {
      static_assert(std::is_nothrow_move_constructible_v<Slot>,
                    "keys and values of a table must move without throwing");
      std::construct_at(to, std::move(*from));
      std::destroy_at(from);
    }
  }

  table_memory* memory_;
  Slot* slots_ = nullptr;
  std::uint8_t* tags_ = nullptr;  // behind the slots, in one piece of memory
  std::size_t groups_ = 0;
  std::size_t size_ = 0;
  std::size_t used_ = 0;   // items, and marks of erased ones
  std::size_t limit_ = 0;  // of used_
};

}  // namespace lamellar::detail
