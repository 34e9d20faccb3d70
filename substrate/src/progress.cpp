// SPDX-License-Identifier: BSD-3-Clause
// Who polls, who waits, and where coroutines go on.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/group_count.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/reply.hpp>
#include <utility>

#include "faults.hpp"
#include "waiting.hpp"

namespace lamellar::detail {

namespace {

constexpr std::uint32_t deepest_wait = 64;
}  // namespace

bool engine::poll_messages(lane& here) {
  bool any = false;
  if (threads_ == 1) {
    any = serve_lines(here);
    if (next_found_ == end_found_) {
      next_found_ = 0;
      end_found_ = lamella_->poll(found_, accepts_bodies());
    }
    if (transfers_count_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      any |= look_at_transfers();
    }
    while (next_found_ != end_found_) {
      any = true;
      const lamellae::in_buffer next = found_[next_found_++];
      execute_arrived(here, next);
    }
    return any;
  }
  std::array<lamellae::in_buffer, buffers_per_poll> arrived;
  std::uint32_t found = 0;
  // One thread polls; what it finds beyond the first buffer is there for all.
  if (poll_lock_.try_lock()) {
    any = serve_lines(here);
    release_lock_.lock();
    found = lamella_->poll(arrived, accepts_bodies());
    release_lock_.unlock();
    if (found > 1) {
      arrived_lock_.lock();
      arrived_.insert(arrived_.end(), arrived.begin() + 1, arrived.begin() + found);
      arrived_lock_.unlock();
    }
    poll_lock_.unlock();
    if (transfers_count_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      any |= look_at_transfers();
    }
    if (found != 0) {
      execute_arrived(here, arrived[0]);
      return true;
    }
  }
  arrived_lock_.lock();
  const bool got = !arrived_.empty();
  if (got) {
    arrived[0] = arrived_.front();
    arrived_.pop_front();
  }
  arrived_lock_.unlock();
  if (got) {
    execute_arrived(here, arrived[0]);
  }
  return any || got;
}

void engine::resume_after_transfer(const lamellae::transfer* of, std::coroutine_handle<> what) {
  transfers_lock_.lock();
  transfers_.push_back({of, what, running_place(*this)});
  transfers_lock_.unlock();
  tally(transfers_count_, 1, shared_);
}

bool engine::look_at_transfers() {
  std::size_t resumed = 0;
  transfers_lock_.lock();
  for (std::size_t k = 0; k < transfers_.size();) {
    const awaited_transfer one = transfers_[k];
    if (one.of != nullptr && one.of->pending.load(std::memory_order_acquire) != 0) {
      ++k;
      continue;
    }
    resume_later(one.waiting, one.where);
    transfers_[k] = transfers_.back();
    transfers_.pop_back();
    ++resumed;
  }
  transfers_lock_.unlock();
  tally(transfers_count_, 0 - resumed, shared_);
  return resumed != 0;
}

bool engine::waited_in_vain() {
  constexpr std::uint64_t long_ns = 1'000'000;
  const std::uint64_t now = lamella_->now_ns();
  const std::uint64_t ended = resumed_.load(std::memory_order_relaxed);
  if (ended == ended_before_.load(std::memory_order_relaxed) &&
      now - ended_at_ns_.load(std::memory_order_relaxed) >= long_ns) {
    ended_at_ns_.store(now, std::memory_order_relaxed);  // a few more, then wait again
    return true;
  }
  if (ended != ended_before_.load(std::memory_order_relaxed)) {
    ended_before_.store(ended, std::memory_order_relaxed);
    ended_at_ns_.store(now, std::memory_order_relaxed);
  }
  return false;
}

void engine::serve_suspended(lane& here) {
  // A handler ends some steps after what it waits for has come. Where others use the core, each
  // step may take as long as waiting in vain does: give it these steps first.
  constexpr std::uint32_t steps_to_end = 8;
  waiting patience{*this, here, "coroutine handlers to end: there are many"};
  for (std::uint32_t steps = 0; many_suspended(); ++steps) {
    if (steps >= steps_to_end && waited_in_vain()) return;
    if (progress(here, resume::anywhere)) {
      patience.reset();
    } else {
      patience.pause();
    }
  }
}

bool engine::run_own_queue(lane& here) {
  // As many as are there now: what these send to this PE itself waits for the next step.
  std::size_t left = own_queued_.load(std::memory_order_acquire);
  bool any = false;
  for (; left != 0; --left) {
    own_lock_.lock();
    if (own_queue_.empty()) {
      own_lock_.unlock();
      break;
    }
    const self_buffer next = own_queue_.front();
    own_queue_.pop_front();
    own_lock_.unlock();
    tally(own_queued_, ~std::uint64_t{0}, shared_);
    execute_copy(here, {next.data, next.bytes}, me_, source::self);
    tally(private_bytes_, 0 - memory_of(next), shared_);
    if (next.pooled) {
      blocks_.give_back(next.data);
    } else {
      ::operator delete (next.data, std::align_val_t{64});
    }
    any = true;
  }
  return any;
}

void engine::resume_later(std::coroutine_handle<> what, place where) {
  ready_lock_.lock();
  (where == place::main ? ready_main_ : ready_anywhere_).push_back(what);
  ready_lock_.unlock();
  tally(ready_count_, 1, shared_);
}

bool engine::resume_ready(lane& here, resume what) {
  bool any = false;
  const auto take = [this](std::deque<std::coroutine_handle<>>& from) {
    std::coroutine_handle<> next;
    ready_lock_.lock();
    if (!from.empty()) {
      next = from.front();
      from.pop_front();
    }
    ready_lock_.unlock();
    if (next) {
      tally(ready_count_, ~std::uint64_t{0}, shared_);
    }
    return next;
  };
  // As many of each as are there now, so that a task which yields lets messages and the body
  // through.
  ready_lock_.lock();
  std::size_t anywhere = ready_anywhere_.size();
  std::size_t main = what == resume::all && here.index == 0 ? ready_main_.size() : 0;
  ready_lock_.unlock();
  for (; anywhere != 0; --anywhere) {
    const std::coroutine_handle<> next = take(ready_anywhere_);
    if (!next) {
      break;
    }
    handler_scope as_handler{here};
    resume_step(here, next);
    any = true;
  }
  for (; main != 0; --main) {
    const std::coroutine_handle<> next = take(ready_main_);
    if (!next) {
      break;
    }
    next.resume();
    any = true;
  }
  return any;
}

bool engine::progress(lane& here, resume what) {
  bool any = false;
  if (here.index == 0) {
    for (std::size_t k = lines_in_use_.size(); k != 0; --k) {
      check_line(lines_in_use_[std::min(k, lines_in_use_.size()) - 1]);
      if (lines_in_use_.empty()) {
        break;
      }
    }
  }
  any = poll_messages(here);
  if (own_queued_.load(std::memory_order_relaxed) != 0) {
    any |= run_own_queue(here);
  }
  if (ready_count_.load(std::memory_order_relaxed) != 0) {
    any |= resume_ready(here, what);
  }
  if (what == resume::all && !after_poll_.empty()) {
    // These test something and wait again: that is not work.
    std::size_t left = after_poll_.size();
    for (std::size_t k = 0; k < left; ++k) {
      after_poll_[k].resume();  // may append
    }
    after_poll_.erase(after_poll_.begin(),
                      after_poll_.begin() + static_cast<std::ptrdiff_t>(left));
  }
  if (waiting_boxes_.load(std::memory_order_relaxed) != 0) {
    any |= drain_all();
  }
  if (!here.open[static_cast<std::size_t>(lamellae::traffic::handler)].empty()) {
    flush(here, lamellae::traffic::handler);
  }
  return any;
}

void engine::wait_for_reply(reply_slot& slot, std::source_location where) {
  if (slot.on_line && !oversubscribed_ && spin_for_line(slot) && is_answered(slot)) {
    return;
  }
  wait_until([](void* of) { return is_answered(*static_cast<reply_slot*>(of)); }, &slot,
             "the reply to a call", where);
}

void engine::wait_until(bool (*holds)(void*), void* state, const char* what,
                        std::source_location where) {
  lane& on = here();
  if (holds(state)) {
    return;
  }
  if (on.depth > deepest_wait) {
    misuse(this,
           fmt::format("{} handlers wait inside each other (the innermost for {}); make "
                       "the handler a coroutine that awaits instead",
                       on.depth, what),
           where);
  }
  if (settings_.warnings && on.in_handler()) {
    warn(warning::blocking_handler,
         fmt::format(
             "a handler blocks for {} ({}:{}); others run on top of it meanwhile. Make it "
             "a coroutine that awaits",
             what, where.file_name(), where.line()));
  }
  const resume may = on.in_handler() ? resume::anywhere : resume::all;
  flush(on);
  waiting patience{*this, on, what, where};
  while (!holds(state)) {
    const bool any = progress(on, may);
    if (!has(fault::missing_flush)) flush(on);
    if (any) {
      patience.reset();
    } else {
      patience.pause();
      watch_lines();
    }
  }
}

bool engine::all_handled_by(const member_list& others) {
  // In the order in which work moves on: from tasks into buffers that are being filled, from
  // there into queues, from there to the lamella. What is not seen at one place is then seen at
  // a later one.
  if (tasks_.load(std::memory_order_acquire) != 0 ||
      filling_.load(std::memory_order_acquire) != 0 || !lines_in_use_.empty() ||
      own_executed_.load(std::memory_order_acquire) !=
          own_sent_.load(std::memory_order_acquire) ||
      acknowledgements_.load(std::memory_order_acquire) !=
          acknowledgements_due_.load(std::memory_order_acquire)) {
    return false;
  }
  std::uint64_t failed = 0;
  for (std::uint32_t k = 0; k < others.size(); ++k) {
    const std::uint32_t peer = others.at(k);
    if (unanswered_[peer].load(std::memory_order_acquire) != 0) {
      return false;
    }
    if (peer == me_) {
      continue;
    }
    peer_box& box = boxes_[peer];
    box.lock.lock();
    const bool queued = !box.waiting[0].empty() || !box.waiting[1].empty();
    const lamellae::delivery d = lamella_->delivered(peer);
    box.lock.unlock();
    if (queued || d.posted != d.handled) {
      return false;
    }
    failed += d.failed;
  }
  // Every failed buffer is followed by one report.
  return reports_.load(std::memory_order_acquire) >= failed;
}

void engine::wait_all(std::source_location where) {
  if (here().in_handler()) {
    misuse(this,
           "wait_all() in a handler: it would wait for the handler itself; await the "
           "replies that you need instead",
           where);
  }
  flush(here());  // what is still being filled counts as sent
  wait_until(
      [](void* of) {
        auto& self = *static_cast<engine*>(of);
        return self.all_handled_by(self.all_pes_.members);
      },
      this, "all messages that this PE has sent", where);
  throw_failures();
}

void engine::throw_failures() {
  const failure_log log = take_failures();
  if (log.count != 0) {
    throw remote_error(log.first.on, log.first.handler, log.first.text, log.count);
  }
}

void spawned_task_ended(engine& at, group_count* group) noexcept {
  if (group != nullptr) {
    group->end();
  }
  at.task_ended();
}

void no_such_task() {
  misuse(nullptr,
         "a task (or reply) was awaited that is empty: it was moved away or used before");
}

place running_place(engine& at) {
  const lane& on = at.here();
  return on.index == 0 && !on.in_handler() ? place::main : place::anywhere;
}

void resume_later(engine& at, std::coroutine_handle<> what, place where) {
  at.resume_later(what, where);
}

void wait_until(engine& at, bool (*holds)(void*), void* state, const char* what,
                std::source_location where) {
  at.wait_until(holds, state, what, where);
}

}  // namespace lamellar::detail
