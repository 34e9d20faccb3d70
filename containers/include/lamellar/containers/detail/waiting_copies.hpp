// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <lamellar/substrate/error.hpp>
#include <mutex>
#include <unordered_map>
#include <utility>

// Copies that this PE will make as soon as an owner of elements holds its lock for them: the
// owner takes the lock, calls back with the copy's number, and gives the lock back when the
// copy is done. So a long range goes through mapped memory once, and not through messages.
//
// Thread-safety: all.
namespace lamellar::detail {

class waiting_copies {
 public:
  /// Keep a copy until it is called for. Returns its number.
  std::uint64_t add(std::function<void()> copy) {
    const std::lock_guard lock{mutex_};
    copies_.emplace(++last_, std::move(copy));
    return last_;
  }

  /// Make it. Throws: corrupt_message if there is none.
  void make(std::uint64_t number) {
    std::function<void()> copy;
    {
      const std::lock_guard lock{mutex_};
      const auto found = copies_.find(number);
      if (found == copies_.end()) {
        throw corrupt_message("a call for a copy that nobody waits for");
      }
      copy = std::move(found->second);
      copies_.erase(found);
    }
    copy();
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::uint64_t, std::function<void()>> copies_;
  std::uint64_t last_ = 0;
};

}  // namespace lamellar::detail
