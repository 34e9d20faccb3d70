// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/object_handle.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>

// darc<T>: a distributed object, one T per PE under one name. Messages addressed to it run with
// the T of the PE where they arrive. The handle travels in messages.
//
// Handlers of one object run one at a time on a PE, so a T needs no lock; a T that says
// `static constexpr bool concurrent_handlers = true` lets them overlap. The body may touch its
// T when no message is under way (after quiesce), or within exclusive().
//
// Life: the parts are destroyed in the first quiesce after the last handle on any PE has gone.
// Copies, moves and destructors of handles are local and never wait.
namespace lamellar {

template <class T>
class local_rw_darc;
template <class T>
class global_rw_darc;
template <class T>
class weak_darc;

namespace detail {

template <class Handle, class Part>
class rw_handle;

/// What lies behind an entry: a T itself, or what guards one. `value_type` is the T.
template <class Part>
struct part_kind {
  using value_type = Part;
  static constexpr const char* name = "darc";
  static Part* make(engine&, std::unique_ptr<Part> value) { return value.release(); }
  static std::unique_ptr<Part> take(Part* part) { return std::unique_ptr<Part>{part}; }
};

/// Let `entry` be an object with this part.
template <class Part>
void become(object_entry& entry, Part* part) {
  entry.part = part;
  entry.destroy = [](void* of) { delete static_cast<Part*>(of); };
  entry.type = typeid(Part).name();
  entry.concurrent = false;
  entry.who_waits = nullptr;
  if constexpr (requires { Part::concurrent_handlers; }) {
    entry.concurrent = Part::concurrent_handlers;
  }
  if constexpr (requires { part_kind<Part>::who_waits; }) {
    entry.who_waits = part_kind<Part>::who_waits;
  }
}

/// Ends the job: an empty handle is to be converted.
[[noreturn]] void nothing_to_convert(const char* into, std::source_location where);
/// Wait until nothing is under way, then see that every PE holds one handle of the object and
/// no guard. Collective. Throws: still_referenced on all PEs, if not.
task<> await_sole_handles(located_team all, object_entry& of, std::string from,
                          std::string into);

}  // namespace detail

/// An item of a batch, sorted out: the PE that gets `record`.
template <class Record>
struct routed {
  std::uint32_t to;
  Record record;
};

template <class T>
class darc {
 public:
  using value_type = T;
  using part_type = T;

  darc() noexcept = default;

  /// Make a T from `args...` on every PE of the world or of a team. Collective over it; each PE
  /// may give its own arguments. Cost: one barrier; for a team of some PEs one broadcast more.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  static task<darc> create(detail::located_team of, Args... args) {
    return create_at(std::move(of), std::move(args)...);
  }

  /// This PE's T. Requires: a handle from create() or from a message.
  T& local() const { return *static_cast<T*>(entry()->part); }
  T* operator->() const { return &local(); }
  T& operator*() const { return local(); }

  world& where() const { return home()->facade(); }
  explicit operator bool() const { return entry() != nullptr; }
  /// The object's number, the same on all PEs; 0: none.
  std::uint32_t number() const { return entry() == nullptr ? 0 : entry()->number; }

  /// Run `f(context&, T&, args...)` on PE `to`; context and T may be left out. Costs and
  /// completion as world::send.
  ///
  /// A span handler may have a static member `address(const T&, const Record&)`: what it will
  /// touch is then brought into the cache when this PE sends to itself.
  template <class F, class... Args>
  void send(detail::located_pe to, const F& f, const Args&... args) const {
    const std::uint32_t index = checked(to);
    prefetch_own(f, index, args...);
    detail::send_message<T>(*home(), index, entry()->number, f, args...);
  }

  /// Run `f` on PE `to` and bring its result back. Costs and completion as world::call.
  template <class F, class... Args>
  auto call(detail::located_pe to, const F& f, const Args&... args) const {
    return detail::call_from<T>(*home(), to.where, checked(to), entry()->number, f, args...);
  }

  /// send() to every PE that has a part.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) const {
    for (std::uint32_t k = 0; k < holders(); ++k) {
      detail::send_message<T>(*home(), holder(k), entry()->number, f, args...);
    }
  }

  /// call() to every PE that has a part; the results are indexed by PE, or by position in the
  /// object's team.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) const {
    return detail::call_each<T>(
        *home(), holders(), [this](std::uint32_t k) { return holder(k); }, entry()->number, f,
        args...);
  }

  /// send(split(item).to, f, split(item).record) for each item, faster than one by one.
  ///
  /// Shapes: `split(item)` gives a routed<Record>, where f is a span handler of Record. Costs
  /// and completion as world::send, per item. Requires: every `to` < size().
  template <class F, class Item, class Split>
  void send_each(F f, std::span<const Item> items, Split split) const {
    send_each(f, items.size(), [&](std::size_t k) { return split(items[k]); });
  }
  /// The same for `split(k)` with k = 0, 1, ... n - 1.
  template <class F, class Split>
  void send_each(F f, std::size_t n, Split split) const;

  /// Run `f(T&)` while no handler of this object runs on this PE. Body only; f must not wait
  /// for this object.
  template <class F>
  void exclusive(F f, std::source_location where = std::source_location::current()) const {
    struct call {
      F* f;
      T* part;
    } state{&f, &local()};
    home()->enter_exclusively(
        *entry(),
        [](void* of) {
          auto& c = *static_cast<call*>(of);
          (*c.f)(*c.part);
        },
        &state, where);
  }

  /// Make a local_rw_darc of it: each PE's T stays where it is. Collective. The object must
  /// have one handle on each PE, this one, and it must live until the task has ended.
  ///
  /// Cost: a quiesce, two barriers and a round trip with each PE. Throws: still_referenced on
  /// every PE, with who holds what, if there are other handles; this one is then as it was.
  /// Include local_rw_darc.hpp.
  task<local_rw_darc<T>> into_local_rw(
      std::source_location where = std::source_location::current()) &&;
  /// The same for a global_rw_darc. Include global_rw_darc.hpp.
  task<global_rw_darc<T>> into_global_rw(
      std::source_location where = std::source_location::current()) &&;

  // Travelling: the object's number is enough, every PE has its own part.
  std::uint32_t travelling_number() const { return number(); }
  static darc from_number(void* owner, std::uint32_t number) {
    return owner == nullptr
               ? darc{}
               : detail::darc_access::handle<T>(*static_cast<detail::engine*>(owner), number);
  }
  template <class Archive>
  void save(Archive& to) const {
    detail::save_number(to, number());
  }
  template <class Archive>
  void load(Archive& from) {
    std::uint32_t theirs = 0;
    from(theirs);
    *this = from_number(detail::reader_of(from), theirs);
  }

 private:
  friend detail::darc_access;
  template <class>
  friend class weak_darc;
  template <class, class>
  friend class detail::rw_handle;
  explicit darc(detail::object_handle handle) noexcept : handle_{std::move(handle)} {}

  detail::engine* home() const { return handle_.home(); }
  detail::object_entry* entry() const { return handle_.entry(); }

  static task<darc> create_at(detail::located_team of, auto... args) {
    detail::engine& home = detail::engine_of(of.value.where());
    const std::uint64_t kind = detail::kind_of_object(typeid(T));
    auto entry = std::make_unique<detail::object_entry>(home.threads() > 1);
    entry->members = detail::holders_of(of.value);
    entry->number = co_await detail::number_object(of, kind);
    entry->made_on = std::make_shared<const team>(of.value);
    detail::become(*entry, new T(std::move(args)...));
    detail::object_entry* here = entry.get();
    home.objects().insert(std::move(entry));
    darc made{detail::object_handle{&home, here}};
    co_await detail::object_made(of, here->number, kind);
    co_return made;
  }

  std::uint32_t holders() const {
    return entry()->members == nullptr ? home()->size() : entry()->members->size();
  }
  std::uint32_t holder(std::uint32_t k) const {
    return entry()->members == nullptr ? k : entry()->members->at(k);
  }
  std::uint32_t checked(const detail::located_pe& to) const {
    if (entry()->members != nullptr && !entry()->members->position_of(to.value.index()))
        [[unlikely]] {
      detail::no_part_there(*home(), to, entry()->number);
    }
    return detail::checked(*home(), to);
  }

  template <class F, class... Args>
  void prefetch_own(const F&, [[maybe_unused]] std::uint32_t to,
                    [[maybe_unused]] const Args&... args) const {
    if constexpr (requires { F::address(std::declval<const T&>(), args...); }) {
      // Selected without a branch: which PE comes next is anybody's guess.
      const auto mine = std::uintptr_t{0} - std::uintptr_t{to == home()->me()};
      const auto wanted = reinterpret_cast<std::uintptr_t>(F::address(local(), args...));
      const auto idle = reinterpret_cast<std::uintptr_t>(this);
      __builtin_prefetch(reinterpret_cast<const void*>((wanted & mine) | (idle & ~mine)), 1);
    }
  }

  detail::object_handle handle_;
};

template <class T>
darc<T> detail::darc_access::handle(engine& at, std::uint32_t number) {
  if (number == 0) {
    return {};
  }
  object_entry* found = at.objects().find(number);
  const char* const type = typeid(T).name();
  if (found == nullptr || (found->type != type && std::strcmp(found->type, type) != 0))
      [[unlikely]] {
    wrong_object(found, number, type);
  }
  found->arrive();
  return darc<T>{object_handle{&at, found}};
}

namespace detail {

/// The plain darc under a handle of any kind.
template <class T>
darc<T>& plain(darc<T>& handle) {
  return handle;
}

}  // namespace detail

template <class To, class From>
task<To> detail::darc_access::convert(From* source, std::source_location where) {
  auto& before = plain(*source);
  using old_kind = part_kind<typename std::remove_reference_t<decltype(before)>::value_type>;
  using new_part = typename To::part_type;
  using new_kind = part_kind<new_part>;
  if (before.entry() == nullptr) {
    nothing_to_convert(new_kind::name, where);
  }
  engine& home = *before.home();
  object_entry& entry = *before.entry();
  const located_team everybody{*entry.made_on, where};
  co_await await_sole_handles(everybody, entry, old_kind::name, new_kind::name);
  become(entry, new_kind::make(home, old_kind::take(&before.local())));
  // Nobody may send to the object as it is now before all PEs know.
  co_await object_made(everybody, entry.number, kind_of_object(typeid(new_part)));
  darc<new_part> now{object_handle{&home, &entry}};
  *source = {};
  co_return To{std::move(now)};
}

template <class T>
task<darc<T>> detail::darc_access::claim(darc<T>* source, std::source_location where) {
  if (source->entry() == nullptr) {
    nothing_to_convert(part_kind<T>::name, where);
  }
  object_entry& entry = *source->entry();
  const located_team everybody{*entry.made_on, where};
  co_await await_sole_handles(everybody, entry, part_kind<T>::name, part_kind<T>::name);
  co_await object_made(everybody, entry.number, kind_of_object(typeid(T)));
  co_return std::move(*source);
}

template <class T>
template <class F, class Split>
void darc<T>::send_each(F f, std::size_t n, Split split) const {
  using record_type = decltype(split(std::size_t{0}).record);
  detail::check_handler<F, T, record_type>();
  using code = detail::handler_for<F, T, false, record_type>;
  constexpr std::size_t bytes = code::s::layout::size;
  constexpr std::size_t chunk = bytes == 0 ? 0 : std::min<std::size_t>(256, 1920 / bytes);
  constexpr std::uint32_t few = 16;  // PEs for which each chunk may reserve room everywhere
  if constexpr (code::s::fixed && chunk >= 16) {
    if (home()->size() <= few) {
      detail::lane& from = home()->here();
      const std::uint64_t key = detail::key_of<code>(entry()->number);
      const detail::run_kind kind{bytes, false, code::acknowledged};
      for (std::size_t first = 0; first < n; first += chunk) {
        const std::size_t end = std::min(n, first + chunk);
        home()->prepare_room(from, key, kind, (end - first) * bytes);
        detail::destination* const out = from.current;
        for (std::size_t k = first; k < end; ++k) {
          const auto sorted = split(k);
          prefetch_own(f, sorted.to, sorted.record);
          std::byte* at = out[sorted.to].cursor;
          out[sorted.to].cursor = at + bytes;
          detail::write_record<typename code::s::layout>(at, f, sorted.record);
        }
      }
      return;
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    const auto sorted = split(k);
    prefetch_own(f, sorted.to, sorted.record);
    detail::send_message<T>(*home(), sorted.to, entry()->number, f, sorted.record);
  }
}

}  // namespace lamellar
