// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/send.hpp>
#include <lamellar/substrate/heap_usage.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/spawned.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

// The world: all PEs of a job, as one of them sees it. There is one object per PE, and N of
// them in a process that runs N PEs; nothing is global.
//
// A message is a callable and its arguments. The callable is stateless (the other PE makes its
// own), an aggregate message whose members travel, or a closure wrapped in by_value(). It may
// take a context& first. If its parameters end in a span<const Record>, and it is sent one
// Record at a time, it is a span handler: it gets all like records of a buffer at once.
//
// Thread-safety: a PE's main thread, its handlers and its spawned tasks. Other threads may not.
namespace lamellar {

/// While this lives, sends of the body run no handlers and never wait: what does not fit into
/// buffers is kept, at the expense of the job's budget. Waiting still runs handlers.
class [[nodiscard]] deferred_scope {
 public:
  explicit deferred_scope(detail::lane& of) : of_{of} { ++of_.deferred; }
  ~deferred_scope() { --of_.deferred; }
  deferred_scope(const deferred_scope&) = delete;
  deferred_scope& operator=(const deferred_scope&) = delete;

 private:
  detail::lane& of_;
};

class world {
 public:
  /// Join a world. Collective. Users call lamellar::run, which makes one per PE.
  world(std::unique_ptr<lamellae::lamella> transport, const lamellae::settings& s);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // ---- who ----
  pe me() const { return pe{engine_->me()}; }
  std::uint32_t size() const { return engine_->size(); }
  /// PE number `index`. Requires: index < size().
  pe at(std::uint32_t index,
        std::source_location where = std::source_location::current()) const;
  /// Threads of this PE, the main one included.
  std::uint32_t threads() const { return engine_->threads(); }
  /// The name of the transport.
  std::string_view lamella() const;
  /// What the transport can do here.
  const lamellae::capabilities& able() const;

  /// This PE's clock, in nanoseconds from some start on; never goes back. In a simulated job it
  /// is virtual: what a program measures with it is what the cost model says.
  std::uint64_t now_ns() const { return engine_->transport().now_ns(); }

  /// What this PE's symmetric heap holds. Threads: any of this PE.
  heap_usage heap() const { return engine_->heap().usage(); }

  /// How loops over this PE's own elements may run: on its threads, where the calling thread is
  /// its main one and the process has no other PE; else on the calling thread alone.
  on_node::execution on_node() const;

  // ---- messages ----
  /// Run `f(args...)` on PE `to`, some time from now.
  ///
  /// Cost: a copy of the arguments into a buffer; no reply. Done: when wait_all() or quiesce()
  /// has returned. Not collective. Requires: `to` is a PE of this world. Throws: out_of_memory
  /// from handlers and deferred scopes, when receivers do not keep up. What the handler throws
  /// comes out of wait_all() here, or of quiesce() everywhere.
  template <class F, class... Args>
  void send(detail::located_pe to, const F& f, const Args&... args) {
    detail::send_message<void>(*engine_, detail::checked(*engine_, to), 0, f, args...);
  }

  /// Run `f(args...)` on PE `to` and bring its result back.
  ///
  /// Cost: one round trip, under way when this returns. Not collective. Requires: `to` is a PE
  /// of this world. What the handler throws comes out of get() or co_await, as remote_error.
  template <class F, class... Args>
  auto call(detail::located_pe to, const F& f, const Args&... args) {
    return detail::call_from<void>(*engine_, to.where, detail::checked(*engine_, to), 0, f,
                                   args...);
  }

  /// send() to every PE, this one included.
  template <class F, class... Args>
  void send_all(const F& f, const Args&... args) {
    for (std::uint32_t to = 0; to < size(); ++to) {
      detail::send_message<void>(*engine_, to, 0, f, args...);
    }
  }

  /// call() to every PE, this one included; the results are indexed by PE.
  template <class F, class... Args>
  auto call_all(const F& f, const Args&... args) {
    return detail::call_each<void>(
        *engine_, size(), [](std::uint32_t k) { return k; }, 0, f, args...);
  }

  // ---- order and completion ----
  /// Wait until all PEs are here. Orders nothing that messages do. Collective.
  /// Cost: one wave, below a microsecond between two PEs of a host.
  task<> barrier(std::source_location where = std::source_location::current()) {
    return engine_->barrier(where, 0);
  }

  /// Wait until every message of every PE, and every message that handlers sent meanwhile, has
  /// been handled. Collective. Cost: one wave if nothing was sent.
  ///
  /// Throws: remote_error on every PE, if handlers threw; it has the first text and the number.
  task<> quiesce(std::source_location where = std::source_location::current()) {
    return engine_->quiesce(where);
  }

  /// Wait until everything that this PE has sent and spawned is handled (not what its messages
  /// caused in turn). Not collective. Body only. Throws: remote_error, if a handler threw.
  void wait_all(std::source_location where = std::source_location::current()) {
    engine_->wait_all(where);
  }

  /// Ship what is buffered, without waiting.
  void flush() { engine_->flush(engine_->here()); }

  /// Make some progress: run handlers of what has arrived. Returns whether anything was done.
  bool poll() {
    detail::lane& here = engine_->here();
    if (here.index == 0) {
      engine_->answer_if_asked();
    }
    return engine_->progress(
        here, here.in_handler() ? detail::resume::anywhere : detail::resume::all);
  }

  /// `co_await world.yield()` lets messages and other coroutines of this PE go first.
  auto yield() { return yield_awaiter{engine_.get()}; }

  /// Start `work` now, beside what runs; on workers, if this PE has any. Counted by wait_all()
  /// and quiesce(). The result may be awaited, or dropped; what a dropped task throws comes out
  /// of wait_all() or quiesce().
  template <class T>
  spawned<T> spawn(task<T> work) {
    return spawned<T>::start(*engine_, std::move(work), nullptr);
  }

  /// Run `f(args...)` on this PE, beside what runs; on workers, if it has any. As a message to
  /// this PE, but nothing travels: f may capture, and arguments may be pointers or move-only.
  /// f may take a context& first (a coroutine: a context). Costs and completion as spawn().
  template <class F, class... Args>
  auto run_here(F f, Args... args) {
    using result = typename task_result<
        std::decay_t<typename detail::local_result<F, Args...>::type>>::type;
    return spawn(detail::run_local<result>(context{*engine_, engine_->me()}, std::move(f),
                                           std::move(args)...));
  }

  /// What this PE has done so far. All zero without LAMELLAR_STATISTICS=1. Threads: any.
  lamellar::statistics statistics() const { return engine_->read_statistics(); }

  /// See deferred_scope.
  deferred_scope defer_handlers() { return deferred_scope{engine_->here()}; }

  friend detail::engine& detail::engine_of(world& of);

 private:
  struct yield_awaiter {
    detail::engine* at;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const {
      detail::teach_home(self, at);
      at->resume_later(self, detail::running_place(*at));
    }
    void await_resume() const noexcept {}
  };

  std::unique_ptr<detail::engine> engine_;
};

namespace detail {
inline engine& engine_of(world& of) { return *of.engine_; }
}  // namespace detail

}  // namespace lamellar
