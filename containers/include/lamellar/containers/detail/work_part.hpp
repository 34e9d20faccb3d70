// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <mutex>
#include <utility>
#include <vector>

// One PE's part of a work queue: the items that wait here, and who would like to have some.
//
// Items are processed by a handler, a coroutine: a *round* processes some and gives half of the
// rest to PEs that have asked, then it lets others go first. A PE without items asks its
// *lifelines*, the members 1, 2, 4, ... positions further on, once each; who has nothing to
// give remembers who asked. So while there is work anywhere a message is under way, and when
// there is none nothing is: a quiesce sees the end.
//
// Source: Saraswat et al., "Lifeline-based global load balancing", 2011.
//
// Thread-safety: any; a lock for each step, none while an item is processed. With one thread
// per PE it costs nothing.
namespace lamellar::detail {

template <class T, class Order>
class work_part;

/// What processes items, whatever its type.
template <class T, class Order>
struct item_processor {
  virtual ~item_processor() = default;
  /// Process up to `most` items. Returns: how many there were. What processing one throws is
  /// put into `thrown`; the others are processed all the same.
  virtual std::size_t process(const darc<work_part<T, Order>>& queue, std::size_t most,
                              std::exception_ptr& thrown) = 0;
};

template <class T, class Order>
class work_part {
 public:
  static constexpr bool concurrent_handlers = true;
  using handle = darc<work_part>;
  using processor = item_processor<T, Order>;

  explicit work_part(team members)
      : members_{std::move(members)},
        me_{members_.position().index()},
        most_runners_{members_.where().threads()},
        asked_(members_.size()),
        lock_{members_.where().threads() > 1} {}

  const team& members() const { return members_; }

  void push(T item) {
    const std::lock_guard held{lock_};
    store_.push(std::move(item));
  }
  bool pop(std::vector<T>& into) {
    const std::lock_guard held{lock_};
    if (store_.size() == 0) {
      return false;
    }
    into.push_back(store_.pop());
    return true;
  }
  std::size_t size() const {
    const std::lock_guard held{lock_};
    return store_.size();
  }
  std::size_t bytes() const {
    const std::lock_guard held{lock_};
    return store_.bytes();
  }
  /// The items are set aside meanwhile; others may come.
  template <class F>
  void for_each(const F& f) {
    struct aside {
      work_part& of;
      typename Order::template store<T> items;
      explicit aside(work_part& part) : of{part} {
        const std::lock_guard held{of.lock_};
        items = std::exchange(of.store_, {});
      }
      ~aside() {
        const std::lock_guard held{of.lock_};
        std::swap(of.store_, items);
        const auto put = [this](const T& item) { of.store_.push(item); };
        items.for_each(put);
      }
    } const all{*this};
    all.items.for_each(f);
  }
  void clear() {
    const std::lock_guard held{lock_};
    store_.clear();
  }

  /// From now on items are processed by `by`.
  void begin(processor* by, const handle& self);
  /// Nothing is under way any more. Returns: how many items were processed here.
  std::uint64_t end();
  /// See that enough rounds run for the items here; if there are none, ask for some.
  void wake(const handle& self);
  /// One round. Returns: whether there is more to do. What processing an item throws is put
  /// into `thrown`.
  bool run(const handle& self, std::exception_ptr& thrown);
  /// A member asks for items.
  void give_to(const handle& self, std::uint32_t thief);
  /// Items have come from the member that was asked.
  void receive(const handle& self, std::uint32_t from, std::vector<T> items);

 private:
  // Items that travel at a time: half of what there is may be more than a message should be.
  static constexpr std::size_t most_given = 4096;
  static constexpr std::uint64_t long_round_ns = 60'000;
  static constexpr std::uint64_t short_round_ns = 15'000;

  void send_items(const handle& self, std::uint32_t to, std::vector<T> items);
  void feed_hungry(const handle& self);
  void ask_lifelines(const handle& self);

  team members_;
  std::uint32_t me_;
  std::uint32_t most_runners_;
  // All by whoever holds the lock:
  typename Order::template store<T> store_;
  std::vector<std::uint32_t> hungry_;  // positions that wait for items
  std::vector<bool> asked_;            // by position: has been asked, and has not answered yet
  processor* by_ = nullptr;            // while items are processed
  std::uint32_t runners_ = 0;          // rounds that run or have been sent for
  std::size_t grain_ = 16;             // items in a round
  std::uint64_t processed_ = 0;
  mutable spin_lock lock_;
};

// ---- messages -------------------------------------------------------------------------------

template <class T, class Order>
struct run_rounds {
  task<> operator()(context at, darc<work_part<T, Order>> queue) const {
    std::exception_ptr thrown;
    while (queue->run(queue, thrown)) {
      co_await at.world().yield();
    }
    if (thrown) {
      std::rethrow_exception(thrown);
    }
  }
};
template <class T, class Order>
struct ask_for_items {
  void operator()(const darc<work_part<T, Order>>& queue, std::uint32_t thief) const {
    queue->give_to(queue, thief);
  }
};
template <class T, class Order>
struct bring_items {
  void operator()(const darc<work_part<T, Order>>& queue, std::uint32_t from,
                  std::vector<T> items) const {
    queue->receive(queue, from, std::move(items));
  }
};
template <class T, class Order>
struct put_item {
  void operator()(const darc<work_part<T, Order>>& queue, T item) const {
    queue->push(std::move(item));
    queue->wake(queue);
  }
};

// ---- detail ---------------------------------------------------------------------------------

template <class T, class Order>
void work_part<T, Order>::begin(processor* by, const handle& self) {
  {
    const std::lock_guard held{lock_};
    by_ = by;
    processed_ = 0;
  }
  wake(self);
}

template <class T, class Order>
std::uint64_t work_part<T, Order>::end() {
  const std::lock_guard held{lock_};
  by_ = nullptr;
  hungry_.clear();
  asked_.assign(asked_.size(), false);
  return processed_;
}

template <class T, class Order>
void work_part<T, Order>::wake(const handle& self) {
  std::uint32_t wanted = 0;
  bool idle = false;
  {
    const std::lock_guard held{lock_};
    if (by_ == nullptr) {
      return;
    }
    const std::size_t most = std::min<std::size_t>(most_runners_, store_.size());
    wanted = most > runners_ ? static_cast<std::uint32_t>(most) - runners_ : 0;
    runners_ += wanted;
    idle = runners_ == 0;
  }
  for (; wanted != 0; --wanted) {
    self.send(members_.where().me(), run_rounds<T, Order>{});
  }
  if (idle) {
    ask_lifelines(self);
  }
}

template <class T, class Order>
bool work_part<T, Order>::run(const handle& self, std::exception_ptr& thrown) {
  const std::size_t most = [&] {
    const std::lock_guard held{lock_};
    return grain_;
  }();
  const std::uint64_t begin = members_.where().now_ns();
  const std::size_t done = by_->process(self, most, thrown);
  const std::uint64_t took = members_.where().now_ns() - begin;
  feed_hungry(self);
  bool goes_on = false;
  {
    const std::lock_guard held{lock_};
    processed_ += done;
    if (took > long_round_ns) {
      grain_ = std::max<std::size_t>(1, grain_ / 2);
    } else if (took < short_round_ns && done >= most) {
      grain_ = std::min<std::size_t>(2048, grain_ * 2);
    }
    goes_on = store_.size() != 0;
    runners_ -= goes_on ? 0 : 1;
  }
  wake(self);
  return goes_on;
}

template <class T, class Order>
void work_part<T, Order>::send_items(const handle& self, std::uint32_t to,
                                     std::vector<T> items) {
  self.send(members_.at(team_position{to}), bring_items<T, Order>{}, me_, items);
  members_.where().flush();  // this PE does not wait for anything soon
}

template <class T, class Order>
void work_part<T, Order>::feed_hungry(const handle& self) {
  for (;;) {
    std::vector<T> items;
    std::uint32_t to = 0;
    {
      const std::lock_guard held{lock_};
      if (hungry_.empty() || store_.size() < 2) {
        return;
      }
      to = hungry_.back();
      hungry_.pop_back();
      items = store_.take_half(most_given);
    }
    send_items(self, to, std::move(items));
  }
}

template <class T, class Order>
void work_part<T, Order>::give_to(const handle& self, std::uint32_t thief) {
  std::vector<T> items;
  {
    const std::lock_guard held{lock_};
    if (store_.size() < 2) {
      hungry_.push_back(thief);
      return;
    }
    items = store_.take_half(most_given);
  }
  send_items(self, thief, std::move(items));
}

template <class T, class Order>
void work_part<T, Order>::receive(const handle& self, std::uint32_t from,
                                  std::vector<T> items) {
  {
    const std::lock_guard held{lock_};
    asked_[from] = false;
    for (T& each : items) {
      store_.push(std::move(each));
    }
  }
  feed_hungry(self);  // at once: a round may be all that there is
  wake(self);
}

template <class T, class Order>
void work_part<T, Order>::ask_lifelines(const handle& self) {
  std::vector<std::uint32_t> ask;
  {
    const std::lock_guard held{lock_};
    for (std::uint32_t step = 1; step < asked_.size(); step *= 2) {
      const auto to = static_cast<std::uint32_t>((me_ + step) % asked_.size());
      if (!asked_[to]) {
        asked_[to] = true;
        ask.push_back(to);
      }
    }
  }
  for (const std::uint32_t to : ask) {
    self.send(members_.at(team_position{to}), ask_for_items<T, Order>{}, me_);
  }
}

}  // namespace lamellar::detail
