// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/detail/rw_handle.hpp>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

// local_rw_darc<T>: a distributed object whose part on each PE has a reader-writer lock of its
// own. Nobody touches a T without a guard:
//
//   const auto now = co_await object.read();     // *now is a const T&
//   auto mine = co_await object.write();         // *mine is a T&
//
// Waiting for a guard blocks no thread. Guards are granted in the order in which they were
// asked for, so that neither readers nor writers starve; a coroutine that holds a guard and
// waits for another one of the same part may therefore wait for itself.
//
// Handlers of it take the handle, not a T&, and may overlap: the lock is what orders them. A
// handler that touches the object is a coroutine that awaits a guard.
//
// Life and threads: as a darc. A guard counts as a handle.
namespace lamellar {

namespace detail {

template <class T>
struct local_rw_part {
  static constexpr bool concurrent_handlers = true;
  local_rw_part(bool shared, std::unique_ptr<T> v) : value{std::move(v)}, queue{shared} {}

  std::unique_ptr<T> value;
  access_queue queue;
};

template <class T>
struct part_kind<local_rw_part<T>> {
  using value_type = T;
  static constexpr const char* name = "local_rw_darc";
  static local_rw_part<T>* make(engine& home, std::unique_ptr<T> value) {
    return new local_rw_part<T>(home.threads() > 1, std::move(value));
  }
  static std::unique_ptr<T> take(local_rw_part<T>* part) {
    const std::unique_ptr<local_rw_part<T>> old{part};
    return std::move(old->value);
  }
  static std::string who_waits(void* part) {
    return static_cast<local_rw_part<T>*>(part)->queue.who_waits();
  }
};

template <class T>
struct handle_type<local_rw_part<T>> : std::type_identity<local_rw_darc<T>> {
  static constexpr bool only = true;
};

}  // namespace detail

template <class T>
class local_rw_darc : public detail::rw_handle<local_rw_darc<T>, detail::local_rw_part<T>> {
  using base = detail::rw_handle<local_rw_darc<T>, detail::local_rw_part<T>>;

 public:
  using base::base;
  using read_guard = access_guard<local_rw_darc, detail::access::read>;
  using write_guard = access_guard<local_rw_darc, detail::access::write>;

  /// Make a T from `args...` on every PE of the world or of a team. Collective over it; each PE
  /// may give its own arguments. Cost: as darc::create.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  static task<local_rw_darc> create(detail::located_team of, Args... args) {
    const bool shared = of.value.where().threads() > 1;
    auto value = std::make_unique<T>(std::move(args)...);
    auto made = darc<detail::local_rw_part<T>>::create(std::move(of), shared, std::move(value));
    co_return local_rw_darc{co_await made};
  }

  /// Access to this PE's T together with other readers. Cost: no communication; waits for the
  /// writers that asked before. Not collective.
  task<read_guard> read(std::source_location at = std::source_location::current()) const {
    return enter<read_guard>(*this, detail::access::read, at);
  }
  /// Access to this PE's T alone. Cost: no communication; waits for all who asked before. Not
  /// collective.
  task<write_guard> write(std::source_location at = std::source_location::current()) const {
    return enter<write_guard>(*this, detail::access::write, at);
  }

  /// Make a darc of it again; as darc::into_local_rw. Collective.
  task<darc<T>> into_darc(std::source_location where = std::source_location::current()) && {
    return detail::darc_access::convert<darc<T>>(this, where);
  }
  /// Make a global_rw_darc of it; as darc::into_local_rw. Collective. Include
  /// global_rw_darc.hpp.
  task<global_rw_darc<T>> into_global_rw(
      std::source_location where = std::source_location::current()) &&;

 private:
  template <class, detail::access>
  friend class access_guard;

  template <class Guard>
  static task<Guard> enter(local_rw_darc self, detail::access wanted, std::source_location at) {
    const detail::distant_place asked{at, self.home().me()};
    co_await self.part().queue.turn(self.home(), wanted, asked);
    co_return Guard{std::move(self)};
  }
  void leave(detail::access which) const noexcept {
    this->part().queue.leave(this->home(), which);
    this->left();
  }
};

template <class T>
task<local_rw_darc<T>> darc<T>::into_local_rw(std::source_location where) && {
  return detail::darc_access::convert<local_rw_darc<T>>(this, where);
}

}  // namespace lamellar
