// SPDX-License-Identifier: BSD-3-Clause
#include "send_buffers.hpp"

#include <algorithm>
#include <lamellar/lamellae/error.hpp>
#include <new>
#include <utility>

namespace lamellar::lamellae {
namespace {

constexpr std::align_val_t page{4096};
constexpr std::size_t slab_bytes = std::size_t{256} << 10;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

void free_pages(std::byte* memory) { ::operator delete(memory, page); }

}  // namespace

send_buffers::send_buffers(endpoint& net, std::uint32_t message_bytes, std::size_t most)
    : net_{net},
      stride_{sizeof(send_item) + rounded_up(message_bytes, alignof(send_item))},
      most_{most} {
  grow();
}

send_buffers::~send_buffers() = default;

send_item* send_buffers::take() {
  const gate::pass alone = gate_.enter();
  if (free_ == nullptr) {
    if (made_ >= most_) return nullptr;
    try {
      grow();
    } catch (const out_of_memory&) {
      return nullptr;
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  return std::exchange(free_, free_->next);
}

void send_buffers::give_back(send_item* item) {
  const gate::pass alone = gate_.enter();
  item->next = std::exchange(free_, item);
}

void send_buffers::unregister() noexcept {
  for (slab& one : slabs_) one.registered.reset();
}

void send_buffers::grow() {
  const std::size_t count =
      std::min(most_ - made_, std::max<std::size_t>(4, slab_bytes / stride_));
  const std::size_t bytes = count * stride_;
  slab made{{static_cast<std::byte*>(::operator new(bytes, page)), &free_pages}, {}};
  void* descriptor = nullptr;
  if (net_.wants(FI_MR_LOCAL)) {
    made.registered = net_.register_memory({made.memory.get(), bytes}, FI_SEND);
    descriptor = fi_mr_desc(made.registered.get());
  }
  for (std::size_t k = count; k-- > 0;) {
    auto* const item = new (made.memory.get() + k * stride_) send_item;
    item->descriptor = descriptor;
    item->next = std::exchange(free_, item);
  }
  made_ += count;
  slabs_.push_back(std::move(made));
}

}  // namespace lamellar::lamellae
