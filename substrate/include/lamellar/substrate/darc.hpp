// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <source_location>
#include <span>
#include <typeinfo>
#include <utility>
#include <vector>

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

  darc() noexcept = default;
  darc(const darc& other) noexcept : home_{other.home_}, entry_{other.entry_} { hold(); }
  darc(darc&& other) noexcept
      : home_{std::exchange(other.home_, nullptr)},
        entry_{std::exchange(other.entry_, nullptr)} {}
  darc& operator=(darc other) noexcept {
    std::swap(home_, other.home_);
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~darc() { let_go(); }

  /// Make a T from `args...` on every PE. Collective; each PE may give its own arguments.
  /// Cost: one barrier.
  template <class... Args>
    requires std::constructible_from<T, Args...>
  static task<darc> create(world& of, Args... args) {
    return create_at(of, std::source_location::current(), std::move(args)...);
  }

  /// This PE's T. Requires: a handle from create() or from a message.
  T& local() const { return *static_cast<T*>(entry_->part); }
  T* operator->() const { return &local(); }
  T& operator*() const { return local(); }

  world& where() const { return home_->facade(); }
  explicit operator bool() const { return entry_ != nullptr; }

  /// Run `f(context&, T&, args...)` on PE `to`; context and T may be left out. Costs and
  /// completion as world::send.
  ///
  /// A span handler may have a static member `address(const T&, const Record&)`: what it will
  /// touch is then brought into the cache when this PE sends to itself.
  template <class F, class... Args>
  void send(detail::located_pe to, const F& f, const Args&... args) const {
    const std::uint32_t index = detail::checked(*home_, to);
    prefetch_own(f, index, args...);
    detail::send_message<T>(*home_, index, entry_->number, f, args...);
  }

  /// Run `f` on PE `to` and bring its result back. Costs and completion as world::call.
  template <class F, class... Args>
  auto call(detail::located_pe to, const F& f, const Args&... args) const {
    return detail::call_message<T>(*home_, detail::checked(*home_, to), entry_->number, f,
                                   args...);
  }

  /// send() to every PE.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) const {
    for (std::uint32_t to = 0; to < home_->size(); ++to) {
      detail::send_message<T>(*home_, to, entry_->number, f, args...);
    }
  }

  /// call() to every PE; the results are indexed by PE.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) const {
    using result = detail::call_result<F, T, Args...>;
    std::vector<reply<result>> replies;
    replies.reserve(home_->size());
    for (std::uint32_t to = 0; to < home_->size(); ++to) {
      replies.push_back(detail::call_message<T>(*home_, to, entry_->number, f, args...));
    }
    home_->flush(home_->here());
    return reply<typename detail::all_of<result>::type>{
        detail::gather_replies<result>(std::move(replies))};
  }

  /// send(split(item).to, f, split(item).record) for each item, faster than one by one.
  ///
  /// Shapes: `split(item)` gives a routed<Record>, where f is a span handler of Record. Costs
  /// and completion as world::send, per item. Requires: every `to` < size().
  template <class F, class Item, class Split>
  void send_each(F f, std::span<const Item> items, Split split) const;

  /// Run `f(T&)` while no handler of this object runs on this PE. Body only; f must not wait
  /// for this object.
  template <class F>
  void exclusive(F f) const {
    struct call {
      F* f;
      T* part;
    } state{&f, &local()};
    home_->enter_exclusively(
        *entry_,
        [](void* of) {
          auto& c = *static_cast<call*>(of);
          (*c.f)(*c.part);
        },
        &state);
  }

  // Travelling: the object's number is enough, every PE has its own part.
  template <class Archive>
  void save(Archive& to) const {
    const std::uint32_t number = entry_ == nullptr ? 0 : entry_->number;
    to(number);
    if constexpr (requires { to.bytes().note_handle(number); }) {
      if (number != 0) {
        to.bytes().note_handle(number);
      }
    }
  }
  template <class Archive>
  void load(Archive& from) {
    std::uint32_t number = 0;
    from(number);
    if constexpr (requires { from.bytes().owner(); }) {
      *this = detail::darc_access::handle<T>(
          *static_cast<detail::engine*>(from.bytes().owner()), number);
    }
  }

 private:
  friend detail::darc_access;
  darc(detail::engine* home, detail::object_entry* entry) noexcept
      : home_{home}, entry_{entry} {
    hold();
  }

  static task<darc> create_at(world& of, std::source_location where, auto... args) {
    detail::engine& home = detail::engine_of(of);
    auto entry = std::make_unique<detail::object_entry>(home.threads() > 1);
    entry->number = home.next_object_number();
    entry->part = new T(std::move(args)...);
    entry->destroy = [](void* part) { delete static_cast<T*>(part); };
    entry->type = typeid(T).name();
    if constexpr (requires { T::concurrent_handlers; }) {
      entry->concurrent = T::concurrent_handlers;
    }
    entry->releases = std::vector<std::atomic<std::uint64_t>>(home.size());
    detail::object_entry* here = entry.get();
    home.objects().insert(std::move(entry));
    darc handle{&home, here};
    co_await home.barrier(where, detail::kind_of_object(typeid(T), here->number));
    co_return handle;
  }

  template <class F, class... Args>
  void prefetch_own(const F&, [[maybe_unused]] std::uint32_t to,
                    [[maybe_unused]] const Args&... args) const {
    if constexpr (requires { F::address(std::declval<const T&>(), args...); }) {
      // Selected without a branch: which PE comes next is anybody's guess.
      const auto mine = std::uintptr_t{0} - std::uintptr_t{to == home_->me()};
      const auto wanted = reinterpret_cast<std::uintptr_t>(F::address(local(), args...));
      const auto idle = reinterpret_cast<std::uintptr_t>(this);
      __builtin_prefetch(reinterpret_cast<const void*>((wanted & mine) | (idle & ~mine)), 1);
    }
  }

  void hold() noexcept {
    if (entry_ != nullptr) {
      entry_->handles.fetch_add(1, std::memory_order_relaxed);
    }
  }
  void let_go() noexcept {
    if (entry_ != nullptr) {
      entry_->handles.fetch_sub(1, std::memory_order_release);
    }
  }

  detail::engine* home_ = nullptr;
  detail::object_entry* entry_ = nullptr;
};

template <class T>
darc<T> detail::darc_access::handle(engine& at, std::uint32_t number) {
  return number == 0 ? darc<T>{} : darc<T>{&at, &find_object(at, number, typeid(T))};
}

template <class T>
template <class F, class Item, class Split>
void darc<T>::send_each(F f, std::span<const Item> items, Split split) const {
  using record_type = decltype(split(items[0]).record);
  detail::check_handler<F, T, record_type>();
  using code = detail::handler_for<F, T, false, record_type>;
  constexpr std::size_t bytes = code::s::layout::size;
  constexpr std::size_t chunk = bytes == 0 ? 0 : std::min<std::size_t>(256, 1920 / bytes);
  constexpr std::uint32_t few = 16;  // PEs for which each chunk may reserve room everywhere
  if constexpr (code::s::fixed && chunk >= 16) {
    if (home_->size() <= few) {
      detail::lane& from = home_->here();
      const std::uint64_t key = detail::key_of<code>(entry_->number);
      const detail::run_kind kind{bytes, false, code::acknowledged};
      for (std::size_t first = 0; first < items.size(); first += chunk) {
        const auto now = items.subspan(first, std::min(chunk, items.size() - first));
        home_->prepare_room(from, key, kind, now.size() * bytes);
        detail::destination* const out = from.current;
        for (const Item& item : now) {
          const auto sorted = split(item);
          prefetch_own(f, sorted.to, sorted.record);
          std::byte* at = out[sorted.to].cursor;
          out[sorted.to].cursor = at + bytes;
          detail::write_record<typename code::s::layout>(at, f, sorted.record);
        }
      }
      return;
    }
  }
  for (const Item& item : items) {
    const auto sorted = split(item);
    prefetch_own(f, sorted.to, sorted.record);
    detail::send_message<T>(*home_, sorted.to, entry_->number, f, sorted.record);
  }
}

}  // namespace lamellar
