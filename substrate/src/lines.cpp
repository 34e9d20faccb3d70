// SPDX-License-Identifier: BSD-3-Clause
// A lone call over two shared cache lines: one for the request, one for its answer.
#include <algorithm>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/error.hpp>
#include <utility>

#include "backoff.hpp"

namespace lamellar::detail {

reply_slot* engine::begin_call_on_line(lamellae::line& on, std::uint32_t to, std::uint64_t key,
                                       std::uint16_t bytes, std::uint32_t bytes_of_answer,
                                       const call_terms& terms) {
  reply_block* block = replies_.take();
  reply_slot* slot = &block->slot[0];
  block->handler = static_cast<std::uint16_t>(key);
  slot->begin(to, static_cast<std::uint32_t>(key >> 16), terms);
  slot->bytes = bytes_of_answer;
  slot->on_line = true;
  tally(unanswered_[to], 1, shared_);
  tally(unanswered_total_, 1, shared_);
  tally(sent_, 1, shared_);
  count_run(static_cast<std::uint16_t>(key));
  lines_[to].call = slot;
  lines_in_use_.push_back(to);
  const line_front front{static_cast<std::uint16_t>(key), bytes, slot->object,
                         block->ticket_of(0)};
  std::memcpy(on.request.payload, &front, sizeof(front));
  return slot;
}

void engine::withdraw_call_on_line(std::uint32_t to) {
  reply_slot& slot = *std::exchange(lines_[to].call, nullptr);
  std::erase(lines_in_use_, to);
  slot.on_line = false;
  answered(to);
  tally(executed_, 1, shared_);
  discard_answer(slot);
}

void engine::check_line(std::uint32_t peer) {
  peer_line& line = lines_[peer];
  if (line.call == nullptr || !line.is_answered()) {
    return;
  }
  reply_slot& slot = *std::exchange(line.call, nullptr);
  *std::find(lines_in_use_.begin(), lines_in_use_.end(), peer) = lines_in_use_.back();
  lines_in_use_.pop_back();
  slot.on_line = false;
  tally(executed_, 1, shared_);
  if (line.out->answer.state.load(std::memory_order_relaxed) == 2 * line.asked) {
    fill(slot, reply_slot::status::ready, {line.out->answer.payload, slot.bytes}, peer);
  }
}

bool engine::spin_for_line(reply_slot& slot) {
  // The answer is two line transfers away: look for nothing else for about that long, unless
  // the other PE asks something itself.
  const peer_line& line = lines_[slot.peer];
  for (int looks = 0; looks < 200; ++looks) {
    if (line.is_answered()) {
      check_line(slot.peer);
      return true;
    }
    if (line.is_asked()) {
      return false;
    }
  }
  return false;
}

bool engine::serve_lines(lane& here) {
  bool any = false;
  for (std::uint32_t peer = 0; peer < size_; ++peer) {
    if (lines_[peer].is_asked()) {
      serve_line(here, peer);
      any = true;
    }
  }
  return any;
}

void engine::watch_lines() {
  constexpr std::uint32_t few = 8;
  if (oversubscribed_ || size_ > few) {
    return;
  }
  const std::uint32_t expected = expected_requests_.load(std::memory_order_relaxed);
  for (int looks = expected != 0 ? 128 : 16; looks != 0; --looks) {
    for (const peer_line& line : lines_) {
      if (line.is_asked()) {
        return;
      }
    }
  }
  if (expected != 0) expected_requests_.store(expected - 1, std::memory_order_relaxed);
}

void engine::serve_line(lane& here, std::uint32_t peer) {
  // A handler that waits lets others poll meanwhile: they must not find this request again.
  lamellae::line& on = *lines_[peer].in;
  const std::uint32_t number = on.request.state.load(std::memory_order_relaxed);
  lines_[peer].served.store(number, std::memory_order_relaxed);
  expected_requests_.store(16, std::memory_order_relaxed);
  line_front request;
  std::memcpy(&request, on.request.payload, sizeof(request));
  execution at{*this, here, peer, source::line};
  at.on_line = &on;
  {
    handler_scope as_handler{here};
    try {
      if (request.bytes > line_argument_bytes) {
        throw corrupt_message("a lone request longer than its line");
      }
      const run_header run{request.handler, request.bytes, 1, request.object, request.answer};
      run_one(at, run, {line_arguments(on), request.bytes});
    } catch (const corrupt_message& e) {
      answer_error_to(here, peer, request.answer, "(none)", e.what());
    }
  }
  if (at.rest != nullptr) {
    settle(at);
  }
  on.answer.state.store(2 * number + static_cast<std::uint32_t>(!at.answered_on_line),
                        std::memory_order_release);
}

}  // namespace lamellar::detail
