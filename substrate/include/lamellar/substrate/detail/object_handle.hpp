// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/object_table.hpp>
#include <utility>

// What keeps a distributed object alive: a counted reference to this PE's entry of it. Empty,
// or with a world alone, it counts nothing.
//
// Thread-safety: as a plain value; the count is safe between the threads of a PE.
namespace lamellar::detail {

class engine;

class object_handle {
 public:
  object_handle() noexcept = default;
  object_handle(engine* home, object_entry* entry) noexcept : home_{home}, entry_{entry} {
    hold();
  }
  object_handle(const object_handle& other) noexcept
      : home_{other.home_}, entry_{other.entry_} {
    hold();
  }
  object_handle(object_handle&& other) noexcept
      : home_{std::exchange(other.home_, nullptr)},
        entry_{std::exchange(other.entry_, nullptr)} {}
  object_handle& operator=(object_handle other) noexcept {
    std::swap(home_, other.home_);
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~object_handle() {
    if (entry_ != nullptr) {
      entry_->let_go();
    }
  }

  engine* home() const { return home_; }
  object_entry* entry() const { return entry_; }

 private:
  void hold() noexcept {
    if (entry_ != nullptr) {
      entry_->hold();
    }
  }

  engine* home_ = nullptr;
  object_entry* entry_ = nullptr;
};

/// Write the number of an object, of which a handle travels with it; 0: none.
template <class Archive>
void save_number(Archive& to, std::uint32_t number) {
  to(number);
  if constexpr (requires { to.bytes().note_handle(number); }) {
    if (number != 0) {
      to.bytes().note_handle(number);
    }
  }
}

/// The PE that reads a message; nullptr if what is read is none.
template <class Archive>
engine* reader_of([[maybe_unused]] Archive& from) {
  if constexpr (requires { from.bytes().owner(); }) {
    return static_cast<engine*>(from.bytes().owner());
  } else {
    return nullptr;
  }
}

}  // namespace lamellar::detail
