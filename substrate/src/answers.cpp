// SPDX-License-Identifier: BSD-3-Clause
// Answers: from handlers into buffers, and from buffers into the slots that wait for them.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/group_count.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/reply.hpp>
#include <optional>
#include <vector>

#include "faults.hpp"

namespace lamellar::detail {

using lamellae::traffic;

namespace {

/// Whether encode_text() can have made this; throw_remote() reads it without a check.
bool holds_two_texts(std::span<const std::byte> bytes) {
  if (bytes.size() <= reply_slot::room) {
    return false;
  }
  for (int text = 0; text < 2; ++text) {
    std::uint32_t n = 0;
    if (bytes.size() < sizeof(n)) {
      return false;
    }
    std::memcpy(&n, bytes.data(), sizeof(n));
    if (n > bytes.size() - sizeof(n)) {
      return false;
    }
    bytes = bytes.subspan(sizeof(n) + n);
  }
  return true;
}

void encode_text(std::string& into, std::string_view text) {
  const auto n = static_cast<std::uint32_t>(text.size());
  into.append(reinterpret_cast<const char*>(&n), sizeof(n));
  into.append(text);
}

}  // namespace

void engine::fill(reply_slot& slot, reply_slot::status how, std::span<const std::byte> bytes,
                  std::uint32_t by) {
  slot.bytes = static_cast<std::uint32_t>(bytes.size());
  if (bytes.size() > reply_slot::room) {
    slot.heap = new std::byte[bytes.size()];
  }
  if (!bytes.empty()) {
    std::memcpy(bytes.size() > reply_slot::room ? slot.heap : slot.data, bytes.data(),
                bytes.size());
  }
  const std::uint32_t peer = slot.peer.load(std::memory_order_relaxed);
  slot.peer.store(by, std::memory_order_relaxed);
  group_count* const group = slot.group;
  const reply_slot::status before = swap_in(slot.state, how, shared_);
  if (before == reply_slot::status::awaited) {
    resume_later(slot.waiting, slot.where);
  } else if (before == reply_slot::status::abandoned) {
    if (group != nullptr && how == reply_slot::status::failed) {
      group->failed(failure_in(slot));
    }
    discard_answer(slot);
  }
  answered(peer);
  if (group != nullptr) {
    group->end();
  }
}

reply_slot* engine::slot_answered_here(ticket t) {
  reply_slot* slot = replies_.find(t);
  while (slot != nullptr && slot->on_line) {  // the line says so too, any moment now
    check_line(slot->peer.load(std::memory_order_relaxed));
  }
  return slot;
}

bool engine::hold_all(const listed_handles& list, std::string& why) {
  for (std::uint32_t k = 0; k < list.objects(); ++k) {
    if (objects_.find(list.object(k)) == nullptr) {
      why =
          "the answer holds a handle of an object of which this PE has no part: of a team "
          "without it, or one that is gone";
      return false;
    }
  }
  for (std::uint32_t k = 0; k < list.regions(); ++k) {
    try {
      one_sided_.arrive(list.region(k));
    } catch (const corrupt_message& e) {
      while (k != 0) {
        one_sided_.drop(list.region(--k));
      }
      why = e.what();
      return false;
    }
  }
  for (std::uint32_t k = 0; k < list.objects(); ++k) {
    object_entry& object = *objects_.find(list.object(k));
    object.arrive();
    object.hold();
  }
  return true;
}

void engine::fill_variable(reply_slot& slot, std::uint16_t kind,
                           std::span<const std::byte> bytes, std::uint32_t by) {
  if (kind == answer_handles) {
    const std::optional<listed_handles> list = listed_handles::behind(bytes);
    if (!list) {
      throw corrupt_message("an answer without the handles that it should hold");
    }
    std::string why;
    if (!hold_all(*list, why)) {
      // Only whoever called can do something about it.
      std::string text;
      encode_text(text, "(none)");
      encode_text(text, why);
      text.resize(std::max(text.size(), reply_slot::room + 1));
      fill(slot, reply_slot::status::failed, std::as_bytes(std::span{text}), by);
      return;
    }
    slot.holds_handles = true;
  }
  fill(slot, kind == answer_error ? reply_slot::status::failed : reply_slot::status::ready,
       bytes, by);
}

void engine::discard_answer(reply_slot& slot) {
  if (const std::optional<listed_handles> list = slot.handles(); list) [[unlikely]] {
    for (std::uint32_t k = 0; k < list->objects(); ++k) {
      if (object_entry* object = objects_.find(list->object(k)); object != nullptr) {
        object->let_go();
      }
    }
    for (std::uint32_t k = 0; k < list->regions(); ++k) {
      one_sided_.drop(list->region(k));
    }
  }
  slot.holds_handles = false;
  if (slot.bytes > reply_slot::room) {
    delete[] slot.heap;
  }
  slot.bytes = 0;
  slot.state.store(reply_slot::status::free, std::memory_order_relaxed);
  replies_.drop(reply_block::of(&slot));
}

void engine::take_answers(std::uint32_t from, const run_header& run,
                          std::span<const std::byte> records) {
  const auto slot_for = [&](std::uint32_t k) -> reply_slot& {
    reply_slot* slot = replies_.find(run.extra + k);
    if (slot == nullptr || slot->peer.load(std::memory_order_relaxed) != from) {
      throw corrupt_message(
          fmt::format("an answer to a call that was not made (ticket {})", run.extra + k));
    }
    while (slot->on_line) {  // the line says so too, any moment now
      check_line(from);
    }
    return *slot;
  };
  if (run.handler == answer_value) {
    if (run.record_bytes > reply_slot::room) {
      throw corrupt_message("an answer that is larger than its slot");
    }
    for (std::uint32_t k = 0; k < run.count; ++k) {
      fill(slot_for(k), reply_slot::status::ready,
           records.subspan(std::size_t{k} * run.record_bytes, run.record_bytes), from);
    }
    return;
  }
  if (run.record_bytes != variable_record) {
    throw corrupt_message("an answer of the wrong kind");
  }
  std::size_t where = 0;
  for (std::uint32_t k = 0; k < run.count; ++k) {
    std::uint64_t length = 0;
    std::memcpy(&length, records.data() + where, sizeof(length));
    if (run.handler == answer_error &&
        !holds_two_texts(records.subspan(where + sizeof(length), length))) {
      throw corrupt_message("what a handler threw cannot be read");
    }
    fill_variable(slot_for(k), run.handler, records.subspan(where + sizeof(length), length),
                  from);
    where += variable_bytes(length);
  }
}

std::byte* engine::append_answer(lane& here, std::uint32_t to, ticket t, std::size_t bytes) {
  destination& d = here.out[static_cast<std::size_t>(traffic::handler)][to];
  const std::uint64_t key = std::uint64_t{answer_value} | std::uint64_t{bytes} << 16;
  if (d.key != key || (d.extra + d.count != t && !has(fault::reply_mix_up)) ||
      static_cast<std::size_t>(d.limit - d.cursor) < bytes) {
    const exempt_scope beyond_budget{here};
    open_run(here, to, key, {static_cast<std::uint16_t>(bytes), false, false}, bytes);
    d.extra = t;
  }
  std::byte* at = d.cursor;
  d.cursor += bytes;
  ++d.count;
  return at;
}

void engine::answer_value_to(lane& here, std::uint32_t to, ticket t, const void* value,
                             std::size_t bytes) {
  if (to == me_) {
    if (reply_slot* slot = slot_answered_here(t); slot != nullptr) {
      fill(*slot, reply_slot::status::ready, {static_cast<const std::byte*>(value), bytes},
           me_);
    }
    return;
  }
  std::byte* at = append_answer(here, to, t, bytes);
  if (bytes != 0) {
    std::memcpy(at, value, bytes);
  }
}

void engine::answer_bytes_to(lane& here, std::uint32_t to, ticket t, std::size_t bytes,
                             void (*write)(void* state, std::byte* out), void* state,
                             bool holds_handles) {
  answer_variable(here, to, holds_handles ? answer_handles : answer_bytes, t, bytes, write,
                  state);
}

void engine::answer_variable(lane& here, std::uint32_t to, std::uint16_t kind, ticket t,
                             std::size_t bytes, void (*write)(void* state, std::byte* out),
                             void* state) {
  if (to == me_) {
    if (reply_slot* slot = slot_answered_here(t); slot != nullptr) {
      std::vector<std::byte> copy(bytes);
      write(state, copy.data());
      fill_variable(*slot, kind, copy, me_);
    }
    return;
  }
  const exempt_scope beyond_budget{here};
  const std::uint64_t key = kind;
  if (bytes > largest_record_) {
    send_large(here, to, key, bytes, write, state, false, nullptr, nullptr, t);
  } else {
    // Every variable answer is a run of its own: its ticket stands in the run's header.
    open_run(here, to, key, {variable_record, false, false}, variable_bytes(bytes));
    destination& d = here.current[to];
    d.extra = t;
    std::byte* at = append_variable(here, to, key, bytes, false);
    try {
      write(state, at);
    } catch (...) {
      withdraw(here, to, variable_bytes(bytes), true);
      close_run(d);
      throw;
    }
    close_run(d);
  }
}

void engine::answer_error_to(lane& here, std::uint32_t to, ticket t, std::string_view handler,
                             std::string_view text) {
  std::string encoded;
  encode_text(encoded, handler);
  encode_text(encoded, text);
  encoded.resize(std::max(encoded.size(), reply_slot::room + 1));  // always on the heap
  answer_variable(
      here, to, answer_error, t, encoded.size(),
      [](void* from, std::byte* out) {
        const auto& s = *static_cast<const std::string*>(from);
        std::memcpy(out, s.data(), s.size());
      },
      &encoded);
}

void engine::acknowledge(lane& here, std::uint32_t to, std::uint32_t count,
                         std::uint32_t failures, const failure& first) {
  if (to == me_) {
    if (failures != 0) {
      log_failures(failures, first, false);
    }
    acknowledged(count);
    return;
  }
  send_acknowledgement(*this, here, to, count, failures, first);
}

}  // namespace lamellar::detail
