// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/object_handle.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/detail/team_part.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

// A team: an ordered set of PEs, for which everything exists that exists for the world. A world
// converts to the team of all its PEs. PEs are addressed by team_position here, and results
// come in the order of positions; `at()` and `position_of()` translate.
//
// Teams are made from a team, collectively over it: block(), strided(), subteam(), split(),
// by_host(). Those that return one team give a handle to every PE of the parent, so that a PE
// which is no member can send to the members. Handles travel in messages, to PEs of the parent.
//
// Collectives of a team match by the order in which its members start them; collectives of
// different teams are independent.
//
// Life: as a darc's, a team goes in a quiesce of the world after its last handle has gone.
// Thread-safety: as the world's; collectives: the body.
namespace lamellar {

namespace detail {
struct located_member;
struct located_team;
struct team_access;
}  // namespace detail

class team {
 public:
  /// Empty: of no use until assigned to; using it ends the job.
  team() noexcept = default;
  /// All PEs, in the order of their numbers: position k is PE k. Cost: none.
  team(world& all) noexcept : handle_{&detail::engine_of(all), nullptr} {}  // NOLINT: it is one

  explicit operator bool() const { return handle_.home() != nullptr; }

  // ---- who ----
  std::uint32_t size() const { return part().members.size(); }
  /// The PE at a position. Requires: position.index() < size().
  pe at(team_position position,
        std::source_location where = std::source_location::current()) const;
  bool contains(pe which) const { return position_of(which).has_value(); }
  std::optional<team_position> position_of(pe which) const;
  /// Whether this PE is a member.
  bool is_member() const { return part().position != detail::team_part::nowhere; }
  /// This PE's position. Requires: is_member().
  team_position position(std::source_location where = std::source_location::current()) const;
  world& where() const { return handle_.home()->facade(); }
  /// Whether both are the same team: of one creation, not only of the same PEs.
  friend bool operator==(const team& a, const team& b) {
    return a.handle_.home() == b.handle_.home() && a.handle_.entry() == b.handle_.entry();
  }

  // ---- messages: as the world's, see there ----
  template <class F, class... Args>
  void send(detail::located_position to, const F& f, const Args&... args) const {
    detail::send_message<void>(*handle_.home(), checked(to), 0, f, args...);
  }
  template <class F, class... Args>
  auto call(detail::located_position to, const F& f, const Args&... args) const {
    const std::uint32_t index = checked(to);
    return detail::call_from<void>(*handle_.home(), to.where, index, 0, f, args...);
  }
  /// send() to every member.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) const {
    const detail::member_list& members = part().members;
    for (std::uint32_t k = 0; k < members.size(); ++k) {
      detail::send_message<void>(*handle_.home(), members.at(k), 0, f, args...);
    }
  }
  /// call() to every member; the results are indexed by position.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) const {
    const detail::member_list& members = part().members;
    return detail::call_each<void>(
        *handle_.home(), members.size(), [&](std::uint32_t k) { return members.at(k); }, 0, f,
        args...);
  }

  // ---- order and completion ----
  /// Wait until all members are here. Collective over the team.
  /// Cost: one wave for the team of all PEs, else log2(size()) messages one after the other.
  task<> barrier(std::source_location where = std::source_location::current()) const;
  /// Wait until every message between members, and every message that their handlers sent to
  /// members meanwhile, has been handled; what passes through PEs outside the team is not known
  /// to it. Collective over the team. Cost: two reductions, if nothing is under way.
  ///
  /// Throws: remote_error on every member, if handlers of messages sent by a member threw.
  task<> quiesce(std::source_location where = std::source_location::current()) const;
  /// Wait until everything that this PE has sent and spawned is handled: world::wait_all(), for
  /// messages are not counted apart for each team.
  void wait_all(std::source_location where = std::source_location::current()) const {
    handle_.home()->wait_all(where);
  }

  // ---- teams of this team: collective over it, all PEs with the same arguments ----
  /// The members at positions first, first + 1, ...: `count` of them.
  /// Cost: two rounds over this team. Requires: first + count <= size(), count > 0.
  task<team> block(std::uint32_t first, std::uint32_t count,
                   std::source_location where = std::source_location::current()) const;
  /// The members at first, first + stride, ...: `count` of them.
  task<team> strided(std::uint32_t first, std::uint32_t stride, std::uint32_t count,
                     std::source_location where = std::source_location::current()) const;
  /// These members, in this order. Requires: at least one, none twice.
  task<team> subteam(std::vector<team_position> members,
                     std::source_location where = std::source_location::current()) const;
  /// One team for each colour: of those that brought it, ordered by key and then by position.
  /// The result is the caller's own team; empty for a PE that brings no colour.
  task<team> split(std::optional<std::uint32_t> colour, std::uint32_t key = 0,
                   std::source_location where = std::source_location::current()) const;
  /// One team for each host; the result is the caller's own.
  task<team> by_host(std::source_location where = std::source_location::current()) const;

  // Travelling: as the number of an object.
  template <class Archive>
  void save(Archive& to) const {
    const std::uint32_t number = handle_.entry() == nullptr ? 0 : handle_.entry()->number;
    const bool some = handle_.home() != nullptr;
    detail::save_number(to, number);
    to(some);
  }
  template <class Archive>
  void load(Archive& from) {
    std::uint32_t number = 0;
    bool some = false;
    from(number, some);
    detail::engine* const home = detail::reader_of(from);
    *this = some && home != nullptr ? arrived(*home, number) : team{};
  }

 private:
  friend struct detail::team_access;
  explicit team(detail::object_handle handle) noexcept : handle_{std::move(handle)} {}

  static team arrived(detail::engine& home, std::uint32_t number);
  detail::team_part& part(std::source_location where = std::source_location::current()) const {
    if (handle_.entry() != nullptr) {
      return *static_cast<detail::team_part*>(handle_.entry()->part);
    }
    if (handle_.home() == nullptr) [[unlikely]] {
      refuse_empty(where);
    }
    return handle_.home()->all_pes();
  }
  [[noreturn]] static void refuse_empty(std::source_location where);
  std::uint32_t checked(const detail::located_position& to) const;
  static task<team> split_of(team parent, std::optional<std::uint32_t> colour,
                             std::uint32_t key, std::source_location where);
  static task<team> make(team parent, std::vector<std::uint32_t> positions,
                         std::source_location where);

  detail::object_handle handle_;
};

namespace detail {

/// A team, or a world as one, and the line of the program that named it.
struct located_team {
  team value;
  std::source_location where;
  located_team(world& w, std::source_location at = std::source_location::current())  // NOLINT
      : value{w}, where{at} {}
  located_team(team t, std::source_location at = std::source_location::current())  // NOLINT
      : value{std::move(t)}, where{at} {}
};

/// A member of a team, named by its place there or by its number in the world, and the line of
/// the program that named it.
struct located_member {
  std::uint32_t number;
  bool is_position;
  std::source_location where;
  located_member(team_position v,  // NOLINT
                 std::source_location w = std::source_location::current())
      : number{v.index()}, is_position{true}, where{w} {}
  located_member(pe v, std::source_location w = std::source_location::current())  // NOLINT
      : number{v.index()}, is_position{false}, where{w} {}
};

struct team_access {
  static team_part& part(const team& of,
                         std::source_location where = std::source_location::current()) {
    return of.part(where);
  }
  static const object_handle& handle(const team& of) { return of.handle_; }
  /// The place of a member in its team. Ends the job if there is none.
  static std::uint32_t position_of(const team& of, const located_member& member);
};

/// The PEs that have a part of an object of `of`; nullptr: all.
std::shared_ptr<const member_list> holders_of(const team& of);
/// The number of a new object of `of`. Collective, unless it is the team of all PEs. `agreed`:
/// what all members must bring; ends the job if they do not.
task<std::uint32_t> number_object(located_team of, std::uint64_t agreed);
/// Wait until all members of `of` have their part of the new object `number`. Collective.
task<> object_made(located_team of, std::uint32_t number, std::uint64_t agreed);

}  // namespace detail

}  // namespace lamellar
