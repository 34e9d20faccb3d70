// SPDX-License-Identifier: BSD-3-Clause
// Barrier and quiesce, from waves: small all-reduces that every PE takes part in, in the order
// in which it started them.
#include <fmt/format.h>

#include <cstring>
#include <lamellar/substrate/detail/collective.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>
#include <utility>

#include "faults.hpp"

namespace lamellar::detail {

namespace {

constexpr std::uint64_t barrier_tag = 1;
constexpr std::uint64_t quiesce_tag = 2;

/// How long nothing has moved.
class unmoved {
 public:
  double seconds(std::uint64_t moved, std::uint64_t now_ns) {
    if (std::exchange(before_, moved) != moved) {
      since_ns_ = now_ns;
    }
    return static_cast<double>(now_ns - since_ns_) * 1e-9;
  }

 private:
  std::uint64_t before_ = ~std::uint64_t{0};
  std::uint64_t since_ns_ = 0;
};

/// Whether the wave that has begun comes back about as soon as waves do. Where PEs share memory
/// and have cores of their own they often come together: going about other work first would
/// cost as much as the wave.
bool comes_soon(lamellae::lamella& over, lamellae::wave& result) {
  constexpr int looks_while_a_wave_runs = 48;
  const lamellae::capabilities& able = over.able();
  if (!able.lines || able.oversubscribed || able.in_turns) return false;
  for (int looks = looks_while_a_wave_runs; looks != 0; --looks) {
    if (over.end_wave(result)) return true;
  }
  return false;
}

const char* name_of(std::uint64_t tag) {
  return tag == barrier_tag   ? "a barrier"
         : tag == quiesce_tag ? "a quiesce"
                              : "the creation, conversion or collective write of an object";
}

}  // namespace

void engine::check_agreement(const lamellae::wave& result, std::uint64_t tag,
                             std::source_location where) const {
  if (!result.agreed) {
    misuse(this,
           fmt::format("collectives do not match: this PE is in {}, PE {} is in {}; all PEs "
                       "must start the same collectives in the same order",
                       name_of(tag), result.disagreeing, name_of(result.other_tag)),
           where);
  }
}

task<> engine::barrier(std::source_location where, std::uint64_t kind) {
  if (here().in_handler()) {
    misuse(this, "barrier() in a handler; only the body may take part in collectives", where);
  }
  const std::uint64_t turn = wave_started_++;
  while (wave_ended_ != turn) {
    co_await next_poll{this};
  }
  const collective_scope waiting{*this, kind == 0 ? "a barrier" : name_of(kind << 8), where};
  flush(*lanes_[0]);
  lamellae::wave mine;
  mine.tag = barrier_tag | kind << 8;
  lamella_->begin_wave(mine);
  lamellae::wave result;
  if (comes_soon(*lamella_, result)) {
    check_agreement(result, mine.tag, where);
  } else {
    while (!wave_is_back(result, mine.tag, where)) {
      co_await next_poll{this};
    }
  }
  ++wave_ended_;
}

bool engine::wave_is_back(lamellae::wave& result, std::uint64_t tag,
                          std::source_location where) {
  if (lamella_->end_wave(result)) {
    check_agreement(result, tag, where);
    return true;
  }
  if (mail_.waiting() != 0) {
    check_order(where);
  }
  return false;
}

void engine::check_order(std::source_location where) {
  letter_key key{};
  collective_mark mark;
  if (mail_.out_of_order(all_pes_.collectives, wave_started_, key, mark)) {
    misuse(this,
           fmt::format("collectives do not match: this PE is in {}, PE {} has begun {} (line "
                       "{} of its file) before that; all PEs must start the same collectives "
                       "in the same order",
                       collectives_.empty() ? "a wave" : collectives_.back()->what(), key.from,
                       collective_name(static_cast<collective_kind>(mark.kind)), mark.line),
           where);
  }
}

task<> engine::quiesce(std::source_location where) {
  if (here().in_handler()) {
    misuse(this, "quiesce() in a handler: it would wait for the handler itself", where);
  }
  const std::uint64_t turn = wave_started_++;
  while (wave_ended_ != turn) {
    co_await next_poll{this};
  }
  const collective_scope waiting{*this, "a quiesce", where};
  lamellae::wave result;
  do {
    // Objects are let go of in steps. First every PE says which ones it holds no handle of any
    // more. If all have said so, and none has taken it back when the next step begins, there
    // was no handle at the end of this one, where no message was under way either: no handle
    // can come into being again, and the parts go at the end of that next step.
    const std::uint64_t changes = announce_releases();
    one_sided_.announce(epoch_);
    offer_released();
    // Everything is handled once the messages sent by all PEs, as counted in one wave, are as
    // many as those executed, as counted in an earlier one: nothing was under way in between.
    // The last wave of the previous quiesce counts as the earlier one, so an idle world needs
    // one wave.
    unmoved still;
    for (;;) {
      begin_count(changes);
      while (!wave_is_back(result, quiesce_tag, where)) {
        co_await next_poll{this};
      }
      const std::uint64_t executed_before = std::exchange(known_executed_, result.sums[1]);
      if (result.sums[0] == executed_before ||
          (has(fault::epoch_leak) && result.sums[0] == result.sums[1])) {
        break;
      }
      // Waves that come and go are no progress as long as nothing is sent and nothing is done.
      check_patience(still.seconds(result.sums[0] + result.sums[1], lamella_->now_ns()));
      if (result.sums[0] != result.sums[1]) {
        co_await next_poll{this};  // work is left: do some before asking again
      }
    }
    retire_released();
    one_sided_.retire(epoch_);
    ++epoch_;
  } while (result.sums[3] != 0);
  if (result.sums[2] != 0) {
    // All PEs are here: they have seen the same sum.
    const failure_log all = sum_of_logs(lamella_->exchange(bytes_of_log(take_failures())));
    ++wave_ended_;
    all.rethrow();
    co_return;
  }
  ++wave_ended_;
}

void engine::begin_count(std::uint64_t releases) {
  flush(*lanes_[0]);
  lamellae::wave mine;
  mine.tag = quiesce_tag;
  mine.sums[1] = executed_.load(std::memory_order_acquire);
  mine.sums[0] = sent_.load(std::memory_order_acquire);
  mine.sums[2] = failures();
  mine.sums[3] = releases;
  lamella_->begin_wave(mine);
}

std::uint64_t engine::announce_releases() {
  std::uint64_t changes = 0;
  for (object_entry* object : objects_.all()) {
    const bool released = object->handles.load(std::memory_order_acquire) == 0;
    const std::uint64_t arrivals = object->arrivals.load(std::memory_order_relaxed);
    const bool before = object->release_announced;
    if (released == before && (!released || arrivals == object->arrivals_announced)) {
      continue;
    }
    if (has(fault::early_free) && before) {
      continue;
    }
    object->release_announced = released;
    object->arrivals_announced = arrivals;
    ++changes;
    // A handle that has come and gone again changes no number, only the time.
    send_release(*this, *object, static_cast<int>(released) - static_cast<int>(before), epoch_);
  }
  return changes;
}

bool engine::is_released(object_entry& object) {
  const std::uint32_t holders = object.members == nullptr ? size_ : object.members->size();
  object.lock.lock();
  const bool released = object.released == holders && object.released_in < epoch_;
  object.lock.unlock();
  return released;
}

void engine::offer_released() {
  // Nobody's program runs before this step ends somewhere; from then on messages may come here
  // that would revive an object from a weak handle.
  for (object_entry* object : objects_.all()) {
    if (is_released(*object)) {
      object->offer();
    }
  }
}

void engine::retire_released() {
  std::vector<std::uint32_t> unheld;
  for (object_entry* object : objects_.all()) {
    if (is_released(*object)) {
      unheld.push_back(object->number);
    } else {
      object->keep();
    }
  }
  for (const std::uint32_t number : unheld) {
    objects_.erase(number);
  }
}

}  // namespace lamellar::detail
