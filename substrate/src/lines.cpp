// SPDX-License-Identifier: BSD-3-Clause
// A lone call over one shared cache line: the request goes there, and so does its answer.
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
  on_line_[to] = slot;
  lines_in_use_.push_back(to);
  const line_front front{static_cast<std::uint16_t>(key), bytes, slot->object,
                         block->ticket_of(0)};
  std::memcpy(on.payload, &front, sizeof(front));
  return slot;
}

void engine::withdraw_call_on_line(std::uint32_t to) {
  reply_slot& slot = *std::exchange(on_line_[to], nullptr);
  std::erase(lines_in_use_, to);
  slot.on_line = false;
  answered(to);
  tally(executed_, 1, shared_);
  discard_answer(slot);
}

void engine::check_line(std::uint32_t peer) {
  reply_slot* slot = on_line_[peer];
  if (slot == nullptr) {
    return;
  }
  lamellae::line& on = *lamella_->request_line(peer);
  const std::uint32_t state = on.state.load(std::memory_order_acquire);
  if (state != line_answered && state != line_answer_elsewhere) {
    return;
  }
  on_line_[peer] = nullptr;
  *std::find(lines_in_use_.begin(), lines_in_use_.end(), peer) = lines_in_use_.back();
  lines_in_use_.pop_back();
  slot->on_line = false;
  tally(executed_, 1, shared_);
  if (state == line_answered) {
    fill(*slot, reply_slot::status::ready, {line_data(on), slot->bytes}, peer);
  }
}

bool engine::spin_for_line(reply_slot& slot) {
  // The answer is a line transfer away: look for nothing else for about that long, unless the
  // other PE asks something itself.
  const lamellae::line& mine = *lamella_->request_line(slot.peer);
  const lamellae::line* theirs = serving_lines_[slot.peer];
  // Each look takes the line away from the PE that is about to write the answer into it, so the
  // first one comes after the time that an answer needs.
  for (int pauses = 0; pauses < 4; ++pauses) {
    cpu_relax();
  }
  for (int looks = 0; looks < 50; ++looks) {
    const std::uint32_t state = mine.state.load(std::memory_order_acquire);
    if (state == line_answered || state == line_answer_elsewhere) {
      check_line(slot.peer);
      return true;
    }
    if (theirs != nullptr &&
        theirs->state.load(std::memory_order_relaxed) == line_request_made) {
      return false;
    }
  }
  return false;
}

bool engine::serve_lines(lane& here) {
  bool any = false;
  for (std::uint32_t peer = 0; peer < size_; ++peer) {
    lamellae::line* on = serving_lines_[peer];
    if (on != nullptr && on->state.load(std::memory_order_acquire) == line_request_made) {
      serve_line(here, peer, *on);
      any = true;
    }
  }
  return any;
}

void engine::watch_lines() const {
  constexpr std::uint32_t few = 8;
  if (oversubscribed_ || size_ > few) {
    return;
  }
  for (int looks = 0; looks < 16; ++looks) {
    for (const lamellae::line* on : serving_lines_) {
      if (on != nullptr && on->state.load(std::memory_order_relaxed) == line_request_made) {
        return;
      }
    }
  }
}

void engine::serve_line(lane& here, std::uint32_t peer, lamellae::line& on) {
  // A handler that waits lets others poll meanwhile: they must not find this request again. The
  // line itself is written once, with the answer; the other PE looks at it all the time.
  serving_lines_[peer] = nullptr;
  line_front request;
  std::memcpy(&request, on.payload, sizeof(request));
  execution at{*this, here, peer, source::line};
  at.on_line = &on;
  {
    handler_scope as_handler{here};
    try {
      if (request.bytes > line_argument_bytes) {
        throw corrupt_message("a lone request longer than its line");
      }
      const run_header run{request.handler, request.bytes, 1, request.object, request.answer};
      run_one(at, run, {line_data(on), request.bytes});
    } catch (const corrupt_message& e) {
      answer_error_to(here, peer, request.answer, "(none)", e.what());
    }
  }
  if (at.rest != nullptr) {
    settle(at);
  }
  serving_lines_[peer] = &on;
  on.state.store(at.answered_on_line ? line_answered : line_answer_elsewhere,
                 std::memory_order_release);
}

}  // namespace lamellar::detail
