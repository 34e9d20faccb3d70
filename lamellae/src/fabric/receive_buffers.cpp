// SPDX-License-Identifier: BSD-3-Clause
#include "receive_buffers.hpp"

#include <rdma/fi_errno.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace lamellar::lamellae {
namespace {

constexpr std::align_val_t page{4096};
constexpr std::size_t alignment = 16;
constexpr std::size_t fewest_messages = 8;  // of the longest kind, in one buffer
constexpr std::size_t fewest_buffers = 4;
constexpr std::size_t usual_buffers = 8;
constexpr auto time_to_cancel = std::chrono::milliseconds{100};
constexpr std::size_t most_buffer_bytes = std::size_t{4} << 20;

void free_pages(std::byte* memory) { ::operator delete(memory, page); }

std::size_t divided(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

std::size_t bytes_of_a_buffer(const fabric_choice& choice) {
  const std::size_t message = choice.message_bytes;
  const std::size_t share = divided(choice.expected_messages, usual_buffers) * message;
  const std::size_t most = std::max(fewest_messages, most_buffer_bytes / message) * message;
  return std::clamp(share, fewest_messages * message, most);
}

}  // namespace

receive_buffers::receive_buffers(endpoint& net, const fabric_choice& choice)
    : net_{net},
      message_bytes_{choice.message_bytes},
      bytes_{bytes_of_a_buffer(choice)},
      count_{static_cast<std::uint32_t>(
          std::max(fewest_buffers,
                   divided(std::size_t{choice.expected_messages} * message_bytes_, bytes_)))},
      too_few_{std::max(1u, count_ / 4)},
      most_early_{std::size_t{1024} + choice.expected_messages},
      numbers_{net.info(), 0},
      memory_{static_cast<std::byte*>(::operator new(count_* bytes_, page)), &free_pages},
      buffers_{std::make_unique<buffer[]>(count_)} {
  if (net_.wants(FI_MR_LOCAL)) {
    registered_ = net_.register_memory({memory_.get(), count_ * bytes_}, FI_RECV);
    descriptor_ = fi_mr_desc(registered_.get());
  }
  free_.reserve(count_);
  for (std::uint32_t k = 0; k < count_; ++k) {
    buffer& one = buffers_[k];
    one.index = k;
    one.data = memory_.get() + k * bytes_;
    free_.push_back(&one);
  }
}

std::int64_t receive_buffers::post() {
  if (!doubts_.empty()) end_doubts();
  while (!free_.empty()) {
    buffer& one = *free_.back();
    iovec place{one.data, bytes_};
    fi_msg message{};
    message.msg_iov = &place;
    message.desc = &descriptor_;
    message.iov_count = 1;
    message.addr = FI_ADDR_UNSPEC;
    message.context = &one.context;
    const auto code = fi_recvmsg(net_.ep(), &message, FI_MULTI_RECV);
    if (code == -FI_EAGAIN) return 0;
    if (code != 0) return code;
    one.posted = true;
    one.free = false;
    ++posted_;
    free_.pop_back();
  }
  return 0;
}

void receive_buffers::completed(const fi_cq_data_entry& entry) {
  buffer& in = *static_cast<buffer*>(static_cast<operation*>(entry.op_context));
  // Some providers say in an entry of its own that a buffer is full, some in the entry of its
  // last message.
  if (entry.flags & FI_MULTI_RECV) give_up(in);
  if (entry.flags & FI_RECV) {
    const bool numbered = numbers_ && (entry.flags & FI_REMOTE_CQ_DATA);
    arrived(in, static_cast<std::byte*>(entry.buf), entry.len,
            numbered ? &entry.data : nullptr);
  }
  post_when_free(in);
}

void receive_buffers::failed(const fi_cq_err_entry& entry) {
  buffer& in = *static_cast<buffer*>(static_cast<operation*>(entry.op_context));
  if (entry.err != FI_ECANCELED) ++ignored_;
  if ((entry.flags & FI_MULTI_RECV) || entry.err == FI_ECANCELED) {
    give_up(in);
    post_when_free(in);
  } else {
    // Whatever it does with what is cancelled, it has done it soon.
    fi_cancel(&net_.ep()->fid, &in.context);
    doubts_.push_back({&in, std::chrono::steady_clock::now() + time_to_cancel});
  }
}

void receive_buffers::end_doubts() {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(doubts_, [&](const doubt& one) {
    if (one.about->posted && now < one.end) return false;
    give_up(*one.about);
    post_when_free(*one.about);
    return true;
  });
}

void receive_buffers::give_up(buffer& which) {
  if (which.posted) --posted_;
  which.posted = false;
}

void receive_buffers::post_when_free(buffer& which) {
  if (which.posted || which.free || which.held != 0) return;
  which.free = true;
  free_.push_back(&which);
}

void receive_buffers::arrived(buffer& in, std::byte* data, std::size_t bytes,
                              const std::uint64_t* number) {
  const bool inside = data >= in.data && data + bytes <= in.data + bytes_;
  if (bytes == 0 || bytes > message_bytes_ || !inside) {
    ++ignored_;
    return;
  }
  const auto length = static_cast<std::uint32_t>(bytes);
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
  if (!aligned || posted_ <= too_few_) {
    in_order(copied(data, length), number);
  } else {
    ++in.held;
    in_order({data, length, in.index}, number);
  }
}

fabric_arrival receive_buffers::copied(const std::byte* data, std::uint32_t bytes) {
  static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= alignment);
  auto copy = std::make_unique_for_overwrite<std::byte[]>(bytes);
  std::memcpy(copy.get(), data, bytes);
  const std::byte* const place = copy.get();
  std::uint32_t index;
  if (free_copies_.empty()) {
    index = static_cast<std::uint32_t>(copies_.size());
    copies_.push_back(std::move(copy));
  } else {
    index = free_copies_.back();
    free_copies_.pop_back();
    copies_[index] = std::move(copy);
  }
  return {place, bytes, count_ + index};
}

void receive_buffers::in_order(const fabric_arrival& what, const std::uint64_t* number) {
  if (number == nullptr || numbers_.from(*number) >= next_.size()) {
    ready_.push_back(what);
    return;
  }
  const std::uint32_t from = numbers_.from(*number);
  std::uint32_t& next = next_[from];
  const std::int32_t ahead = numbers_.ahead(*number, next);
  if (ahead > 0 && early_.size() < most_early_) {
    early_.push_back({from, next + static_cast<std::uint32_t>(ahead), what});
    return;
  }
  ready_.push_back(what);
  if (ahead < 0) return;
  next += static_cast<std::uint32_t>(ahead) + 1;
  while (!early_.empty()) {
    const auto due = std::find_if(early_.begin(), early_.end(), [&](const early& e) {
      return e.from == from && static_cast<std::int32_t>(e.number - next) <= 0;
    });
    if (due == early_.end()) return;
    if (due->number == next) ++next;
    ready_.push_back(due->what);
    early_.erase(due);
  }
}

void receive_buffers::expect(std::uint32_t peers) {
  numbers_ = message_numbers{net_.info(), peers};
  next_.assign(peers, 0);
  for (const early& one : early_) ready_.push_back(one.what);
  early_.clear();
}

std::uint32_t receive_buffers::take(std::span<fabric_arrival> into) {
  const std::size_t count = std::min(into.size(), ready_.size() - taken_);
  std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(taken_), count, into.begin());
  taken_ += count;
  if (taken_ == ready_.size()) {
    ready_.clear();
    taken_ = 0;
  }
  return static_cast<std::uint32_t>(count);
}

void receive_buffers::release(const fabric_arrival& which) {
  if (which.slot >= count_) {
    copies_[which.slot - count_].reset();
    free_copies_.push_back(which.slot - count_);
    return;
  }
  buffer& in = buffers_[which.slot];
  --in.held;
  post_when_free(in);
}

}  // namespace lamellar::lamellae
