// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <memory>
#include <vector>

// Private message buffers of one size, reused last given back first. Thread-safe
// if told that it is shared.
namespace lamellar::detail {

class block_pool {
 public:
  block_pool(std::size_t bytes, bool shared) : bytes_{bytes}, lock_{shared} {}
  ~block_pool() {
    for (std::byte* block : free_) {
      ::operator delete (block, std::align_val_t{64});
    }
  }
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

  std::size_t bytes() const { return bytes_; }
  /// Blocks there are, in use or not: as many as were ever in use at once.
  std::size_t made() const {
    lock_.lock();
    const std::size_t made = made_;
    lock_.unlock();
    return made;
  }

  std::byte* take() {
    lock_.lock();
    if (free_.empty()) {
      ++made_;
      lock_.unlock();
      return static_cast<std::byte*>(::operator new (bytes_, std::align_val_t{64}));
    }
    std::byte* block = free_.back();
    free_.pop_back();
    lock_.unlock();
    return block;
  }

  void give_back(std::byte* block) {
    lock_.lock();
    free_.push_back(block);
    lock_.unlock();
  }

 private:
  std::size_t bytes_;
  mutable spin_lock lock_;  // guards the rest
  std::size_t made_ = 0;
  std::vector<std::byte*> free_;
};

}  // namespace lamellar::detail
