// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <lamellar/substrate/detail/access_queue.hpp>
#include <string_view>

namespace lamellar::detail {

distant_place::distant_place(std::source_location at, std::uint32_t on)
    : pe{on}, line{at.line()} {
  const std::string_view name{at.file_name()};
  const std::string_view end = name.substr(name.size() - std::min(name.size(), file.size()));
  std::copy(end.begin(), end.end(), file.begin());
}

std::string distant_place::text() const {
  const std::string_view whole{file.data(), file.size()};
  return fmt::format("PE {}, {}:{}", pe, whole.substr(0, whole.find('\0')), line);
}

void access_queue::admit(const waiter& who) {
  if (who.wanted == access::read) {
    ++readers_;
  } else {
    writing_ = true;
  }
  admitted_at_ = who.at;
}

bool access_queue::enter(waiter& who) {
  lock_.lock();
  const bool granted = first_ == nullptr && may_enter(who.wanted);
  if (granted) {
    admit(who);
  } else {
    (first_ == nullptr ? first_ : last_->next) = &who;
    last_ = &who;
  }
  lock_.unlock();
  return granted;
}

void access_queue::leave(engine& home, access which) noexcept {
  lock_.lock();
  if (which == access::read) {
    --readers_;
  } else {
    writing_ = false;
  }
  waiter* granted = first_;
  waiter* last_granted = nullptr;
  while (first_ != nullptr && may_enter(first_->wanted)) {
    admit(*first_);
    last_granted = first_;
    first_ = first_->next;
  }
  lock_.unlock();
  if (last_granted == nullptr) {
    return;
  }
  // A waiter is gone as soon as its coroutine runs: look at the next one before.
  for (bool more = true; more;) {
    waiter* const one = granted;
    more = one != last_granted;
    granted = one->next;
    resume_later(home, one->waiting, one->where);
  }
}

std::string access_queue::who_waits() {
  lock_.lock();
  std::uint32_t waiting = 0;
  for (const waiter* each = first_; each != nullptr; each = each->next) {
    ++waiting;
  }
  std::string text;
  if (waiting != 0) {
    text = fmt::format("{} wait, the first to {} ({}), for {} ({}) to let go", waiting,
                       first_->wanted == access::read ? "read" : "write", first_->at.text(),
                       writing_ ? std::string{"the writer"}
                                : fmt::format("{} readers, the last of them", readers_),
                       admitted_at_.text());
  }
  lock_.unlock();
  return text;
}

}  // namespace lamellar::detail
