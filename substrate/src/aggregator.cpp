// SPDX-License-Identifier: BSD-3-Clause
// Records into buffers, buffers to the lamella, and what waits for credit meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <memory>
#include <new>

#include "faults.hpp"
#include "waiting.hpp"

namespace lamellar::detail {

using lamellae::traffic;

namespace {

/// At most so many blocks of reply slots (a million calls) before a body's call waits.
constexpr std::uint32_t reply_blocks_before_waiting = 1u << 14;

/// Copy into memory that a peer has read last: ask for all its lines before the first store.
void copy_to_peer(std::byte* to, std::span<const std::byte> what) {
  if (what.size() > 4 * lamellae::cache_line) {
    for (std::size_t at = 0; at < what.size(); at += lamellae::cache_line) {
      __builtin_prefetch(to + at, 1);
    }
  }
  std::memcpy(to, what.data(), what.size());
}

}  // namespace

void engine::open_run(lane& from, std::uint32_t to, std::uint64_t key, run_kind kind,
                      std::size_t first_record) {
  destination* d = &from.current[to];
  const bool full_of_empty = d->key != destination::no_run && d->kind.record_bytes == 0 &&
                             d->count == most_empty_records;
  close_run(*d);
  const std::size_t needed = sizeof(run_header) + first_record;
  if (d->start != nullptr) {
    d->cursor = d->start + round_up_8(static_cast<std::size_t>(d->cursor - d->start));
    if (d->cursor + needed > d->limit || full_of_empty) {
      ship(from, to);
      if (to != me_ && may_wait(from)) {
        // A body gives its peers some of its time whenever a buffer is full, not only when it
        // finds no credit: otherwise two PEs that send to each other work in turns.
        progress(from, resume::anywhere);
      }
    }
  }
  if (d->start == nullptr) {
    open_buffer(from, to);
  }
  if (kind.call) {
    d->block = replies_.take();
    d->block->handler = static_cast<std::uint16_t>(key);
    d->extra = d->block->ticket_of(0);
  } else {
    d->extra = 0;
  }
  if (d->cursor == d->start) {
    // A buffer counts from its first record on, not from when it is shipped: what a handler has
    // sent must be known before the handler counts as done, or a quiesce could end in between.
    if (!has(fault::lost_count) || !from.in_handler() || next_found_ == end_found_) {
      tally(sent_, 1, shared_);
    }
    if (shared_) {
      filling_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  d->run = d->cursor;
  d->cursor += sizeof(run_header);
  d->key = key;
  d->kind = kind;
  d->count = 0;
}

void engine::close_run(destination& d) {
  if (d.key == destination::no_run) {
    return;
  }
  const auto written = static_cast<std::size_t>(d.cursor - d.run) - sizeof(run_header);
  const bool counted =
      d.kind.record_bytes == 0 || d.kind.record_bytes == variable_record || d.count != 0;
  const auto count =
      counted ? d.count : static_cast<std::uint32_t>(written / d.kind.record_bytes);
  run_header header;
  header.handler = static_cast<std::uint16_t>(d.key);
  header.record_bytes = d.kind.record_bytes;
  header.count = count;
  header.object = static_cast<std::uint32_t>(d.key >> 16);
  header.extra = d.extra;
  std::memcpy(d.run, &header, sizeof(header));
  if (d.kind.acknowledged) {
    tally(acknowledgements_due_, count, shared_);
  }
  count_run(header.handler);
  if (d.block != nullptr) {
    replies_.drop(*d.block);
    d.block = nullptr;
  }
  d.key = destination::no_run;
}

void engine::open_buffer(lane& from, std::uint32_t to) {
  const traffic kind = from.sending_as();
  destination& d = from.current[to];
  d.start = take_block(from);
  d.cursor = d.start;
  d.limit = d.start + (to == me_ ? own_capacity_ : buffer_capacity_);
  if (!d.listed) {
    d.listed = true;
    from.open[static_cast<std::size_t>(kind)].push_back(to);
  }
}

std::byte* engine::take_block(lane& from) {
  if (!may_wait(from) && !from.exempt &&
      private_bytes_.load(std::memory_order_relaxed) + buffer_capacity_ > budget_) {
    throw out_of_memory(fmt::format(
        "PE {}: messages sent by handlers or with handlers deferred wait for their receivers "
        "and fill this PE's share of the job's budget, {} MiB; raise LAMELLAR_JOB_BUDGET, or "
        "let receivers keep up",
        me_, budget_ >> 20));
  }
  return blocks_.take();
}

void engine::ship(lane& from, std::uint32_t to, traffic kind) {
  destination& d = from.out[static_cast<std::size_t>(kind)][to];
  if (d.start == nullptr) {
    return;
  }
  close_run(d);
  const auto bytes = static_cast<std::size_t>(d.cursor - d.start);
  if (bytes == 0) {
    return;
  }
  if (to == me_) {
    ship_to_self(from, d, kind, bytes);
  } else {
    ship_to_peer(from, d, to, kind, bytes);
  }
  if (shared_) {
    filling_.fetch_sub(1, std::memory_order_release);
  }
}

void engine::ship_to_peer(lane& from, destination& d, std::uint32_t to, traffic kind,
                          std::size_t bytes) {
  // The block is private, and copied when it is full: records are many short stores, and each
  // would wait for a line that the receiver still holds. A copy fetches such lines side by
  // side.
  if (post_block(to, kind, {d.start, bytes})) {
    d.cursor = d.start;
    return;
  }
  if (kind == traffic::body && may_wait(from)) {
    waiting patience{*this, from, "room for what it sends", {}, to};
    while (!post_block(to, kind, {d.start, bytes})) {
      if (progress(from, resume::anywhere)) {
        patience.reset();
      } else {
        patience.pause();
      }
    }
    d.cursor = d.start;
    return;
  }
  keep_waiting(to, kind, {d.start, bytes});
  d.start = d.cursor = d.limit = nullptr;
}

bool engine::post_block(std::uint32_t to, traffic kind, std::span<const std::byte> what) {
  peer_box& box = boxes_[to];
  box.lock.lock();
  bool posted = false;
  if (box.waiting[static_cast<std::size_t>(kind)].empty()) {
    if (const lamellae::out_buffer room = lamella_->acquire(to, kind); room) {
      copy_to_peer(room.data, what);
      lamella_->post(to, kind, static_cast<std::uint32_t>(what.size()), 0);
      if (counted_ != nullptr) [[unlikely]] {
        count_buffer(to, what);
      }
      posted = true;
    }
  }
  box.lock.unlock();
  return posted;
}

void engine::keep_waiting(std::uint32_t to, traffic kind, outgoing what) {
  peer_box& box = boxes_[to];
  auto& waiting = box.waiting[static_cast<std::size_t>(kind)];
  box.lock.lock();
  if (waiting.empty()) {
    tally(waiting_boxes_, 1, shared_);
  }
  waiting.push_back(what);
  box.lock.unlock();
  tally(private_bytes_, what.bytes, shared_);
  if (kind == traffic::handler) {
    tally(handler_bytes_, what.bytes, shared_);
  }
}

void engine::ship_to_self(lane& from, destination& d, traffic kind, std::size_t bytes) {
  tally(own_sent_, 1, shared_);
  if (counted_ != nullptr) [[unlikely]] {
    count_buffer(me_, {d.start, bytes});
  }
  std::byte* start = d.start;
  d.start = d.cursor = d.limit = nullptr;
  if (threads_ == 1 && kind == traffic::body && may_wait(from)) {
    execute_copy(from, {start, bytes}, me_, source::self);
    blocks_.give_back(start);
    serve_suspended(from);
    return;
  }
  queue_to_self(from, {start, bytes, true});
}

void engine::queue_to_self(lane& from, const self_buffer& what) {
  tally(private_bytes_, memory_of(what), shared_);
  own_lock_.lock();
  own_queue_.push_back(what);
  own_lock_.unlock();
  tally(own_queued_, 1, shared_);
  if (!may_wait(from)) {
    return;
  }
  if (threads_ == 1) {
    run_own_queue(from);
  } else {
    // Workers take their share; a body that is faster than all of them helps.
    waiting patience{*this, from, "its own workers"};
    while (own_queued_.load(std::memory_order_relaxed) > 8 * threads_) {
      if (!run_own_queue(from)) {
        patience.pause();
      }
    }
  }
  serve_suspended(from);
}

void engine::flush(lane& from, traffic kind) {
  auto& peers = from.open[static_cast<std::size_t>(kind)];
  // Shipping to this PE itself runs handlers, which may open buffers of their own class only.
  // One that sends to its own PE again and again must not keep away what comes from others: its
  // buffer goes once, and what has been opened since waits for the next turn.
  bool own_has_gone = false;
  bool own_waits = false;
  bool others_have_gone = false;
  while (!peers.empty()) {
    const std::uint32_t to = peers.back();
    peers.pop_back();
    if (to == me_ && own_has_gone) {
      own_waits = true;
      continue;
    }
    own_has_gone |= to == me_;
    others_have_gone |= to != me_;
    from.out[static_cast<std::size_t>(kind)][to].listed = false;
    ship(from, to, kind);
    destination& d = from.out[static_cast<std::size_t>(kind)][to];
    if (d.start != nullptr && !d.listed) {
      blocks_.give_back(d.start);
      d.start = d.cursor = d.limit = nullptr;
    }
  }
  if (own_waits) peers.push_back(me_);
  if (others_have_gone) lamella_->flush();
}

bool engine::post_one(std::uint32_t to, traffic kind, outgoing& what) {
  if (what.message == 0 || what.flags == offer_flag) {
    const lamellae::out_buffer room = lamella_->acquire(to, kind);
    if (!room) {
      return false;
    }
    copy_to_peer(room.data, {what.data, what.bytes});
    lamella_->post(to, kind, static_cast<std::uint32_t>(what.bytes), what.flags);
    if (counted_ != nullptr) [[unlikely]] {
      if (what.flags == offer_flag) {
        count_offer(to, what);
      } else {
        count_buffer(to, {what.data, what.bytes});
      }
    }
    return true;
  }
  while (what.sent < what.bytes) {
    const lamellae::out_buffer room = lamella_->acquire(to, kind);
    if (!room) {
      return false;
    }
    const fragment_header header{what.message, what.bytes, what.sent};
    const std::size_t piece =
        std::min(what.bytes - what.sent, room.capacity - sizeof(fragment_header));
    std::memcpy(room.data, &header, sizeof(header));
    std::memcpy(room.data + sizeof(header), what.data + what.sent, piece);
    lamella_->post(to, kind, static_cast<std::uint32_t>(sizeof(header) + piece), fragment_flag);
    if (counted_ != nullptr) [[unlikely]] {
      run_header run;
      std::memcpy(&run, what.data, sizeof(run));
      count_fragment(to, piece, what.sent == 0 ? &run : nullptr);
    }
    what.sent += piece;
  }
  return true;
}

void engine::discard(const outgoing& what) {
  if (what.message == 0 && what.flags == 0) {
    blocks_.give_back(what.data);
  } else {
    ::operator delete (what.data, std::align_val_t{64});
  }
}

bool engine::drain(std::uint32_t to, traffic kind) {
  peer_box& box = boxes_[to];
  auto& waiting = box.waiting[static_cast<std::size_t>(kind)];
  if (!box.lock.try_lock()) {
    return false;
  }
  bool any = false;
  while (!waiting.empty()) {
    const std::size_t before = waiting.front().sent;
    const bool whole = post_one(to, kind, waiting.front());
    any = any || whole || waiting.front().sent != before;
    if (!whole) {
      break;
    }
    tally(private_bytes_, 0 - (waiting.front().bytes), shared_);
    if (kind == traffic::handler) {
      tally(handler_bytes_, 0 - (waiting.front().bytes), shared_);
    }
    discard(waiting.front());
    waiting.pop_front();
    if (waiting.empty()) {
      tally(waiting_boxes_, ~0u, shared_);
    }
  }
  box.lock.unlock();
  return any;
}

bool engine::drain_all() {
  bool any = false;
  for (std::uint32_t to = 0; to < size_ && waiting_boxes_.load(std::memory_order_relaxed) != 0;
       ++to) {
    if (to != me_) {
      any |= drain(to, traffic::handler);
      any |= drain(to, traffic::body);
    }
  }
  if (any) lamella_->flush();
  return any;
}

std::byte* engine::append_variable(lane& from, std::uint32_t to, std::uint64_t key,
                                   std::size_t bytes, bool acknowledged) {
  destination& d = from.current[to];
  const std::size_t whole = variable_bytes(bytes);
  if (d.key != key || static_cast<std::size_t>(d.limit - d.cursor) < whole) {
    open_run(from, to, key, {variable_record, false, acknowledged}, whole);
  }
  std::byte* at = d.cursor;
  d.cursor += whole;
  ++d.count;
  const std::uint64_t length = bytes;
  std::memcpy(at, &length, sizeof(length));
  return at + sizeof(length);
}

std::pair<std::byte*, reply_slot*> engine::append_variable_call(lane& from, std::uint32_t to,
                                                                std::uint64_t key,
                                                                std::size_t bytes,
                                                                const call_terms& terms) {
  destination& d = from.current[to];
  const std::size_t whole = variable_bytes(bytes);
  if (d.key != key || d.count == reply_block::slots ||
      static_cast<std::size_t>(d.limit - d.cursor) < whole) {
    wait_for_reply_space(from);
    open_run(from, to, key, {variable_record, true, false}, whole);
  }
  std::byte* at = d.cursor;
  d.cursor += whole;
  const std::uint64_t length = bytes;
  std::memcpy(at, &length, sizeof(length));
  return {at + sizeof(length), hand_out_slot(d, to, key, terms)};
}

void engine::withdraw(lane& from, std::uint32_t to, std::size_t bytes, bool counted) {
  destination& d = from.current[to];
  d.cursor -= bytes;
  d.count -= counted;
}

void engine::withdraw_call(lane& from, std::uint32_t to, std::size_t bytes, reply_slot& slot) {
  withdraw(from, to, bytes, true);
  slot.state.store(reply_slot::status::free, std::memory_order_relaxed);
  replies_.drop(reply_block::of(&slot));
}

void engine::wait_for_reply_space(lane& from) {
  if (!may_wait(from) || replies_.in_use() < reply_blocks_before_waiting) {
    return;
  }
  flush(from);
  waiting patience{*this, from, "replies: very many are outstanding"};
  // Answers that have come but were not looked at still hold their slots: wait for calls that
  // are under way, not for slots.
  while (unanswered_total_.load(std::memory_order_acquire) >
         std::uint64_t{reply_blocks_before_waiting} * 8) {
    if (progress(from, resume::anywhere)) {
      patience.reset();
    } else {
      patience.pause();
    }
  }
}

void engine::prepare_room(lane& from, std::uint64_t key, run_kind kind, std::size_t bytes) {
  for (std::uint32_t to = 0; to < size_; ++to) {
    const destination& d = from.current[to];
    if (d.key != key || static_cast<std::size_t>(d.limit - d.cursor) < bytes) {
      open_run(from, to, key, kind, bytes);
    }
  }
}

}  // namespace lamellar::detail
