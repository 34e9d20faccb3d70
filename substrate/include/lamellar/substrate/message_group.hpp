// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/substrate/detail/run_group.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <lamellar/substrate/world.hpp>
#include <tuple>
#include <utility>
#include <vector>

// Messages that are collected first and then run together.
//
//   message_group lookups{world, lookup{table}};   // one callable: its members travel once per
//   PE lookups.add(pe, key); lookups.add_all(other_key); const auto found = co_await
//   lookups.run(); found.at(0);                                   // of the first message
//   found.all(1);                                  // of the second: one result per PE
//
//   message_group mixed{world};                    // callables of any kind, results are
//   dropped mixed.add(pe, f, 1); co_await mixed.run();
//
// Plain sends are aggregated as well; a group saves what its messages share, and the answers of
// one PE come in one piece.
//
// Thread-safety: one thread at a time.
namespace lamellar {

/// The results of a group, in the order in which its messages were added.
template <class R>
class group_results {
 public:
  /// Number of messages.
  std::size_t size() const { return where_.size(); }
  /// Whether message `i` went to all PEs.
  bool is_for_all(std::size_t i) const { return entry(i).to == everywhere; }
  /// The result of message `i`. Requires: i < size(), and it went to one PE.
  typename std::vector<R>::const_reference at(std::size_t i) const {
    const place_of& p = entry(i);
    if (p.to == everywhere) {
      detail::wrong_result(i, "went to all PEs: use all()");
    }
    return by_pe_[p.to][positions_[p.first]];
  }
  /// The results of message `i`, indexed by PE. Requires: i < size(), and it went to all.
  std::vector<R> all(std::size_t i) const {
    const place_of& p = entry(i);
    if (p.to != everywhere) {
      detail::wrong_result(i, "went to one PE: use at()");
    }
    std::vector<R> results;
    results.reserve(by_pe_.size());
    for (std::size_t pe = 0; pe < by_pe_.size(); ++pe) {
      results.push_back(by_pe_[pe][positions_[p.first + pe]]);
    }
    return results;
  }

 private:
  template <class>
  friend class message_group;
  static constexpr std::uint32_t everywhere = ~0u;
  /// positions_[first] is its number among the messages to PE `to`; for all PEs, one each.
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
  std::vector<std::uint32_t> positions_;
  std::vector<std::vector<R>> by_pe_;
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

  explicit message_group(world& of, F shared = {})
      : home_{&detail::engine_of(of)}, shared_{std::move(shared)}, parts_(of.size()) {
    detail::check_handler<F, void>();
  }

  /// Add `f(args...)` on PE `to`. Cost: a copy of the arguments; nothing is sent. Returns its
  /// number in the results.
  template <class... Args>
  std::size_t add(detail::located_pe to, const Args&... args) {
    const std::uint32_t pe = detail::checked(*home_, to);
    plan_.where_.push_back({pe, plan_.positions_.size()});
    append(pe, args...);
    return plan_.where_.size() - 1;
  }
  /// Add `f(args...)` on every PE, this one included.
  template <class... Args>
  std::size_t add_all(const Args&... args) {
    plan_.where_.push_back({plan_type::everywhere, plan_.positions_.size()});
    for (std::uint32_t pe = 0; pe < parts_.size(); ++pe) {
      append(pe, args...);
    }
    return plan_.where_.size() - 1;
  }
  /// Number of messages that run() would send.
  std::size_t size() const { return plan_.where_.size(); }

  /// Run them all, and give their results. The group is empty afterwards.
  ///
  /// Cost: one message to each PE that has any, of whatever size, and one answer from it; there
  /// they run one after the other, coroutines side by side. Not collective. Throws:
  /// remote_error, if one of them threw; all others have run all the same.
  auto run() {
    return run_parts(home_, shared_, std::exchange(parts_, parts_type(parts_.size())),
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
  void append(std::uint32_t pe, const Args&... args) {
    part& to = parts_[pe];
    const std::size_t before = to.records.size();
    to.records.resize(before + arguments::measure(args...));
    arguments::write(to.records.data() + before, args...);
    plan_.positions_.push_back(to.count++);
  }

  static task<returned> run_parts(detail::engine* home, F shared, parts_type parts,
                                  plan_type plan) {
    using answer = decltype(detail::call_group<F>(*home, 0, shared, parts[0].records, 0));
    std::vector<answer> answers;
    for (std::uint32_t pe = 0; pe < parts.size(); ++pe) {
      answers.push_back(
          parts[pe].count == 0
              ? answer{}
              : detail::call_group<F>(*home, pe, shared, parts[pe].records, parts[pe].count));
    }
    plan.by_pe_.resize(parts.size());
    std::exception_ptr first;
    for (std::uint32_t pe = 0; pe < parts.size(); ++pe) {
      if (!answers[pe].valid()) {
        continue;
      }
      try {
        if constexpr (std::is_void_v<result>) {
          co_await answers[pe];
        } else {
          plan.by_pe_[pe] = co_await answers[pe];
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

  detail::engine* home_;
  F shared_;
  parts_type parts_;
  plan_type plan_;
};

/// Messages of any kind. Results are dropped.
template <>
class message_group<void> {
 public:
  explicit message_group(world& of) : of_{&of} {}

  /// Add `f(args...)` on PE `to`. Cost: a copy of the arguments; nothing is sent.
  template <class F, class... Args>
  void add(detail::located_pe to, F f, const Args&... args) {
    planned_.push_back(
        [to, f = std::move(f),
         kept = std::tuple<detail::owned<const Args&>...>(args...)](task_group& group) {
          std::apply([&](const auto&... each) { group.send(to, f, each...); }, kept);
        });
  }
  /// Add `f(args...)` on every PE, this one included.
  template <class F, class... Args>
  void add_all(const F& f, const Args&... args) {
    for (std::uint32_t to = 0; to < of_->size(); ++to) {
      add(pe{to}, f, args...);
    }
  }
  /// Number of messages that run() would send.
  std::size_t size() const { return planned_.size(); }

  /// Run them all. The group is empty afterwards. Not collective. Cost: as task_group::send,
  /// each. Throws: remote_error, if some of them threw.
  task<> run() { return run_planned(of_, std::exchange(planned_, {})); }

 private:
  using planned = std::vector<std::function<void(task_group&)>>;

  static task<> run_planned(world* of, planned messages) {
    task_group group{*of};
    for (const auto& send : messages) {
      send(group);
    }
    co_await group.done();
  }

  world* of_;
  planned planned_;
};

message_group(world&)->message_group<void>;
template <class F>
message_group(world&, F) -> message_group<F>;

}  // namespace lamellar
