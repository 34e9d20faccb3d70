// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/keyed_handle.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <utility>
#include <vector>

// A sender's cache of values that are on their way to keys: what comes again for the same key
// is joined with what waits, so that a hot key costs its owner next to nothing. Each key has
// one place; what another key finds there is sent.
//
// It is as large as pays: it grows while that catches notably more, and where it catches next
// to nothing, it is passed by, and tried again later.
//
// What waits here counts as buffered: whatever ships the thread's buffers (a wait, a quiesce,
// world::flush) sends it. Only the body's own values wait; those of handlers and of other
// threads are sent at once.
//
// Thread-safety: the PE's main thread.
namespace lamellar::detail {

/// `Join{}(waiting, given)`: join a value with one that waits, or say that it cannot be.
/// Values are sent as `Action`s of Part.
template <class Part, class Action, class Value, class Join>
class combining_cache {
  using handle = keyed_handle<Part>;
  using key_type = typename Part::key_type;
  using lookup = typename Part::lookup;

 public:
  combining_cache() = default;
  combining_cache(const combining_cache&) = delete;
  combining_cache& operator=(const combining_cache&) = delete;

  /// Whether the running code may use the cache of its PE.
  static bool may_use(world& at) {
    const lane& here = engine_of(at).here();
    return here.index == 0 && !here.in_handler();
  }
  /// Whether values are passed on at once for now; `n` that are about to be.
  bool passes_by(std::size_t n) {
    if (idle_ == 0) {
      return false;
    }
    idle_ -= std::min<std::uint64_t>(idle_, n);
    return true;
  }

  void add(const handle& to, std::uint64_t h, const lookup& key, const Value& given) {
    if (places_.empty()) {
      places_.resize(smallest);
    }
    place& at = places_[(h >> 16) & (places_.size() - 1)];
    if (++looks_ == window) [[unlikely]] {
      resize();
      to.template tell_hashed<Action>(h, key, given);
      return;
    }
    if (at.used && at.hash == h && Part::same_key(at.key, key)) {
      if (Join{}(at.value, given)) [[likely]] {
        ++hits_;
        return;
      }
    }
    arm(to);
    if (!at.used) {
      at.used = true;
      at.hash = h;
      at.key = key;
      at.value = given;
      return;
    }
    // All is in order here before anything is sent: that may run whatever adds as well.
    const std::uint64_t old_hash = std::exchange(at.hash, h);
    const Value old_value = std::exchange(at.value, given);
    std::swap(spare_, at.key);
    at.key = key;
    key_type old_key = std::move(spare_);
    to.template tell_hashed<Action>(old_hash, old_key, old_value);
    spare_ = std::move(old_key);
  }

  /// Send all that waits. Runs no handlers, and never waits itself.
  void flush() {
    if (!held_) {
      return;
    }
    const handle to = std::move(*held_);
    held_.reset();
    const auto later = to.where().defer_handlers();
    for (place& each : places_) {
      if (std::exchange(each.used, false)) {
        to.template tell_hashed<Action>(each.hash, each.key, each.value);
      }
    }
  }

 private:
  struct place {
    std::uint64_t hash = 0;
    Value value{};
    bool used = false;
    key_type key{};
  };
  struct drain {
    void operator()(std::byte* cache, std::uint64_t) const {
      reinterpret_cast<combining_cache*>(cache)->flush();
    }
  };
  static constexpr std::size_t smallest = 1024;
  static constexpr std::size_t largest = 65536;
  static constexpr std::uint32_t window = 32768;
  static constexpr std::uint64_t rest = 32 * window;

  /// Whatever ships buffers calls flush() from now on.
  void arm(const handle& to) {
    if (!held_) {
      held_ = to;
      engine_of(to.where())
          .here()
          .put_off.template add<drain>(reinterpret_cast<std::byte*>(this), 0);
    }
  }

  void resize() {
    const double caught = static_cast<double>(hits_) / window;
    looks_ = hits_ = 0;
    flush();
    if (caught < 1.0 / 16) {
      idle_ = rest;
      places_.resize(smallest);
      best_ = 0;
      settled_ = false;
    } else if (!settled_) {
      // As long as twice the places catch notably more.
      settled_ = places_.size() == largest || caught < best_ + 1.0 / 32;
      best_ = caught;
      if (!settled_) {
        places_.resize(2 * places_.size());
      }
    }
  }

  std::vector<place> places_;
  key_type spare_{};         // of text, memory that is used again
  std::uint32_t looks_ = 0;  // of the running window
  std::uint32_t hits_ = 0;
  std::uint64_t idle_ = 0;  // values to pass by
  double best_ = 0;
  bool settled_ = false;
  std::optional<handle> held_;  // while something waits
};

}  // namespace lamellar::detail
