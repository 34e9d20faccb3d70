// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/reply_slot.hpp>

namespace lamellar::detail {

reply_pool::reply_pool(engine* home, bool shared)
    : home_{home},
      shared_{shared},
      lock_{shared},
      blocks_{new std::atomic<reply_block*>[most_blocks]()} {}

reply_pool::~reply_pool() {
  for (std::uint32_t k = 0; k < made_; ++k) {
    delete blocks_[k].load(std::memory_order_relaxed);
  }
}

reply_block* reply_pool::take() {
  tally(in_use_, 1, shared_);
  lock_.lock();
  reply_block* block = nullptr;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else if (made_ < most_blocks) {
    block = new reply_block;
    block->home = home_;
    block->shared = shared_;
    block->number = made_;
    blocks_[made_].store(block, std::memory_order_release);
    ++made_;
  }
  lock_.unlock();
  if (block == nullptr) {
    tally(in_use_, ~0u, shared_);
    throw out_of_memory(
        "more than 4 million replies are held or unanswered on one PE; wait "
        "for some before calling again");
  }
  block->live.store(1, std::memory_order_relaxed);
  return block;
}

void reply_pool::give_back(reply_block& block) {
  tally(in_use_, ~0u, shared_);
  lock_.lock();
  free_.push_back(&block);
  lock_.unlock();
}

reply_slot* reply_pool::find(ticket t) const {
  const std::uint32_t number = t >> 6;
  const std::uint32_t place = t & 63;
  if (number >= most_blocks || place >= reply_block::slots) {
    return nullptr;
  }
  reply_block* block = blocks_[number].load(std::memory_order_acquire);
  if (block == nullptr) {
    return nullptr;
  }
  reply_slot* slot = &block->slot[place];
  switch (slot->state.load(std::memory_order_acquire)) {
    case reply_slot::status::pending:
    case reply_slot::status::awaited:
    case reply_slot::status::abandoned:
      return slot;
    default:
      return nullptr;
  }
}

}  // namespace lamellar::detail
