// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <lamellar/substrate/detail/rw_handle.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

// global_rw_darc<T>: a distributed object with one reader-writer lock for all its parts. A
// guard gives access to this PE's T, while nobody on any PE has a guard that excludes it:
//
//   read()              many readers on all PEs
//   write()             one writer in all
//   collective_write()  every PE writes to its own T; all call it
//
// The object's first PE keeps the lock and grants in the order in which it was asked, so that
// neither readers nor writers starve. Waiting blocks no thread. A coroutine that holds a guard
// and waits for another one of the same object may wait for itself.
//
// Handlers of it take the handle, not a T&; they are coroutines that await a guard. Life and
// threads: as a darc. A guard counts as a handle; dropping one sends a message and never waits.
namespace lamellar {

namespace detail {

template <class T>
struct global_rw_part {
  static constexpr bool concurrent_handlers = true;
  global_rw_part(bool shared, std::unique_ptr<T> v) : value{std::move(v)}, queue{shared} {}

  std::unique_ptr<T> value;
  access_queue queue;  // used on the first PE, as is the next
  // PEs that have not given a collective write back. Any thread.
  std::atomic<std::uint32_t> writers{0};
};

template <class T>
struct part_kind<global_rw_part<T>> {
  using value_type = T;
  static constexpr const char* name = "global_rw_darc";
  static global_rw_part<T>* make(engine& home, std::unique_ptr<T> value) {
    return new global_rw_part<T>(home.threads() > 1, std::move(value));
  }
  static std::unique_ptr<T> take(global_rw_part<T>* part) {
    const std::unique_ptr<global_rw_part<T>> old{part};
    return std::move(old->value);
  }
  static std::string who_waits(void* part) {
    return static_cast<global_rw_part<T>*>(part)->queue.who_waits();
  }
};

template <class T>
struct handle_type<global_rw_part<T>> : std::type_identity<global_rw_darc<T>> {
  static constexpr bool only = true;
};

}  // namespace detail

template <class T>
class global_rw_darc : public detail::rw_handle<global_rw_darc<T>, detail::global_rw_part<T>> {
  using base = detail::rw_handle<global_rw_darc<T>, detail::global_rw_part<T>>;

 public:
  using base::base;
  using read_guard = access_guard<global_rw_darc, detail::access::read>;
  using write_guard = access_guard<global_rw_darc, detail::access::write>;
  using collective_write_guard = access_guard<global_rw_darc, detail::access::collective_write>;

  /// Make a T from `args...` on every PE of the world or of a team. Collective over it; each PE
  /// may give its own arguments. Cost: as darc::create.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  static task<global_rw_darc> create(detail::located_team of, Args... args) {
    const bool shared = of.value.where().threads() > 1;
    auto value = std::make_unique<T>(std::move(args)...);
    auto made =
        darc<detail::global_rw_part<T>>::create(std::move(of), shared, std::move(value));
    co_return global_rw_darc{co_await made};
  }

  /// Access to this PE's T together with other readers, on all PEs. Cost: one round trip to the
  /// first PE, and waiting for the writers that asked before. Not collective.
  task<read_guard> read(std::source_location at = std::source_location::current()) const {
    return enter<read_guard>(*this, detail::access::read, at);
  }
  /// Access to this PE's T, while nobody else has access to any. Cost: one round trip to the
  /// first PE, and waiting for all who asked before. Not collective.
  task<write_guard> write(std::source_location at = std::source_location::current()) const {
    return enter<write_guard>(*this, detail::access::write, at);
  }
  /// Access to this PE's T for every PE at once, and for nobody else. Ends when all PEs have
  /// let go. Cost: two barriers, and waiting for all who asked before. Collective; ends the job
  /// if a PE is in another collective meanwhile. Body only.
  task<collective_write_guard> collective_write(
      std::source_location where = std::source_location::current()) const {
    return enter_together(*this, where);
  }

  /// Make a darc of it again; as darc::into_local_rw. Collective.
  task<darc<T>> into_darc(std::source_location where = std::source_location::current()) && {
    return detail::darc_access::convert<darc<T>>(this, where);
  }
  /// Make a local_rw_darc of it; as darc::into_local_rw. Collective.
  task<local_rw_darc<T>> into_local_rw(
      std::source_location where = std::source_location::current()) && {
    return detail::darc_access::convert<local_rw_darc<T>>(this, where);
  }

 private:
  template <class, detail::access>
  friend class access_guard;
  using kept = detail::global_rw_part<T>;

  /// On the first PE: wait there.
  struct take_turn {
    task<> operator()(context, global_rw_darc self, detail::access wanted,
                      detail::distant_place at) const {
      co_await self.part().queue.turn(self.home(), wanted, at);
    }
  };
  /// On the first PE.
  struct give_back {
    void operator()(context& at, kept& part, detail::access which) const {
      give(detail::engine_of(at.world()), part, which);
    }
  };

  /// The number of the object's first PE, which keeps the lock.
  std::uint32_t keeper() const {
    const auto& members = this->entry().members;
    return members == nullptr ? 0 : members->at(0);
  }
  bool is_keeper() const { return this->home().me() == keeper(); }

  template <class Guard>
  static task<Guard> enter(global_rw_darc self, detail::access wanted,
                           std::source_location at) {
    const detail::distant_place asked{at, self.home().me()};
    if (self.is_keeper()) {
      co_await self.part().queue.turn(self.home(), wanted, asked);
    } else {
      auto granted = self.call(pe{self.keeper()}, take_turn{}, wanted, asked);
      co_await granted;
    }
    co_return Guard{std::move(self)};
  }

  static task<collective_write_guard> enter_together(global_rw_darc self,
                                                     std::source_location where) {
    const detail::located_team all{*self.entry().made_on, where};
    const std::uint32_t number = self.entry().number;
    const std::uint64_t kind = detail::kind_of_object(typeid(collective_write_guard));
    // Everybody is here, or this says who is elsewhere. Nobody waits for the lock before.
    co_await detail::object_made(all, number, kind);
    if (self.is_keeper()) {
      const detail::distant_place asked{where, self.home().me()};
      co_await self.part().queue.turn(self.home(), detail::access::collective_write, asked);
      self.part().writers.store(all.value.size(), std::memory_order_relaxed);
    }
    co_await detail::object_made(all, number, kind);
    co_return collective_write_guard{std::move(self)};
  }

  static void give(detail::engine& home, kept& part, detail::access which) noexcept {
    if (which != detail::access::collective_write ||
        part.writers.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      part.queue.leave(home, which);
    }
  }

  void leave(detail::access which) const noexcept {
    detail::engine& home = this->home();
    this->left();
    if (is_keeper()) {
      give(home, this->part(), which);
      return;
    }
    // As handlers send: it neither waits nor runs anything, and is never refused.
    detail::lane& here = home.here();
    const detail::exempt_scope beyond_budget{here};
    detail::send_message<kept>(home, keeper(), this->entry().number, give_back{}, which);
    home.ship(here, keeper());
  }
};

template <class T>
task<global_rw_darc<T>> darc<T>::into_global_rw(std::source_location where) && {
  return detail::darc_access::convert<global_rw_darc<T>>(this, where);
}

template <class T>
task<global_rw_darc<T>> local_rw_darc<T>::into_global_rw(std::source_location where) && {
  return detail::darc_access::convert<global_rw_darc<T>>(this, where);
}

}  // namespace lamellar
