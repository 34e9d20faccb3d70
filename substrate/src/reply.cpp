// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/reply.hpp>
#include <string>

namespace lamellar::detail {

bool is_answered(const reply_slot& slot) {
  const reply_slot::status state = slot.state.load(std::memory_order_acquire);
  return state == reply_slot::status::ready || state == reply_slot::status::failed;
}

namespace {

void check_wait(engine& at, const reply_slot& slot, std::source_location where) {
  if (slot.object == 0 || slot.peer.load(std::memory_order_relaxed) != at.me()) {
    return;
  }
  const std::vector<object_entry*>& serving = at.here().serving;
  const bool mine =
      std::any_of(serving.begin(), serving.end(),
                  [&](const object_entry* object) { return object->number == slot.object; });
  if (mine) {
    misuse(&at,
           "a handler of a distributed object waits for another handler of the same object on "
           "this PE, which runs only when it has ended; make it a coroutine, or do the work "
           "directly",
           where);
  }
}

}  // namespace

std::string place_of_call(std::source_location where) {
  return where.line() == 0 ? std::string{}
                           : fmt::format(" (called at {}:{})", where.file_name(), where.line());
}

void wait_for_reply(reply_slot& slot, std::source_location where) {
  engine& home = *reply_block::of(&slot).home;
  check_wait(home, slot, where);
  home.wait_for_reply(slot, where);
}

void discard_answer(reply_slot& slot) noexcept {
  reply_block::of(&slot).home->discard_answer(slot);
}

void drop_reply(reply_slot& slot) noexcept {
  const bool shared = reply_block::of(&slot).shared;
  engine& home = *reply_block::of(&slot).home;
  const std::uint16_t handler = reply_block::of(&slot).handler;
  auto expected = reply_slot::status::pending;
  // Once it is let go somebody else may have the slot.
  const bool pending = slot.state.load(std::memory_order_relaxed) == expected;
  const std::source_location where =
      pending ? std::source_location{slot.called_at} : std::source_location{};
  if (replace(slot.state, expected, reply_slot::status::abandoned, shared)) {
    if (home.warns() && !home.name_of_handler(handler).starts_with("lamellar::")) [[unlikely]] {
      home.warn(
          engine::warning::dropped_reply,
          fmt::format("the answer to a call of {}{} is not wanted; use send(), which costs no "
                      "answer",
                      home.name_of_handler(handler), place_of_call(where)));
    }
  } else {
    if (expected == reply_slot::status::awaited) {
      // The coroutine that awaited it is being destroyed: nobody is to be resumed.
      if (replace(slot.state, expected, reply_slot::status::abandoned, shared)) {
        return;
      }
    }
    discard_answer(slot);
  }
}

failure failure_in(const reply_slot& slot) {
  const std::byte* at = slot.heap;
  const auto text = [&at] {
    std::uint32_t n = 0;
    std::memcpy(&n, at, sizeof(n));
    std::string s(reinterpret_cast<const char*>(at + sizeof(n)), n);
    at += sizeof(n) + n;
    return s;
  };
  std::string handler = text();
  std::string what = text();
  return {slot.peer.load(std::memory_order_relaxed), std::move(handler), std::move(what)};
}

void throw_remote(const reply_slot& slot) {
  const failure one = failure_in(slot);
  throw remote_error(one.on, one.handler, one.text);
}

}  // namespace lamellar::detail
