// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/access_guard.hpp>
#include <lamellar/substrate/darc.hpp>
#include <utility>

// What local_rw_darc and global_rw_darc have in common: a darc of a guarded part, without the
// ways to touch the part.
namespace lamellar::detail {

template <class Handle, class Part>
class rw_handle {
 public:
  using value_type = typename part_kind<Part>::value_type;
  using part_type = Part;

  rw_handle() noexcept = default;
  explicit rw_handle(darc<Part> inner) noexcept : inner_{std::move(inner)} {}

  world& where() const { return inner_.where(); }
  explicit operator bool() const { return static_cast<bool>(inner_); }

  /// Run `f(context, handle, args...)` on PE `to`; context and handle may be left out. A
  /// handler that touches the object is a coroutine and awaits a guard. Costs and completion as
  /// world::send.
  template <class F, class... Args>
  void send(located_pe to, const F& f, const Args&... args) const {
    inner_.send(to, f, args...);
  }
  /// The same, and bring its result back. Costs and completion as world::call.
  template <class F, class... Args>
  auto call(located_pe to, const F& f, const Args&... args) const {
    return inner_.call(to, f, args...);
  }
  /// send() to every PE.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) const {
    inner_.send_all(f, args...);
  }
  /// call() to every PE; the results are indexed by PE.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) const {
    return inner_.call_all(f, args...);
  }

  // It travels as the darc does.
  std::uint32_t travelling_number() const { return inner_.travelling_number(); }
  static Handle from_number(void* owner, std::uint32_t number) {
    return Handle{darc<Part>::from_number(owner, number)};
  }
  template <class Archive>
  void save(Archive& to) const {
    inner_.save(to);
  }
  template <class Archive>
  void load(Archive& from) {
    inner_.load(from);
  }

 protected:
  template <class, access>
  friend class lamellar::access_guard;

  engine& home() const { return *inner_.home(); }
  object_entry& entry() const { return *inner_.entry(); }
  Part& part() const { return inner_.local(); }
  const darc<Part>& inner() const { return inner_; }

  value_type& guarded_value() const { return *part().value; }
  void entered() const { entry().guards.fetch_add(1, std::memory_order_relaxed); }
  void left() const { entry().guards.fetch_sub(1, std::memory_order_relaxed); }

 private:
  template <class H, class P>
  friend darc<P>& plain(rw_handle<H, P>& handle);

  darc<Part> inner_;
};

template <class Handle, class Part>
darc<Part>& plain(rw_handle<Handle, Part>& handle) {
  return handle.inner_;
}

}  // namespace lamellar::detail
