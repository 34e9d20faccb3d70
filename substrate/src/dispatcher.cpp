// SPDX-License-Identifier: BSD-3-Clause
// Arrived buffers into runs, runs to their handlers.
#include <fmt/format.h>

#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>

namespace lamellar::detail {

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

}  // namespace

void wrong_object(const object_entry* found, std::uint32_t number, const char* type) {
  throw corrupt_message(
      found == nullptr
          ? fmt::format("a handle of object {}, which does not exist (any more) here", number)
          : fmt::format("a handle of object {} as {}, which it is not", number,
                        handler_table::readable(type)));
}

object_entry& find_object(engine& at, std::uint32_t number, const std::type_info& type) {
  object_entry* found = at.objects().find(number);
  if (found == nullptr || std::strcmp(found->type, type.name()) != 0) {
    wrong_object(found, number, type.name());
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
  std::uint64_t records = 0;
  try {
    while (buffer.size() - where >= sizeof(run_header)) {
      run_header run;
      std::memcpy(&run, buffer.data() + where, sizeof(run));
      where += sizeof(run);
      records += run.count;
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
  if (charges_) lamella_->charge(records);
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
    run_handler(at, *node, run, records);
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
    run_handler(at, *node, run, records);
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
    run_handler(at, *node, run, records);
    at.here.serving.pop_back();
    leave_object(at.here, *object);
  }
  return !busy;
}

void engine::postpone(execution& at, object_entry& object, const run_header& run,
                      std::span<const std::byte> records) {
  if (at.rest == nullptr) {
    at.rest = new unfinished{at.from, at.counted_as, {1}};
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
      run_handler(at, *handlers_.find(run.header.handler), run.header, run.records);
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
    rest.failures.add(at.failures, *at.first);
  }
  if (rest.runs_left.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  const failure_log all = rest.failures.take();
  if (all.count != 0) {
    report(at.here, rest.from, rest.counted_as, all.count, all.first);
  }
  count_handled(rest.counted_as, rest.from, all.count != 0);
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

void engine::report(lane& here, std::uint32_t to, source counted_as, std::uint64_t failures,
                    const failure& first) {
  if (to == me_) {
    log_failures(failures, first, false);
    return;
  }
  send_failure_report(*this, here, to, failures, first, counted_as == source::peer);
}

void engine::log_failures(std::uint64_t count, const failure& first, bool report) {
  failures_.add(count, first);
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
  if ((buffer.flags & offer_flag) != 0) {
    take_offer(here, buffer);
    return;
  }
  if (here.depth != 0 ||
      (buffer.kind == lamellae::traffic::handler && !is_one_run_of_answers(buffer))) {
    // A handler waits further up this stack, or one in this buffer may begin to wait. Peers
    // must get their slots back, or what is waited for could be stuck behind what is kept: run
    // a copy. What a handler waits for comes by handlers, so a body's buffer may be kept.
    std::byte* const copy = blocks_.take();
    std::memcpy(copy, buffer.data, buffer.bytes);
    release(buffer, false, false);
    execute_copy(here, {copy, buffer.bytes}, buffer.from, source::peer);
    blocks_.give_back(copy);
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

void engine::enter_exclusively(object_entry& object, void (*f)(void*), void* state,
                               std::source_location where) {
  lane& lane_here = here();
  if (lane_here.in_handler()) {
    misuse(this, "exclusive() in a handler: a handler of the object has it to itself already",
           where);
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
      &tried, "exclusive use of a distributed object", where);
  try {
    f(state);
  } catch (...) {
    leave_object(lane_here, object);
    throw;
  }
  leave_object(lane_here, object);
}

}  // namespace lamellar::detail
