// SPDX-License-Identifier: BSD-3-Clause
// Arrived buffers into runs, runs to their handlers, answers to the slots that wait for them.
#include <fmt/format.h>

#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>
#include <vector>

#include "backoff.hpp"

namespace lamellar::detail {

using lamellae::traffic;

namespace {

/// The bytes that `count` variable records at the front of `from` cover.
std::size_t extent_of_variable(std::span<const std::byte> from, std::uint32_t count) {
  std::size_t at = 0;
  for (std::uint32_t k = 0; k < count; ++k) {
    std::uint64_t length = 0;
    if (from.size() - at < sizeof(length)) {
      throw corrupt_message("a run ends inside a record's length");
    }
    std::memcpy(&length, from.data() + at, sizeof(length));
    // `from` is padded to a multiple of 8 by its sender; compare before rounding up, so that an
    // impossible length cannot wrap around.
    const std::size_t left = from.size() - at - sizeof(length);
    if (length > left || round_up_8(length) > left) {
      throw corrupt_message(
          fmt::format("a record claims {} bytes, its buffer holds {} more", length, left));
    }
    at += variable_bytes(length);
  }
  return at;
}

/// Whether no handler will run, and therefore none will wait, while `buffer` is worked through.
bool is_one_run_of_answers(const lamellae::in_buffer& buffer) {
  run_header run;
  if (buffer.bytes < sizeof(run)) {
    return false;
  }
  std::memcpy(&run, buffer.data, sizeof(run));
  return run.handler == answer_value &&
         sizeof(run) + std::size_t{run.record_bytes} * run.count + sizeof(run) > buffer.bytes;
}

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

object_entry& find_object(engine& at, std::uint32_t number, const std::type_info& type) {
  object_entry* found = at.objects().find(number);
  if (found == nullptr) {
    throw corrupt_message(
        fmt::format("a handle of object {}, which does not exist (any more) here", number));
  }
  if (std::strcmp(found->type, type.name()) != 0) {
    throw corrupt_message(fmt::format("a handle of object {} as {}, which it is not", number,
                                      handler_table::readable(type.name())));
  }
  return *found;
}

void execution::failed(const std::string& handler, const std::string& text) {
  if (failures++ == 0) {
    first = std::make_unique<failure>(failure{home.me(), handler, text});
  }
}

void engine::run_buffer(execution& at, std::span<const std::byte> buffer) {
  handler_scope as_handler{at.here};
  std::size_t where = 0;
  try {
    while (buffer.size() - where >= sizeof(run_header)) {
      run_header run;
      std::memcpy(&run, buffer.data() + where, sizeof(run));
      where += sizeof(run);
      const std::span<const std::byte> rest = buffer.subspan(where);
      std::size_t extent = 0;
      if (run.record_bytes == variable_record) {
        extent = extent_of_variable(rest, run.count);
      } else {
        extent = std::size_t{run.record_bytes} * run.count;
        if (extent > rest.size()) {
          throw corrupt_message(
              fmt::format("a run claims {} records of {} bytes, its buffer holds {} more bytes",
                          run.count, run.record_bytes, rest.size()));
        }
      }
      run_one(at, run, rest.first(extent));
      where += round_up_8(extent);
      if (where > buffer.size()) {
        where = buffer.size();
      }
    }
    if (where != buffer.size()) {
      throw corrupt_message(
          fmt::format("{} bytes behind the last run are no run", buffer.size() - where));
    }
  } catch (const corrupt_message& e) {
    at.failed("(none)", fmt::format("corrupt buffer from PE {}: {}", at.from, e.what()));
  }
}

bool engine::run_one(execution& at, const run_header& run, std::span<const std::byte> records) {
  if (run.count == 0) {
    return true;  // room was made for records that did not come
  }
  if (run.handler < first_handler) {
    take_answers(at.from, run, records);
    return true;
  }
  const handler_node* node = handlers_.find(run.handler);
  if (node == nullptr) {
    throw corrupt_message(fmt::format("there is no handler number {}", run.handler));
  }
  if (node->record_bytes != run.record_bytes) {
    throw corrupt_message(fmt::format("handler {} takes records of {} bytes, not of {}",
                                      handler_table::readable(node->name), node->record_bytes,
                                      run.record_bytes));
  }
  if (run.record_bytes == 0 && run.count > most_empty_records) {
    throw corrupt_message(fmt::format("a run claims {} records without bytes, {} are the most",
                                      run.count, most_empty_records));
  }
  if ((run.object == 0) != (*node->object == 0)) {
    throw corrupt_message(fmt::format(
        "handler {} is for {}, the run is for {}", handler_table::readable(node->name),
        *node->object == 0 ? "a PE" : "an object", run.object == 0 ? "a PE" : "an object"));
  }
  if (run.object == 0) {
    node->run(at, run, records);
    return true;
  }
  object_entry* object = objects_.find(run.object);
  if (object == nullptr) {
    throw corrupt_message(fmt::format("handler {}: object {} does not exist (any more) here",
                                      handler_table::readable(node->name), run.object));
  }
  if (object->type != node->object && std::strcmp(object->type, node->object) != 0) {
    throw corrupt_message(fmt::format("handler {} is not for object {}, which is a {}",
                                      handler_table::readable(node->name), run.object,
                                      handler_table::readable(object->type)));
  }
  if (object->concurrent) {
    node->run(at, run, records);
    return true;
  }
  object->lock.lock();
  const bool busy = object->busy;
  if (busy) {
    postpone(at, *object, run, records);
  } else {
    object->busy = true;
  }
  object->lock.unlock();
  if (!busy) {
    at.here.serving.push_back(object);
    node->run(at, run, records);
    at.here.serving.pop_back();
    leave_object(at.here, *object);
  }
  return !busy;
}

void engine::postpone(execution& at, object_entry& object, const run_header& run,
                      std::span<const std::byte> records) {
  if (at.rest == nullptr) {
    at.rest = new unfinished{at.from, at.counted_as, {1}, {}, 0, {}};
  }
  at.rest->runs_left.fetch_add(1, std::memory_order_relaxed);
  object.postponed.push_back({run, {records.begin(), records.end()}, at.from, at.rest});
  tally(handler_bytes_, object.postponed.back().kept_bytes(), shared_);
}

void engine::leave_object(lane& here, object_entry& object) {
  for (;;) {
    object.lock.lock();
    if (object.postponed.empty()) {
      object.busy = false;
      object.lock.unlock();
      return;
    }
    postponed_run run = std::move(object.postponed.front());
    object.postponed.pop_front();
    object.lock.unlock();
    tally(handler_bytes_, 0 - run.kept_bytes(), shared_);
    here.serving.push_back(&object);
    run_postponed(here, run);
    here.serving.pop_back();
  }
}

void engine::run_postponed(lane& here, postponed_run& run) {
  execution at{*this, here, run.from};
  {
    handler_scope as_handler{here};
    try {
      handlers_.find(run.header.handler)->run(at, run.header, run.records);
    } catch (const corrupt_message& e) {
      at.failed("(none)", fmt::format("corrupt buffer from PE {}: {}", run.from, e.what()));
    }
  }
  at.rest = run.rest;
  settle(at);
}

void engine::settle(execution& at) {
  unfinished& rest = *at.rest;
  if (at.failures != 0) {
    rest.lock.lock();
    if (rest.failures == 0) {
      rest.first = *at.first;
    }
    rest.failures += at.failures;
    rest.lock.unlock();
  }
  if (rest.runs_left.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  const bool failed = rest.failures != 0;
  if (failed) {
    report(at.here, rest.from, rest.counted_as, rest.failures, rest.first);
  }
  count_handled(rest.counted_as, rest.from, failed);
  delete &rest;
}

void engine::count_handled(source counted_as, std::uint32_t from, bool failed) {
  switch (counted_as) {
    case source::peer:
      release_lock_.lock();
      lamella_->settle(from, failed);
      release_lock_.unlock();
      tally(executed_, 1, shared_);
      break;
    case source::self:
      tally(own_executed_, 1, shared_);
      tally(executed_, 1, shared_);
      break;
    case source::line:
      break;  // the one who asked counts it
  }
}

void engine::report(lane& here, std::uint32_t to, source counted_as, std::uint32_t failures,
                    const failure& first) {
  if (to == me_) {
    log_failures(failures, first, false);
    return;
  }
  send_failure_report(*this, here, to, failures, first, counted_as == source::peer);
}

void engine::log_failures(std::uint64_t count, const failure& first, bool report) {
  failure_lock_.lock();
  if (failures_.count == 0) {
    failures_.first = first;
  }
  failures_.count += count;
  failure_lock_.unlock();
  if (report) {
    reports_.fetch_add(1, std::memory_order_release);
  }
}

void engine::execute_copy(lane& here, std::span<const std::byte> buffer, std::uint32_t from,
                          source counted_as) {
  execution at{*this, here, from, counted_as};
  run_buffer(at, buffer);
  if (at.rest != nullptr) {
    settle(at);
    return;
  }
  if (at.failures != 0) {
    report(here, from, counted_as, at.failures, *at.first);
  }
  count_handled(counted_as, from, at.failures != 0);
}

void engine::release(const lamellae::in_buffer& buffer, bool handled, bool failed) {
  release_lock_.lock();
  lamella_->release(buffer, handled, failed);
  release_lock_.unlock();
}

void engine::execute_arrived(lane& here, const lamellae::in_buffer& buffer) {
  if ((buffer.flags & fragment_flag) != 0) {
    take_fragment(here, buffer);
    return;
  }
  if (here.depth != 0 ||
      (buffer.kind == lamellae::traffic::handler && !is_one_run_of_answers(buffer))) {
    // A handler waits further up this stack, or one in this buffer may begin to wait. Peers
    // must get their slots back, or what is waited for could be stuck behind what is kept: run
    // a copy. What a handler waits for comes by handlers, so a body's buffer may be kept.
    const std::vector<std::byte> copy(buffer.data, buffer.data + buffer.bytes);
    release(buffer, false, false);
    execute_copy(here, copy, buffer.from, source::peer);
    return;
  }
  execution at{*this, here, buffer.from, source::peer};
  run_buffer(at, {buffer.data, buffer.bytes});
  if (at.rest != nullptr) {
    release(buffer, false, false);
    settle(at);
    return;
  }
  if (at.failures != 0) {
    report(here, buffer.from, source::peer, at.failures, *at.first);
  }
  release(buffer, true, at.failures != 0);
  tally(executed_, 1, shared_);
}

void engine::take_fragment(lane& here, const lamellae::in_buffer& buffer) {
  const auto refuse = [&](const std::string& why) {
    report(here, buffer.from, source::peer, 1,
           {me_, "(none)", fmt::format("corrupt buffer from PE {}: {}", buffer.from, why)});
    release(buffer, true, true);
    tally(executed_, 1, shared_);
  };
  fragment_header header;
  if (buffer.bytes < sizeof(header)) {
    refuse("a piece of a large message without its header");
    return;
  }
  std::memcpy(&header, buffer.data, sizeof(header));
  const std::size_t piece = buffer.bytes - sizeof(header);
  if (header.total > largest_message_) {
    refuse(fmt::format("a piece of a message of {} bytes, more than there is memory",
                       header.total));
    return;
  }
  assembly whole;
  assembly_lock_.lock();
  const auto key = std::pair{buffer.from, header.message};
  auto found = assemblies_.find(key);
  if (found == assemblies_.end()) {
    found = assemblies_.emplace(key, assembly{}).first;
    try {
      // Not zeroed: its pages are touched once, by what arrives.
      found->second.data = std::make_unique_for_overwrite<std::byte[]>(header.total);
      found->second.bytes = header.total;
    } catch (const std::exception&) {
      assemblies_.erase(found);
      assembly_lock_.unlock();
      misuse(this, fmt::format("no memory for a message of {} bytes from PE {}; send it in "
                               "pieces",
                               header.total, buffer.from));
    }
  }
  assembly& into = found->second;
  if (header.total != into.bytes || header.offset > into.bytes ||
      piece > into.bytes - header.offset) {
    assembly_lock_.unlock();
    refuse("a piece of a large message that does not fit into it");
    return;
  }
  std::memcpy(into.data.get() + header.offset, buffer.data + sizeof(header), piece);
  into.received += piece;
  const bool complete = into.received >= into.bytes;
  if (complete) {
    whole = std::move(into);
    assemblies_.erase(found);
  }
  assembly_lock_.unlock();
  if (complete) {
    release(buffer, false, false);
    execute_copy(here, {whole.data.get(), whole.bytes}, buffer.from, source::peer);
  } else {
    release(buffer, true, false);
    tally(executed_, 1, shared_);
  }
}

void engine::fill(reply_slot& slot, reply_slot::status how, std::span<const std::byte> bytes) {
  slot.bytes = static_cast<std::uint32_t>(bytes.size());
  if (bytes.size() > reply_slot::room) {
    slot.heap = new std::byte[bytes.size()];
  }
  if (!bytes.empty()) {
    std::memcpy(bytes.size() > reply_slot::room ? slot.heap : slot.data, bytes.data(),
                bytes.size());
  }
  const std::uint32_t peer = slot.peer;
  const reply_slot::status before = swap_in(slot.state, how, shared_);
  if (before == reply_slot::status::awaited) {
    resume_later(slot.waiting, slot.where);
  } else if (before == reply_slot::status::abandoned) {
    discard_answer(slot);
  }
  answered(peer);
}

void engine::discard_answer(reply_slot& slot) {
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
    if (slot == nullptr || slot->peer != from) {
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
           records.subspan(std::size_t{k} * run.record_bytes, run.record_bytes));
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
    fill(slot_for(k),
         run.handler == answer_bytes ? reply_slot::status::ready : reply_slot::status::failed,
         records.subspan(where + sizeof(length), length));
    where += variable_bytes(length);
  }
}

void engine::answer_value_to(lane& here, std::uint32_t to, ticket t, const void* value,
                             std::size_t bytes) {
  if (to == me_) {
    if (reply_slot* slot = replies_.find(t); slot != nullptr) {
      fill(*slot, reply_slot::status::ready, {static_cast<const std::byte*>(value), bytes});
    }
    return;
  }
  std::byte* at = append_answer(here, to, t, bytes);
  if (bytes != 0) {
    std::memcpy(at, value, bytes);
  }
}

void engine::answer_bytes_to(lane& here, std::uint32_t to, ticket t, std::size_t bytes,
                             void (*write)(void* state, std::byte* out), void* state) {
  answer_variable(here, to, answer_bytes, t, bytes, write, state);
}

void engine::answer_variable(lane& here, std::uint32_t to, std::uint16_t kind, ticket t,
                             std::size_t bytes, void (*write)(void* state, std::byte* out),
                             void* state) {
  if (to == me_) {
    if (reply_slot* slot = replies_.find(t); slot != nullptr) {
      std::vector<std::byte> copy(bytes);
      write(state, copy.data());
      fill(*slot, kind == answer_bytes ? reply_slot::status::ready : reply_slot::status::failed,
           copy);
    }
    return;
  }
  const exempt_scope beyond_budget{here};
  const std::uint64_t key = kind;
  if (bytes > largest_record_) {
    send_large(here, to, key, bytes, write, state, false, nullptr, t);
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

void engine::enter_exclusively(object_entry& object, void (*f)(void*), void* state) {
  lane& lane_here = here();
  if (lane_here.in_handler()) {
    misuse(this, "exclusive() in a handler: a handler of the object has it to itself already");
  }
  struct attempt {
    object_entry* object;
    bool entered = false;
  } tried{&object};
  wait_until(
      [](void* of) {
        auto& t = *static_cast<attempt*>(of);
        t.object->lock.lock();
        t.entered = !t.object->busy;
        t.object->busy = true;
        t.object->lock.unlock();
        return t.entered;
      },
      &tried, "exclusive use of a distributed object");
  try {
    f(state);
  } catch (...) {
    leave_object(lane_here, object);
    throw;
  }
  leave_object(lane_here, object);
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
