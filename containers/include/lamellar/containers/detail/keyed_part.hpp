// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/containers/detail/flat_table.hpp>
#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/containers/detail/table_memory.hpp>
#include <lamellar/containers/hash.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// One PE's part of a container that finds items by their keys: 64 tables. The mixed hash of a
// key says who owns it (its high bits), in which table it is there, and where in that.
//
// With one thread there are no locks. With more, each table has one, which is held for one
// operation on one item, or while local_for_each passes over the table. A function that is
// given to local_for_each must not wait, for what arrives meanwhile may be for its own table:
// who does is told so, and the job ends.
//
// Thread-safety: any thread of the PE.
namespace lamellar::detail {

/// What look-ups take: text can be looked up without a std::string, if the hash and the
/// comparison know what that is.
template <class K, class Hash, class Equal>
using lookup_key = std::conditional_t < std::same_as<K, std::string>&& requires {
  typename Hash::is_transparent;
  typename Equal::is_transparent;
}
, std::string_view, K > ;

/// Whether hashing a key again is about as cheap as reading its hash from memory.
template <class K>
inline constexpr bool hashes_at_once = std::is_integral_v<K> || std::is_enum_v<K>;

template <class Item, bool KeepsHash>
struct table_slot {
  Item item;
};
template <class Item>
struct table_slot<Item, true> {
  std::uint64_t hash;
  Item item;
};

/// How items have their keys.
struct key_is_first {
  template <class Item>
  static const auto& of(const Item& item) {
    return item.first;
  }
};
struct key_is_item {
  template <class Item>
  static const Item& of(const Item& item) {
    return item;
  }
};

template <class Key, class ItemType, class KeyOf, class Hash, class Equal>
class keyed_part {
 public:
  static constexpr bool concurrent_handlers = true;
  static constexpr std::size_t tables = 64;
  static constexpr bool keeps_hash = !hashes_at_once<Key>;
  using key_type = Key;
  using item_type = ItemType;
  using lookup = lookup_key<Key, Hash, Equal>;
  using slot_type = table_slot<item_type, keeps_hash>;

  static std::uint64_t hash_of(const lookup& key) {
    return mix_hash(static_cast<std::uint64_t>(Hash{}(key)));
  }
  template <class A, class B>
  static bool same_key(const A& a, const B& b) {
    return Equal{}(a, b);
  }
  struct hash_of_slot {
    std::uint64_t operator()(const slot_type& slot) const {
      if constexpr (keeps_hash) {
        return slot.hash;
      } else {
        return hash_of(KeyOf::of(slot.item));
      }
    }
  };
  using table_type = flat_table<slot_type, hash_of_slot>;

  explicit keyed_part(const team& of)
      : members_{of},
        me_{of.position().index()},
        shared_{of.where().threads() > 1},
        rooms_{make_rooms(memory_, shared_, std::make_index_sequence<tables>())} {
    for (std::uint32_t k = 0; k < of.size(); ++k) {
      pes_.push_back(of.at(team_position{k}).index());
    }
  }

  const team& members() const { return members_; }
  std::uint32_t members_count() const { return static_cast<std::uint32_t>(pes_.size()); }
  /// The position of the owner of a key with this hash.
  std::uint32_t position_of(std::uint64_t h) const {
    return static_cast<std::uint32_t>((h >> 32) * pes_.size() >> 32);
  }
  /// The same as a PE.
  std::uint32_t owner_of(std::uint64_t h) const { return pes_[position_of(h)]; }
  const std::uint32_t* pes() const { return pes_.data(); }
  /// This PE's position.
  std::uint32_t me() const { return me_; }

  // ---- one item, under the lock of its table ----

  /// The item with this key, or nullptr; f(item*) is called under the lock.
  template <class F>
  decltype(auto) with(std::uint64_t h, const lookup& key, const F& f) {
    room& in = room_of(h);
    const std::lock_guard held{in.lock};
    slot_type* const slot = in.table.find(h, is{key});
    return f(slot == nullptr ? nullptr : &slot->item);
  }
  /// The item with this key, made by `make(place)` if there is none: f(item, is_new) is called
  /// under the lock.
  template <class Make, class F>
  decltype(auto) with_made(std::uint64_t h, const lookup& key, const Make& make, const F& f) {
    room& in = room_of(h);
    const std::lock_guard held{in.lock};
    const auto [slot, is_new] = in.table.find_or_make(h, is{key}, [&](void* place) {
      auto* const made = static_cast<slot_type*>(place);
      make(static_cast<void*>(&made->item));
      if constexpr (keeps_hash) {
        made->hash = h;
      }
      return made;
    });
    return f(slot->item, is_new);
  }
  /// Remove the item with this key, if f(item) holds; whether it was removed.
  template <class F>
  bool take_out_if(std::uint64_t h, const lookup& key, const F& f) {
    room& in = room_of(h);
    const std::lock_guard held{in.lock};
    slot_type* const slot = in.table.find(h, is{key});
    if (slot == nullptr || !f(slot->item)) {
      return false;
    }
    in.table.erase(slot);
    return true;
  }
  /// f(item) for the item with this key, which is then removed; whether there was one.
  template <class F>
  bool take_out(std::uint64_t h, const lookup& key, const F& f) {
    return take_out_if(h, key, [&f](item_type& item) {
      f(item);
      return true;
    });
  }

  /// Call run(k, h) for k < n, where h is the hash of key(k), when what it will touch is on its
  /// way from memory.
  template <class KeyAt, class Run>
  void each(std::size_t n, const KeyAt& key, const Run& run) {
    each_hashed(
        n, [&](std::size_t k) { return hash_of(key(k)); }, run);
  }
  /// The same where hash(k) is known.
  template <class HashAt, class Run>
  void each_hashed(std::size_t n, const HashAt& hash, const Run& run) {
    enter();
    constexpr std::size_t far = 32;
    constexpr std::size_t near = 16;
    std::uint64_t hashes[2 * far];
    const auto begin = [&](std::size_t k) {
      const std::uint64_t h = hash(k);
      hashes[k % (2 * far)] = h;
      room_of(h).table.prefetch_tags(h);
    };
    // Only who has the lock may look at the tags themselves.
    const auto go_on = [&](std::size_t k) {
      if (!shared_) {
        const std::uint64_t h = hashes[k % (2 * far)];
        room_of(h).table.prefetch_slot(h);
      }
    };
    for (std::size_t k = 0; k < std::min(far, n); ++k) {
      begin(k);
    }
    for (std::size_t k = 0; k < std::min(near, n); ++k) {
      go_on(k);
    }
    for (std::size_t k = 0; k < n; ++k) {
      if (k + far < n) {
        begin(k + far);
      }
      if (k + near < n) {
        go_on(k + near);
      }
      run(k, hashes[k % (2 * far)]);
    }
  }
  /// Begin an operation that was asked for by a message.
  void enter() const {
    if (visited_here()) [[unlikely]] {
      waited_in_visit(members_.where());
    }
  }
  /// Whether the calling thread is in for_each.
  bool visited_here() const {
    return visitor_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  // ---- all items ----

  std::size_t size() const {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < tables; ++k) {
      const std::lock_guard held{rooms_[k].lock};
      sum += rooms_[k].table.size();
    }
    return sum;
  }
  /// Memory of the tables.
  std::size_t bytes() const { return sizeof(*this) + memory_.bytes(); }
  /// Call f(item) for each item of table k.
  template <class F>
  void for_each_in(std::size_t k, F&& f) {
    const std::lock_guard held{rooms_[k].lock};
    rooms_[k].table.for_each([&](slot_type& slot) { f(slot.item); });
  }
  /// The same for all; f may send, and what this PE's body has yet to do waits.
  template <class F>
  void for_each(F&& f) {
    const auto later = members_.where().defer_handlers();
    const visit_scope as_visitor{*this};
    for (std::size_t k = 0; k < tables; ++k) {
      for_each_in(k, f);
    }
  }
  /// Remove the items for which f(item) holds.
  template <class F>
  void erase_if(F&& f) {
    const auto later = members_.where().defer_handlers();
    const visit_scope as_visitor{*this};
    for (std::size_t k = 0; k < tables; ++k) {
      const std::lock_guard held{rooms_[k].lock};
      rooms_[k].table.for_each([&](slot_type& slot) {
        if (f(slot.item)) {
          rooms_[k].table.erase(&slot);
        }
      });
    }
  }
  void clear() {
    for (std::size_t k = 0; k < tables; ++k) {
      const std::lock_guard held{rooms_[k].lock};
      rooms_[k].table.clear();
    }
  }
  /// Make room for so many items here.
  void reserve(std::size_t items) {
    for (std::size_t k = 0; k < tables; ++k) {
      const std::lock_guard held{rooms_[k].lock};
      rooms_[k].table.reserve(items / tables + items / tables / 16 + 1);
    }
  }

 private:
  struct alignas(64) room {
    room(table_memory& memory, bool shared) : table{memory}, lock{shared} {}
    table_type table;
    spin_lock lock;  // guards table
  };
  struct is {
    const lookup& key;
    bool operator()(const slot_type& slot) const { return Equal{}(KeyOf::of(slot.item), key); }
  };
  class visit_scope {
   public:
    explicit visit_scope(keyed_part& of) : of_{of}, before_{of.visitor_.load()} {
      of_.visitor_.store(std::this_thread::get_id());
    }
    ~visit_scope() { of_.visitor_.store(before_); }
    visit_scope(const visit_scope&) = delete;
    visit_scope& operator=(const visit_scope&) = delete;

   private:
    keyed_part& of_;
    std::thread::id before_;
  };

  template <std::size_t... K>
  static std::array<room, sizeof...(K)> make_rooms(table_memory& memory, bool shared,
                                                   std::index_sequence<K...>) {
    return {{(static_cast<void>(K), room{memory, shared})...}};
  }
  room& room_of(std::uint64_t h) { return rooms_[(h >> 8) % tables]; }

  team members_;
  std::uint32_t me_;
  std::vector<std::uint32_t> pes_;  // by position
  bool shared_;                     // several threads
  table_memory memory_;
  mutable std::array<room, tables> rooms_;
  // The thread that is in for_each: it writes this, and any that enters compares it with
  // itself, for which no order is needed.
  std::atomic<std::thread::id> visitor_{};
};

}  // namespace lamellar::detail
