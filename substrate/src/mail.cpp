// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/detail/mail.hpp>
#include <utility>

namespace lamellar::detail {

void mail_room::put(const letter_key& key, letter&& what) {
  lock_.lock();
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) {
    letters_.emplace(key, std::move(what));
    count_.store(letters_.size(), std::memory_order_relaxed);
    lock_.unlock();
    return;
  }
  const waiter next = found->second;
  waiting_.erase(found);
  next.into->found = std::move(what);
  lock_.unlock();
  resume_later(*home_, next.who, place::main);
}

bool mail_room::take(const letter_key& key, letter& into) {
  lock_.lock();
  const auto found = letters_.find(key);
  const bool here = found != letters_.end();
  if (here) {
    into = std::move(found->second);
    letters_.erase(found);
    count_.store(letters_.size(), std::memory_order_relaxed);
  }
  lock_.unlock();
  return here;
}

bool mail_room::wait(receiver& by, std::coroutine_handle<> who) {
  lock_.lock();
  const auto found = letters_.find(by.key);
  const bool here = found != letters_.end();
  if (here) {
    by.found = std::move(found->second);
    letters_.erase(found);
    count_.store(letters_.size(), std::memory_order_relaxed);
  } else {
    waiting_.emplace(by.key, waiter{&by, who});
  }
  lock_.unlock();
  return !here;
}

bool mail_room::out_of_order(std::uint32_t begun, std::uint64_t waves, letter_key& key,
                             collective_mark& mark) {
  lock_.lock();
  bool found = false;
  for (auto next = letters_.begin(); next != letters_.end() && next->first.team == 0; ++next) {
    if (next->first.sequence >= begun && next->second.mark.waves < waves) {
      key = next->first;
      mark = next->second.mark;
      found = true;
      break;
    }
  }
  lock_.unlock();
  return found;
}

}  // namespace lamellar::detail
