// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/containers/detail/keyed_errors.hpp>
#include <lamellar/containers/detail/map_actions.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <new>
#include <source_location>
#include <tuple>
#include <utility>

// What becomes of one key of a set, of a multiset, whose items are keys with their counts, and
// of a group of a multimap; and the algebra of sets that are dealt out alike.
namespace lamellar::detail {

template <class Part>
struct set_insert {
  using part = Part;
  using result = bool;
  using operands = std::tuple<>;
  static bool run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.with_made(
        h, key, [&](void* place) { ::new (place) typename Part::item_type(key); },
        [](auto&, bool is_new) { return is_new; });
  }
};

template <class Part>
struct multiset_insert {
  using part = Part;
  using result = void;
  using operands = std::tuple<std::uint64_t>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  std::uint64_t n) {
    if (n != 0) {
      here.with_made(h, key, maker<Part>(key, std::uint64_t{0}),
                     [n](auto& item, bool) { item.second += n; });
    }
  }
};

/// Remove one of several; whether there was one.
template <class Part>
struct multiset_erase_one {
  using part = Part;
  using result = bool;
  using operands = std::tuple<>;
  static bool run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    const std::uint64_t before = here.with(
        h, key, [](auto* item) { return item == nullptr ? std::uint64_t{0} : item->second--; });
    if (before == 1) {
      // Another thread may have put one in meanwhile.
      here.take_out_if(h, key, [](const auto& item) { return item.second == 0; });
    }
    return before != 0;
  }
};

template <class Part>
struct group_insert {
  using part = Part;
  using value = typename value_of_part<Part>::value_type;
  using result = void;
  using operands = std::tuple<value>;
  static void run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key,
                  const value& given) {
    here.with_made(h, key, maker<Part>(key),
                   [&](auto& item, bool) { item.second.push_back(given); });
  }
};

template <class Part>
struct group_size {
  using part = Part;
  using result = maybe<std::uint64_t>;
  using operands = std::tuple<>;
  static result run(context&, Part& here, std::uint64_t h, const typename Part::lookup& key) {
    return here.with(h, key, [](const auto* item) {
      return item == nullptr ? result{} : result{item->second.size(), true};
    });
  }
};

/// Whether keys have the same owners in containers of these teams.
inline bool dealt_alike(const team& a, const team& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::uint32_t k = 0; k < a.size(); ++k) {
    if (a.at(team_position{k}) != b.at(team_position{k})) {
      return false;
    }
  }
  return true;
}

/// Let `work(here, there)` join two parts, all members at once. Collective over both teams,
/// which must be of the same PEs.
template <class Part, class Work>
task<> join_parts(Part* here, Part* there, Work work, std::source_location where) {
  if (!dealt_alike(here->members(), there->members())) {
    differing_members(here->members().where(), where);
  }
  auto settling = here->members().quiesce();
  co_await settling;
  work(*here, *there);
  auto waiting = here->members().barrier();
  co_await waiting;
}

}  // namespace lamellar::detail
