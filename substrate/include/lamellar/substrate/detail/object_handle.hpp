// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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

}  // namespace lamellar::detail
