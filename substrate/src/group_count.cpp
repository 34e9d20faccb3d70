// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/detail/group_count.hpp>

namespace lamellar::detail {

group_count::~group_count() {
  if (const failure_log log = failures_.take(); log.count != 0) {
    home_->log_failures(log.count, log.first, false);
  }
}

void group_count::end() noexcept {
  std::shared_ptr<group_count> last;  // outlives the lock
  std::vector<std::pair<std::coroutine_handle<>, place>> woken;
  lock_.lock();
  if (--left_ == 0) {
    woken.swap(waiting_);
    last = std::move(self_);
  }
  lock_.unlock();
  for (const auto& [who, where] : woken) {
    home_->resume_later(who, where);
  }
}

std::uint64_t group_count::left() {
  lock_.lock();
  const std::uint64_t now = left_;
  lock_.unlock();
  return now;
}

bool group_count::wait(std::coroutine_handle<> who, place where) {
  lock_.lock();
  const bool any = left_ != 0;
  if (any) {
    waiting_.emplace_back(who, where);
  }
  lock_.unlock();
  return any;
}

}  // namespace lamellar::detail
