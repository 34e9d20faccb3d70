// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/containers/detail/keyed_part.hpp>
#include <lamellar/containers/detail/map_actions.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

// One PE's part of an id_map: its keys with their places in the list of their names, and which
// ids these places have. Ids are dealt in turn, place * P + position, until they are frozen;
// then those of a part follow each other.
//
// Thread-safety: any thread of the PE; freezing: the body, with nothing under way.
namespace lamellar::detail {

template <class K, class Hash, class Equal>
class id_part : public keyed_part<K, std::pair<K, std::uint64_t>, key_is_first, Hash, Equal> {
  using base = keyed_part<K, std::pair<K, std::uint64_t>, key_is_first, Hash, Equal>;

 public:
  explicit id_part(const team& of) : base{of}, lock_{of.where().threads() > 1} {}

  std::uint64_t add_name(const K& name) {
    if (frozen()) {
      throw_frozen();
    }
    const std::lock_guard held{lock_};
    names_.push_back(name);
    return names_.size() - 1;
  }
  std::uint64_t names_here() const {
    const std::lock_guard held{lock_};
    return names_.size();
  }
  std::optional<K> name_at(std::uint64_t place) const {
    const std::lock_guard held{lock_};
    return place < names_.size() ? std::optional<K>{names_[place]} : std::nullopt;
  }

  bool frozen() const { return !first_.empty(); }
  /// `counts`: names of each part.
  void freeze(const std::vector<std::uint64_t>& counts) {
    std::vector<std::uint64_t> first{0};
    for (const std::uint64_t each : counts) {
      first.push_back(first.back() + each);
    }
    first_ = std::move(first);
  }
  void clear_names() {
    base::clear();
    const std::lock_guard held{lock_};
    names_.clear();
    first_.clear();
  }

  std::uint64_t id_of(std::uint64_t place) const {
    return frozen() ? first_[this->me()] + place : place * this->members_count() + this->me();
  }
  /// The position and the place there of an id; nothing if it is none.
  std::optional<std::pair<std::uint32_t, std::uint64_t>> place_of(std::uint64_t id) const {
    if (!frozen()) {
      return std::pair{static_cast<std::uint32_t>(id % this->members_count()),
                       id / this->members_count()};
    }
    if (id >= first_.back()) {
      return std::nullopt;
    }
    const auto after = std::upper_bound(first_.begin(), first_.end(), id);
    const auto position = static_cast<std::uint32_t>(after - first_.begin() - 1);
    return std::pair{position, id - first_[position]};
  }
  /// What an id from before freezing has become.
  std::uint64_t frozen_id(std::uint64_t dealt) const {
    return first_[dealt % this->members_count()] + dealt / this->members_count();
  }
  std::uint64_t ids() const { return first_.back(); }

 private:
  mutable spin_lock lock_;  // guards names_
  std::vector<K> names_;
  std::vector<std::uint64_t> first_;  // of each part and of one more; empty: not frozen
};

template <class Part>
struct intern_key {
  using part = Part;
  using result = std::uint64_t;
  using operands = std::tuple<>;
  static std::uint64_t run(context&, Part& here, std::uint64_t h,
                           const typename Part::lookup& key) {
    const auto make = [&](void* place) {
      using item = typename Part::item_type;
      typename Part::key_type name(key);
      const std::uint64_t number = here.add_name(name);
      ::new (place) item(std::move(name), number);
    };
    return here.with_made(h, key, make,
                          [&](auto& item, bool) { return here.id_of(item.second); });
  }
};

template <class Part>
struct find_id {
  using part = Part;
  using result = maybe<std::uint64_t>;
  using operands = std::tuple<>;
  static result run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.with(h, key, [&](const auto* item) {
      return item == nullptr ? result{} : result{here.id_of(item->second), true};
    });
  }
};

template <class Part>
struct name_at {
  maybe<typename Part::key_type> operator()(Part& here, std::uint64_t place) const {
    return maybe<typename Part::key_type>::of(here.name_at(place));
  }
};

}  // namespace lamellar::detail
