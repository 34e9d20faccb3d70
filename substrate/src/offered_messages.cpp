// SPDX-License-Identifier: BSD-3-Clause
// Large messages to PEs on other hosts: the sender keeps the message in memory that the network
// reaches and says where it is, the receiver fetches it in one, and says that it has.
#include <fmt/format.h>

#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/detail/system_messages.hpp>
#include <lamellar/substrate/detail/transfer_end.hpp>
#include <lamellar/substrate/error.hpp>
#include <memory>

namespace lamellar::detail {
namespace {

/// Shorter messages are there sooner in pieces, which need no answer.
constexpr std::size_t shortest_offered = std::size_t{32} << 10;
constexpr const char* heap_name = "large messages under way";

}  // namespace

bool engine::should_offer(std::uint32_t to, std::size_t bytes) const {
  return bytes >= shortest_offered && lamella_->able().transfers && to != me_ &&
         lamella_->host_of(to) != lamella_->host_of(me_);
}

std::byte* engine::take_offered(std::size_t bytes) {
  heap_block block;
  try {
    block = heap_.allocate(bytes, heap_name, heap_contents::anything);
  } catch (const out_of_memory&) {
    return nullptr;  // it goes in pieces
  }
  if (block.remote.reachable == 0) {
    heap_.free(block, heap_name);
    return nullptr;
  }
  offers_lock_.lock();
  offers_.emplace(next_offer_++, block);
  offers_lock_.unlock();
  return block.data;
}

outgoing engine::make_offer(std::byte* message, std::size_t bytes) {
  message_offer offer{};
  std::memcpy(&offer.first, message, sizeof(offer.first));
  offer.bytes = bytes;
  offers_lock_.lock();
  for (const auto& [number, block] : offers_) {
    if (block.data != message) continue;
    offer.number = number;
    offer.where = block.remote;
    offer.offset = block.offset;
    break;
  }
  offers_lock_.unlock();
  auto* const copy =
      static_cast<std::byte*>(::operator new (sizeof(offer), std::align_val_t{64}));
  std::memcpy(copy, &offer, sizeof(offer));
  outgoing made{copy, sizeof(offer)};
  made.flags = offer_flag;
  return made;
}

void engine::withdraw_offered(std::byte* message) {
  offers_lock_.lock();
  for (auto at = offers_.begin(); at != offers_.end(); ++at) {
    if (at->second.data != message) continue;
    const heap_block block = at->second;
    offers_.erase(at);
    offers_lock_.unlock();
    heap_.free(block, heap_name);
    return;
  }
  offers_lock_.unlock();
}

void engine::offered_is_fetched(std::uint64_t number) {
  offers_lock_.lock();
  const auto found = offers_.find(number);
  const heap_block block = found == offers_.end() ? heap_block{} : found->second;
  if (found != offers_.end()) offers_.erase(found);
  offers_lock_.unlock();
  if (block.data == nullptr) {
    throw corrupt_message(fmt::format("word of message {}, which was not offered", number));
  }
  heap_.free(block, heap_name);
}

void engine::take_offer(lane& here, const lamellae::in_buffer& buffer) {
  message_offer offer;
  const bool is_whole = buffer.bytes == sizeof(offer);
  if (is_whole) std::memcpy(&offer, buffer.data, sizeof(offer));
  if (!is_whole || !lamella_->able().transfers || offer.bytes > largest_message_ ||
      offer.where.reachable == 0) {
    report(here, buffer.from, source::peer, 1,
           {me_, "(none)",
            fmt::format("corrupt buffer from PE {}: an offer of a message that cannot be",
                        buffer.from)});
    release(buffer, true, true);
    tally(executed_, 1, shared_);
    return;
  }
  const std::uint32_t from = buffer.from;
  release(buffer, false, false);
  // It goes on by itself, on any thread, between the steps of whoever waits.
  const handler_scope as_handler{here};
  task<> fetching = fetch_offered(offer, from);
  fetching.start();
}

task<> engine::fetch_offered(message_offer offer, std::uint32_t from) {
  std::unique_ptr<std::byte[]> data;
  try {
    data = std::make_unique_for_overwrite<std::byte[]>(offer.bytes);
  } catch (const std::bad_alloc&) {
    misuse(this,
           fmt::format("no memory for a message of {} bytes from PE {}; send it in pieces",
                       offer.bytes, from));
  }
  lamellae::transfer done;
  const transfer_end after_a_poll{this, nullptr};
  while (!lamella_->get(from, offer.where, offer.offset, {data.get(), offer.bytes}, done)) {
    co_await after_a_poll;
  }
  const transfer_end end{this, &done};
  co_await end;
  if (done.failed.load(std::memory_order_relaxed)) {
    misuse(this, fmt::format("the network failed to fetch a message of {} bytes from PE {}",
                             offer.bytes, from));
  }
  send_fetched(*this, from, offer.number);
  execute_copy(here(), {data.get(), offer.bytes}, from, source::peer);
}

}  // namespace lamellar::detail
