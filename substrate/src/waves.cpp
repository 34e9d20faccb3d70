// SPDX-License-Identifier: BSD-3-Clause
// Barrier and quiesce, from waves: small all-reduces that every PE takes part in, in the order
// in which it started them.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/error.hpp>

namespace lamellar::detail {

namespace {

constexpr std::uint64_t barrier_tag = 1;
constexpr std::uint64_t quiesce_tag = 2;

const char* name_of(std::uint64_t tag) {
  return tag == barrier_tag   ? "a barrier"
         : tag == quiesce_tag ? "a quiesce"
                              : "the creation, conversion or collective write of an object";
}

}  // namespace

/// Suspends until the body's next poll.
struct engine::next_poll {
  engine* at;
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) const {
    teach_home(waiting, at);
    at->resume_after_poll(waiting);
  }
  void await_resume() const noexcept {}
};

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

void engine::enter_collective(const char* what, std::source_location where) {
  collective_ = what;
  collective_at_ = where;
}

task<> engine::barrier(std::source_location where, std::uint64_t kind) {
  if (here().in_handler()) {
    misuse(this, "barrier() in a handler; only the body may take part in collectives", where);
  }
  const std::uint64_t turn = wave_started_++;
  while (wave_ended_ != turn) {
    co_await next_poll{this};
  }
  enter_collective(kind == 0 ? "a barrier" : name_of(kind << 8), where);
  flush(*lanes_[0]);
  lamellae::wave mine;
  mine.tag = barrier_tag | kind << 8;
  lamella_->begin_wave(mine);
  lamellae::wave result;
  while (!lamella_->end_wave(result)) {
    co_await next_poll{this};
  }
  ++wave_ended_;
  collective_ = nullptr;
  check_agreement(result, mine.tag, where);
}

task<> engine::quiesce(std::source_location where) {
  if (here().in_handler()) {
    misuse(this, "quiesce() in a handler: it would wait for the handler itself", where);
  }
  const std::uint64_t turn = wave_started_++;
  while (wave_ended_ != turn) {
    co_await next_poll{this};
  }
  enter_collective("a quiesce", where);
  announce_releases();
  // Everything is handled once the messages sent by all PEs, as counted in one wave, are as
  // many as those executed, as counted in an earlier one: nothing was under way in between. The
  // last wave of the previous quiesce counts as the earlier one, so an idle world needs one
  // wave.
  std::uint64_t executed_before = known_executed_;
  lamellae::wave result;
  for (;;) {
    flush(*lanes_[0]);
    lamellae::wave mine;
    mine.tag = quiesce_tag;
    mine.sums[1] = executed_.load(std::memory_order_acquire);
    mine.sums[0] = sent_.load(std::memory_order_acquire);
    failure_lock_.lock();
    mine.sums[2] = failures_.count;
    failure_lock_.unlock();
    lamella_->begin_wave(mine);
    while (!lamella_->end_wave(result)) {
      co_await next_poll{this};
    }
    check_agreement(result, quiesce_tag, where);
    if (result.sums[0] == executed_before) {
      break;
    }
    executed_before = result.sums[1];
    if (result.sums[0] != result.sums[1]) {
      co_await next_poll{this};  // work is left: do some before asking again
    }
  }
  known_executed_ = result.sums[1];

  // Objects that nobody held when they entered are destroyed, unless a handle of one arrived
  // meanwhile in a message: 16 objects a wave, 16 bits each, PEs that object are counted.
  const std::vector<std::uint32_t> unheld = released_everywhere();
  for (std::size_t first = 0; first < unheld.size(); first += 16) {
    const std::size_t count = std::min<std::size_t>(16, unheld.size() - first);
    lamellae::wave vote;
    vote.tag = quiesce_tag;
    for (std::size_t k = 0; k < count; ++k) {
      const bool held = !objects_.find(unheld[first + k])->offer();
      vote.sums[k / 4] |= std::uint64_t{held} << (k % 4 * 16);
    }
    lamella_->begin_wave(vote);
    lamellae::wave voted;
    while (!lamella_->end_wave(voted)) {
      co_await next_poll{this};
    }
    for (std::size_t k = 0; k < count; ++k) {
      if ((voted.sums[k / 4] >> (k % 4 * 16) & 0xffff) == 0) {
        objects_.erase(unheld[first + k]);
      } else {
        objects_.find(unheld[first + k])->keep();
      }
    }
  }
  ++epoch_;
  if (result.sums[2] != 0) {
    std::uint64_t count = result.sums[2];
    const failure first = share_first_failure(count);
    ++wave_ended_;
    collective_ = nullptr;
    throw remote_error(first.on, first.handler, first.text, count);
  }
  ++wave_ended_;
  collective_ = nullptr;
}

failure engine::share_first_failure(std::uint64_t& count) {
  failure_lock_.lock();
  const failure_log log = std::exchange(failures_, failure_log{});
  failure_lock_.unlock();
  std::vector<std::byte> mine;
  if (log.count != 0) {
    const std::string text =
        fmt::format("{}\n{}\n{}", log.first.on, log.first.handler, log.first.text);
    mine.resize(text.size());
    std::memcpy(mine.data(), text.data(), text.size());
  }
  // All PEs are here: they have seen the same sum.
  for (const std::vector<std::byte>& blob : lamella_->exchange(mine)) {
    if (blob.empty()) {
      continue;
    }
    const std::string text(reinterpret_cast<const char*>(blob.data()), blob.size());
    const std::size_t a = text.find('\n');
    const std::size_t b = text.find('\n', a + 1);
    return {static_cast<std::uint32_t>(std::stoul(text)), text.substr(a + 1, b - a - 1),
            text.substr(b + 1)};
  }
  return {me_, "(none)", fmt::format("{} failures without a text", count)};
}

void engine::announce_releases() {
  for (object_entry* object : objects_.all()) {
    const bool released = object->handles.load(std::memory_order_acquire) == 0;
    if (released != object->release_announced) {
      object->release_announced = released;
      send_release(*this, object->number, released, epoch_);
    }
  }
}

std::vector<std::uint32_t> engine::released_everywhere() {
  std::vector<std::uint32_t> unheld;
  for (const object_entry* object : objects_.all()) {
    const auto& releases = object->releases;
    if (std::all_of(releases.begin(), releases.end(), [this](const auto& each) {
          const std::uint64_t release = each.load(std::memory_order_relaxed);
          return release != 0 && release - 1 <= epoch_;
        })) {
      unheld.push_back(object->number);
    }
  }
  std::sort(unheld.begin(), unheld.end());
  return unheld;
}

}  // namespace lamellar::detail
