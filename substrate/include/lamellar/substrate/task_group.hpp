// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/group_count.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/team.hpp>
#include <memory>
#include <source_location>
#include <utility>
#include <vector>

// task_group: messages and tasks that are waited for together, and without anything else that
// this PE has under way. Any number of groups may exist; a handler may have one, and wait for
// it with co_await.
//
//   task_group group{world};
//   group.send(pe, f, 1);
//   group.spawn(work());
//   co_await group.done();
//
// A group of a team sends to its members, by team_position or by PE; the PE that has the group
// need not be one of them.
//
// Thread-safety: any thread of the PE. Destroying a group does not wait, and what it has
// started goes on.
namespace lamellar {

class task_group {
 public:
  /// A group for the members of `of`; a world is the team of all its PEs. No communication.
  explicit task_group(team of, std::source_location where = std::source_location::current())
      : of_{std::move(of)},
        count_{std::make_shared<detail::group_count>(
            *detail::team_access::part(of_, where).home)} {}

  /// Run `f(args...)` on the member `to`; done() waits for the end of the handler, a
  /// coroutine's too.
  ///
  /// Cost: as world::send, and an answer without a value. Requires: `to` is a member of the
  /// team. What the handler throws comes out of done().
  template <class F, class... Args>
  void send(detail::located_member to, const F& f, const Args&... args) {
    (void)start(true, to.where, pe_of(to), f, args...);
  }
  /// Run `f(args...)` on the member `to` and bring its result back; done() waits for it too.
  /// Costs and completion as world::call.
  template <class F, class... Args>
  auto call(detail::located_member to, const F& f, const Args&... args) {
    return start(false, to.where, pe_of(to), f, args...);
  }
  /// send() to every member.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) {
    for (std::uint32_t k = 0; k < members().size(); ++k) {
      (void)start(true, {}, members().at(k), f, args...);
    }
  }
  /// call() to every member; the results are indexed by position in the team.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) {
    using result = detail::call_result<F, void, Args...>;
    std::vector<reply<result>> replies;
    replies.reserve(members().size());
    for (std::uint32_t k = 0; k < members().size(); ++k) {
      replies.push_back(start(false, {}, members().at(k), f, args...));
    }
    return reply<typename detail::all_of<result>::type>{
        detail::gather_replies<result>(std::move(replies))};
  }
  /// Start `work` here, as world::spawn. What a dropped task throws comes out of done().
  template <class T>
  spawned<T> spawn(task<T> work) {
    count_->begin();
    return spawned<T>::start(count_->home(), std::move(work), count_.get());
  }

  /// How many of them have not ended yet.
  std::uint64_t pending() const { return count_->left(); }

  /// Wait until all have ended that were started before, and those that are started meanwhile.
  /// Not collective.
  ///
  /// Throws: remote_error, if a handler of a send() threw, or a task or call whose result was
  /// dropped before it ended: the first of them, with their number.
  task<> done() { return all_of(count_); }
  /// done(), blocking: makes progress meanwhile.
  void wait_all() { done().get(); }

 private:
  template <class F, class... Args>
  auto start(bool unread, std::source_location where, std::uint32_t to, const F& f,
             const Args&... args) {
    count_->begin();
    try {
      return detail::call_on_terms<void>(count_->home(), {count_.get(), unread, where}, to, 0,
                                         f, args...);
    } catch (...) {
      count_->end();
      throw;
    }
  }

  static task<> all_of(std::shared_ptr<detail::group_count> count) {
    while (count->left() != 0) {
      co_await count->all_ended();
    }
    count->throw_failures();
  }

  const detail::member_list& members() const { return detail::team_access::part(of_).members; }
  std::uint32_t pe_of(const detail::located_member& to) const {
    return members().at(detail::team_access::position_of(of_, to));
  }

  team of_;
  std::shared_ptr<detail::group_count> count_;
};

}  // namespace lamellar
