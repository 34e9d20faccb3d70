// SPDX-License-Identifier: BSD-3-Clause
#include "transfers.hpp"

#include <fmt/format.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>

#include <algorithm>
#include <utility>

namespace lamellar::lamellae {
namespace {

constexpr std::size_t most_under_way = 256;

}  // namespace

transfers::transfers(endpoint& net, bool always_register)
    : net_{net},
      registers_{always_register || net.wants(FI_MR_LOCAL)},
      longest_{std::max<std::size_t>(1, net.info().ep_attr->max_msg_size)},
      items_{std::make_unique<item[]>(most_under_way)} {
  for (std::size_t k = most_under_way; k-- > 0;) {
    items_[k].next = std::exchange(free_, &items_[k]);
  }
  if (registers_) {
    auto* const begin = reinterpret_cast<std::byte*>(items_.get());
    items_registered_ =
        net_.register_memory({begin, most_under_way * sizeof(item)}, FI_READ | FI_WRITE);
  }
}

exposed_memory transfers::expose(std::span<std::byte> memory) {
  registration made = net_.register_memory(
      memory, FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE | FI_SEND | FI_RECV);
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  exposed_memory result;
  result.name.address = net_.wants(FI_MR_VIRT_ADDR) ? begin : 0;
  result.name.key = fi_mr_key(made.get());
  result.name.reachable = true;
  result.handle = made.get();
  exposed_.emplace(begin, exposure{memory.size(), std::move(made)});
  return result;
}

void transfers::hide(const exposed_memory& which) noexcept {
  const auto found = std::find_if(exposed_.begin(), exposed_.end(), [&](const auto& entry) {
    return entry.second.registered.get() == which.handle;
  });
  if (found != exposed_.end()) exposed_.erase(found);
}

void* transfers::descriptor_of(const request& what, registration& own) {
  if (!registers_) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(what.local);
  auto after = exposed_.upper_bound(begin);
  if (after != exposed_.begin()) {
    const auto& [base, region] = *--after;
    if (begin + what.bytes <= base + region.bytes) return fi_mr_desc(region.registered.get());
  }
  own = net_.register_memory({what.local, what.bytes},
                             what.what == request::kind::put ? FI_WRITE : FI_READ);
  return fi_mr_desc(own.get());
}

bool transfers::begin(const request& what, transfer& done, failures& failed) {
  if (what.bytes == 0) return true;
  if (free_ == nullptr) return false;
  item& made = *free_;
  made.descriptor = descriptor_of(what, made.registered);
  made.what = what;
  made.whole = what.bytes;
  return start(made, done, failed);
}

bool transfers::begin_fetch_add(const request& what, std::uint64_t by, std::uint64_t& before,
                                transfer& done, failures& failed) {
  if (free_ == nullptr) return false;
  item& made = *free_;
  made.what = what;
  made.whole = what.bytes;
  made.operand = by;
  made.before = &before;
  made.descriptor = registers_ ? fi_mr_desc(items_registered_.get()) : nullptr;
  return start(made, done, failed);
}

bool transfers::start(item& which, transfer& done, failures& failed) {
  // Raised first: the end may be found, by another thread, before this one looks again.
  done.pending.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t code = issue(which);
  if (code == -FI_EAGAIN) {
    done.pending.fetch_sub(1, std::memory_order_relaxed);
    which.registered.reset();
    return false;
  }
  free_ = which.next;
  which.done = &done;
  ++under_way_;
  if (code != 0) {
    failed.push_back(failure_of(which, reason_of(code)));
    finish(which, true);
  }
  return true;
}

std::int64_t transfers::issue(item& which) {
  if (which.what.what == request::kind::fetch_add) return issue_fetch_add(which);
  which.piece = std::min(which.what.bytes, longest_);
  const iovec here{which.what.local, which.piece};
  const fi_rma_iov there{which.what.at, which.piece, which.what.key};
  fi_msg_rma message{};
  message.msg_iov = &here;
  message.desc = &which.descriptor;
  message.iov_count = 1;
  message.addr = which.what.address;
  message.rma_iov = &there;
  message.rma_iov_count = 1;
  message.context = &which.context;
  return which.what.what == request::kind::put
             ? fi_writemsg(net_.ep(), &message, FI_COMPLETION | FI_DELIVERY_COMPLETE)
             : fi_readmsg(net_.ep(), &message, FI_COMPLETION);
}

std::int64_t transfers::issue_fetch_add(item& which) {
  which.piece = which.what.bytes;
  return fi_fetch_atomic(net_.ep(), &which.operand, 1, which.descriptor, &which.result,
                         which.descriptor, which.what.address, which.what.at, which.what.key,
                         FI_UINT64, FI_SUM, &which.context);
}

void transfers::completed(operation& op, failures& failed) {
  item& which = static_cast<item&>(op);
  which.what.local += which.piece;
  which.what.at += which.piece;
  which.what.bytes -= which.piece;
  if (which.what.bytes == 0) {
    if (which.what.what == request::kind::fetch_add) *which.before = which.result;
    finish(which, false);
    return;
  }
  const std::int64_t code = issue(which);
  if (code == -FI_EAGAIN) {
    which.next = std::exchange(waiting_, &which);
  } else if (code != 0) {
    failed.push_back(failure_of(which, reason_of(code)));
    finish(which, true);
  }
}

void transfers::failed(operation& op, const std::string& reason, failures& failed) {
  item& which = static_cast<item&>(op);
  failed.push_back(failure_of(which, reason));
  finish(which, true);
}

void transfers::retry(failures& failed) {
  while (waiting_ != nullptr) {
    item& which = *waiting_;
    const std::int64_t code = issue(which);
    if (code == -FI_EAGAIN) return;
    waiting_ = which.next;
    if (code != 0) {
      failed.push_back(failure_of(which, reason_of(code)));
      finish(which, true);
    }
  }
}

void transfers::finish(item& which, bool failed) {
  transfer& done = *std::exchange(which.done, nullptr);
  which.registered.reset();
  which.next = std::exchange(free_, &which);
  --under_way_;
  // After the last line nobody may touch it: whoever waits may let it go.
  if (failed) done.failed.store(true, std::memory_order_relaxed);
  done.pending.fetch_sub(1, std::memory_order_release);
}

fabric_failure transfers::failure_of(const item& which, std::string reason) {
  const std::uint32_t peer = which.what.peer;
  std::string words;
  switch (which.what.what) {
    case request::kind::put:
      words = fmt::format("a put of {} bytes to PE {}", which.whole, peer);
      break;
    case request::kind::get:
      words = fmt::format("a get of {} bytes from PE {}", which.whole, peer);
      break;
    case request::kind::fetch_add:
      words = fmt::format("a fetch_add at PE {}", peer);
      break;
  }
  return {peer, std::move(words), std::move(reason)};
}

void transfers::abandon() noexcept {
  waiting_ = nullptr;
  for (std::size_t k = 0; k < most_under_way; ++k) {
    if (items_[k].done != nullptr) finish(items_[k], true);
  }
}

void transfers::unregister() noexcept {
  for (std::size_t k = 0; k < most_under_way; ++k) items_[k].registered.reset();
  items_registered_.reset();
  exposed_.clear();
}

}  // namespace lamellar::lamellae
