// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/scheduling.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

// What a channel has on its host: the items in it, and who waits: handlers that are coroutines,
// those that push because there is no room, or those that pop because there is nothing. Who
// came first goes on first. On other PEs the part is there to name the host.
//
// Invariant: who pops waits only while there are no items, who pushes only while there is no
// room; so never both.
//
// Thread-safety: any thread of the PE; a lock for each step, nobody resumes under it.
namespace lamellar::detail {

template <class T>
class channel_part {
 public:
  channel_part(team members, std::size_t capacity, team_position host)
      : members_{std::move(members)},
        capacity_{capacity},
        host_position_{host},
        host_{members_.at(host)},
        lock_{members_.where().threads() > 1} {}

  const team& members() const { return members_; }
  std::size_t capacity() const { return capacity_; }
  pe host() const { return host_; }
  team_position host_position() const { return host_position_; }
  std::size_t size() const {
    const std::lock_guard held{lock_};
    return items_.size();
  }
  bool is_closed() const {
    const std::lock_guard held{lock_};
    return closed_;
  }

  /// `co_await part.push(item)`: true when the item is in; false if the channel is closed.
  auto push(T item) { return turn{this, kind::push, std::move(item)}; }
  /// `co_await part.pop()`: an item; nothing if the channel is closed and empty.
  auto pop() { return turn{this, kind::pop, std::nullopt}; }
  /// True if there was room; never waits.
  bool try_push(T item) {
    turn mine{this, kind::push, std::move(item)};
    return settle(mine) && mine.accepted;
  }
  std::optional<T> try_pop() {
    turn mine{this, kind::pop, std::nullopt};
    settle(mine);
    return std::move(mine.item);
  }
  /// Nobody pushes any more; what is in may still be popped.
  void close();
  /// f of each item that is in now, in order; f may push and pop.
  template <class F>
  void for_each(F& f) const {
    std::deque<T> items;
    {
      const std::lock_guard held{lock_};
      items = items_;
    }
    for (const T& each : items) {
      f(each);
    }
  }
  /// Forget the items. Requires: nobody waits with one.
  void clear() {
    const std::lock_guard held{lock_};
    items_.clear();
  }

 private:
  enum class kind { push, pop };

  /// A push or pop; it lies in the frame of the coroutine that waits for it.
  struct turn {
    channel_part* of;
    kind what;
    std::optional<T> item;  // that is pushed, or was popped
    bool accepted = false;
    std::coroutine_handle<> waiting{};
    place where = place::anywhere;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> self) {
      teach_home(self, &of->home());
      waiting = self;
      where = running_place(of->home());
      return !of->settle(*this, true);
    }
    auto await_resume() {
      struct outcome {
        bool accepted;
        std::optional<T> item;
      };
      return outcome{accepted, std::move(item)};
    }
  };

  engine& home() const { return engine_of(members_.where()); }
  /// Do `mine` if that is possible now. Else, if it may wait, it does. Returns: whether it is
  /// done.
  bool settle(turn& mine, bool may_wait = false);

  team members_;
  std::size_t capacity_;
  team_position host_position_;
  pe host_;
  // All by whoever holds the lock:
  std::deque<T> items_;
  std::deque<turn*> waiting_;  // all push, or all pop
  bool closed_ = false;
  mutable spin_lock lock_;
};

template <class T>
bool channel_part<T>::settle(turn& mine, bool may_wait) {
  turn* goes_on = nullptr;
  {
    const std::lock_guard held{lock_};
    const auto first_waiting = [this] {
      turn* const first = waiting_.front();
      waiting_.pop_front();
      return first;
    };
    if (mine.what == kind::push) {
      if (closed_) {
        return true;
      }
      if (!waiting_.empty() && waiting_.front()->what == kind::pop) {
        goes_on = first_waiting();
        goes_on->item = std::move(mine.item);
      } else if (items_.size() < capacity_) {
        items_.push_back(*std::move(mine.item));
      } else {
        if (may_wait) waiting_.push_back(&mine);
        return false;
      }
      mine.accepted = true;
    } else if (!items_.empty()) {
      mine.item.emplace(std::move(items_.front()));
      items_.pop_front();
      if (!waiting_.empty()) {
        goes_on = first_waiting();
        items_.push_back(*std::move(goes_on->item));
        goes_on->accepted = true;
      }
    } else if (!closed_) {
      if (may_wait) waiting_.push_back(&mine);
      return false;
    }
  }
  if (goes_on != nullptr) {
    resume_later(home(), goes_on->waiting, goes_on->where);
  }
  return true;
}

template <class T>
void channel_part<T>::close() {
  std::deque<turn*> waiting;
  {
    const std::lock_guard held{lock_};
    closed_ = true;
    waiting.swap(waiting_);
  }
  for (turn* const each : waiting) {
    resume_later(home(), each->waiting, each->where);
  }
}

// ---- messages -------------------------------------------------------------------------------

template <class T>
struct push_to_channel {
  task<bool> operator()(context, darc<channel_part<T>> channel, T item) const {
    auto turn = channel->push(std::move(item));
    const auto outcome = co_await turn;
    co_return outcome.accepted;
  }
};
template <class T>
struct put_into_channel {
  task<> operator()(context, darc<channel_part<T>> channel, T item) const {
    auto turn = channel->push(std::move(item));
    co_await turn;
  }
};
template <class T>
struct pop_from_channel {
  task<std::optional<T>> operator()(context, darc<channel_part<T>> channel) const {
    auto turn = channel->pop();
    auto outcome = co_await turn;
    co_return std::move(outcome.item);
  }
};
template <class T>
struct try_push_to_channel {
  bool operator()(channel_part<T>& channel, T item) const {
    return channel.try_push(std::move(item));
  }
};
template <class T>
struct try_pop_from_channel {
  std::optional<T> operator()(channel_part<T>& channel) const { return channel.try_pop(); }
};
template <class T>
struct close_channel {
  void operator()(channel_part<T>& channel) const { channel.close(); }
};
template <class T>
struct size_of_channel {
  std::uint64_t operator()(const channel_part<T>& channel) const { return channel.size(); }
};

}  // namespace lamellar::detail
