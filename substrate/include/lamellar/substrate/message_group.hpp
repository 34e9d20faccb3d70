// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/substrate/detail/run_group.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <lamellar/substrate/team.hpp>
#include <tuple>
#include <utility>
#include <vector>

// Messages that are collected first and then run together.
//
// Of one callable, whose members travel once to each PE:
//
//   message_group lookups{world, lookup{table}};
//   lookups.add(pe, key);
//   lookups.add_all(other_key);
//   const auto found = co_await lookups.run();
//   found.at(0);   // of the first message
//   found.all(1);  // of the second: one result per PE
//
// Of callables of any kind, without results:
//
//   message_group mixed{world};
//   mixed.add(pe, f, 1);
//   co_await mixed.run();
//
// A group of a team sends to its members, named by team_position or by PE; the PE that has the
// group need not be one of them. Plain sends are aggregated as well; a group saves what its
// messages share, and the answers of one PE come in one piece.
//
// Thread-safety: one thread at a time.
namespace lamellar {

/// The results of a group, in the order in which its messages were added.
template <class R>
class group_results {
 public:
  /// Number of messages.
  std::size_t size() const { return where_.size(); }
  /// Whether message `i` went to all members.
  bool is_for_all(std::size_t i) const { return entry(i).to == everywhere; }
  /// The result of message `i`. Requires: i < size(), and it went to one member.
  typename std::vector<R>::const_reference at(std::size_t i) const {
    const place_of& p = entry(i);
    if (p.to == everywhere) {
      detail::wrong_result(i, "went to all members of the team: use all()");
    }
    return by_member_[p.to][numbers_[p.first]];
  }
  /// The results of message `i`, indexed by position in the team: by PE, if the group is the
  /// world's. Requires: i < size(), and it went to all.
  std::vector<R> all(std::size_t i) const {
    const place_of& p = entry(i);
    if (p.to != everywhere) {
      detail::wrong_result(i, "went to one member of the team: use at()");
    }
    std::vector<R> results;
    results.reserve(by_member_.size());
    for (std::size_t k = 0; k < by_member_.size(); ++k) {
      results.push_back(by_member_[k][numbers_[p.first + k]]);
    }
    return results;
  }

 private:
  template <class>
  friend class message_group;
  static constexpr std::uint32_t everywhere = ~0u;
  /// numbers_[first] is its number among the messages to the member at position `to`; for all
  /// members, one each.
  struct place_of {
    std::uint32_t to;
    std::size_t first;
  };

  const place_of& entry(std::size_t i) const {
    if (i >= where_.size()) {
      detail::wrong_result(i, "does not exist");
    }
    return where_[i];
  }

  std::vector<place_of> where_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::vector<R>> by_member_;
};

/// Messages to one callable. Its members are what they share: they travel once to each PE.
template <class F = void>
class message_group {
  using shape = detail::shape<F, void>;
  using arguments = typename shape::arguments;
  static_assert(has_signature<F>,
                "the callable of a group has one call operator that is not a template");
  static_assert(arguments::alignment == 1,
                "a handler in a group cannot take a span<const T> in place; take a "
                "std::vector<T>");

 public:
  using result = typename shape::result;

  /// A group for the members of `of`; a world is the team of all its PEs. No communication.
  explicit message_group(team of, F shared = {})
      : of_{std::move(of)}, shared_{std::move(shared)}, parts_(of_.size()) {
    detail::check_handler<F, void>();
  }

  /// Add `f(args...)` on the member `to`. Cost: a copy of the arguments; nothing is sent.
  /// Returns its number in the results. Requires: `to` is a member of the team.
  template <class... Args>
  std::size_t add(detail::located_member to, const Args&... args) {
    const std::uint32_t position = detail::team_access::position_of(of_, to);
    plan_.where_.push_back({position, plan_.numbers_.size()});
    append(parts_[position], args...);
    return plan_.where_.size() - 1;
  }
  /// Add `f(args...)` on every member.
  template <class... Args>
  std::size_t add_all(const Args&... args) {
    plan_.where_.push_back({plan_type::everywhere, plan_.numbers_.size()});
    for (part& each : parts_) {
      append(each, args...);
    }
    return plan_.where_.size() - 1;
  }
  /// Number of messages that run() would send.
  std::size_t size() const { return plan_.where_.size(); }

  /// Run them all, and give their results. The group is empty afterwards.
  ///
  /// Cost: one message to each member that has any, of whatever size, and one answer from it;
  /// there they run one after the other, coroutines side by side. Not collective. Throws:
  /// remote_error, if one of them threw; all others have run all the same.
  auto run() {
    return run_parts(of_, shared_, std::exchange(parts_, parts_type(parts_.size())),
                     std::exchange(plan_, {}));
  }

 private:
  struct part {
    std::vector<std::byte> records;
    std::uint32_t count = 0;
  };
  using parts_type = std::vector<part>;
  using stored_result = std::conditional_t<std::is_void_v<result>, char, result>;
  using plan_type = group_results<stored_result>;
  using returned = std::conditional_t<std::is_void_v<result>, void, plan_type>;

  template <class... Args>
  void append(part& to, const Args&... args) {
    const std::size_t before = to.records.size();
    to.records.resize(before + arguments::measure(args...));
    arguments::write(to.records.data() + before, args...);
    plan_.numbers_.push_back(to.count++);
  }

  static task<returned> run_parts(team of, F shared, parts_type parts, plan_type plan) {
    const detail::team_part& team_here = detail::team_access::part(of);
    detail::engine& home = *team_here.home;
    using answer = decltype(detail::call_group<F>(home, 0, shared, parts[0].records, 0));
    std::vector<answer> answers;
    for (std::uint32_t k = 0; k < parts.size(); ++k) {
      answers.push_back(parts[k].count == 0
                            ? answer{}
                            : detail::call_group<F>(home, team_here.members.at(k), shared,
                                                    parts[k].records, parts[k].count));
    }
    plan.by_member_.resize(parts.size());
    std::exception_ptr first;
    for (std::uint32_t k = 0; k < parts.size(); ++k) {
      if (!answers[k].valid()) {
        continue;
      }
      try {
        if constexpr (std::is_void_v<result>) {
          co_await answers[k];
        } else {
          plan.by_member_[k] = co_await answers[k];
        }
      } catch (...) {
        first = first ? first : std::current_exception();
      }
    }
    if (first) {
      std::rethrow_exception(first);
    }
    if constexpr (!std::is_void_v<result>) {
      co_return plan;
    }
  }

  team of_;
  F shared_;
  parts_type parts_;
  plan_type plan_;
};

/// Messages of any kind. Results are dropped.
template <>
class message_group<void> {
 public:
  /// A group for the members of `of`; a world is the team of all its PEs. No communication.
  explicit message_group(team of) : of_{std::move(of)} {}

  /// Add `f(args...)` on the member `to`. Cost: a copy of the arguments; nothing is sent.
  /// Requires: `to` is a member of the team.
  template <class F, class... Args>
  void add(detail::located_member to, F f, const Args&... args) {
    planned_.push_back(
        [to = team_position{detail::team_access::position_of(of_, to)}, f = std::move(f),
         kept = std::tuple<detail::owned<const Args&>...>(args...)](task_group& group) {
          std::apply([&](const auto&... each) { group.send(to, f, each...); }, kept);
        });
  }
  /// Add `f(args...)` on every member.
  template <class F, class... Args>
  void add_all(const F& f, const Args&... args) {
    for (std::uint32_t to = 0; to < of_.size(); ++to) {
      add(team_position{to}, f, args...);
    }
  }
  /// Number of messages that run() would send.
  std::size_t size() const { return planned_.size(); }

  /// Run them all. The group is empty afterwards. Not collective. Cost: as task_group::send,
  /// each. Throws: remote_error, if some of them threw.
  task<> run() { return run_planned(of_, std::exchange(planned_, {})); }

 private:
  using planned = std::vector<std::function<void(task_group&)>>;

  static task<> run_planned(team of, planned messages) {
    task_group group{std::move(of)};
    for (const auto& send : messages) {
      send(group);
    }
    co_await group.done();
  }

  team of_;
  planned planned_;
};

message_group(team)->message_group<void>;
template <class F>
message_group(team, F) -> message_group<F>;

}  // namespace lamellar
