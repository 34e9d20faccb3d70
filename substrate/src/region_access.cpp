// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <lamellar/substrate/detail/counted_as_work.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/detail/region_part.hpp>
#include <lamellar/substrate/detail/transfer_end.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace lamellar::detail {

namespace {

/// A longer range travels in pieces of so many bytes: neither end holds it all a second time.
constexpr std::size_t longest_piece = std::size_t{256} << 10;
/// Pieces of a get that are under way at a time.
constexpr std::size_t pieces_under_way = 8;

/// Shorter ranges go by messages, which share buffers and need no answer of their own from the
/// network.
constexpr std::size_t shortest_put = 4096;
constexpr std::size_t shortest_get = 1024;

struct write_bytes {
  void operator()(context& at, region_id id, std::uint64_t offset,
                  std::span<const std::byte> bytes) const {
    if (!bytes.empty()) {
      std::memcpy(region_bytes(engine_of(at.world()), id, offset, bytes.size()), bytes.data(),
                  bytes.size());
    }
  }
};

struct read_bytes {
  std::vector<std::byte> operator()(context& at, region_id id, std::uint64_t offset,
                                    std::uint64_t count) const {
    const std::byte* from = region_bytes(engine_of(at.world()), id, offset, count);
    return {from, from + count};
  }
};

/// Ask for the pieces one after the other, put each where it belongs.
task<> fetch_pieces(region_reach at, std::uint64_t offset, std::shared_ptr<landing> into) {
  const counted_as_work until_the_last_piece{*at.home};
  std::deque<reply<std::vector<std::byte>>> asked;
  std::size_t requested = 0;
  for (std::size_t placed = 0; placed != into->bytes;) {
    for (; requested != into->bytes && asked.size() < pieces_under_way;) {
      const std::size_t now = std::min(longest_piece, into->bytes - requested);
      asked.push_back(call_message<void>(*at.home, at.to, 0, read_bytes{}, at.id,
                                         offset + requested, std::uint64_t{now}));
      requested += now;
    }
    const std::vector<std::byte> piece = co_await asked.front();
    asked.pop_front();
    const std::lock_guard lock{into->mutex};
    if (into->at == nullptr) {
      co_return;  // nobody wants it any more
    }
    std::memcpy(into->at + placed, piece.data(), piece.size());
    placed += piece.size();
  }
}

[[noreturn]] void network_failed(const region_reach& at, const char* what, std::size_t bytes) {
  throw error(fmt::format("the network failed in a {} of {} bytes {} PE {}", what, bytes,
                          what == std::string_view{"put"} ? "to" : "from", at.to));
}

/// What a put reads while its caller goes on. In the heap, which keeps its memory: the next
/// copy costs no pages, and networks that want registered memory have it.
class put_copy {
 public:
  put_copy() = default;
  put_copy(symmetric_heap& heap, std::span<const std::byte> from)
      : heap_{&heap}, block_{heap.allocate(from.size(), account, heap_contents::anything)} {
    std::memcpy(block_.data, from.data(), from.size());
  }
  put_copy(put_copy&& other) noexcept
      : heap_{std::exchange(other.heap_, nullptr)}, block_{other.block_} {}
  put_copy& operator=(put_copy&& other) noexcept {
    std::swap(heap_, other.heap_);
    std::swap(block_, other.block_);
    return *this;
  }
  ~put_copy() {
    if (heap_ != nullptr) heap_->free(block_, account);
  }
  std::span<const std::byte> bytes() const { return {block_.data, block_.bytes}; }

 private:
  static constexpr std::string_view account = "copies of what is being put";

  symmetric_heap* heap_ = nullptr;
  heap_block block_;
};

/// `copy` holds `from`, or nothing does.
task<> put_by_network(region_reach at, std::uint64_t offset, std::span<const std::byte> from,
                      [[maybe_unused]] put_copy copy) {
  const counted_as_work until_it_is_there{*at.home};
  const network_place to = *at.network;
  lamellae::transfer done;
  const transfer_end next_poll{at.home, nullptr};
  while (!at.home->transport().put(at.to, to.memory, to.offset + offset, from, done)) {
    co_await next_poll;
  }
  const transfer_end end{at.home, &done};
  co_await end;
  if (done.failed.load(std::memory_order_relaxed)) network_failed(at, "put", from.size());
}

task<> get_by_network(region_reach at, std::uint64_t offset, std::shared_ptr<landing> into) {
  const counted_as_work until_it_is_here{*at.home};
  const network_place from = *at.network;
  const transfer_end next_poll{at.home, nullptr};
  for (;;) {
    {
      const std::lock_guard lock{into->mutex};
      if (into->at == nullptr) co_return;  // nobody wants it any more
      const std::span<std::byte> place{into->at, into->bytes};
      if (at.home->transport().get(at.to, from.memory, from.offset + offset, place,
                                   into->by_network)) {
        break;
      }
    }
    co_await next_poll;
  }
  const transfer_end end{at.home, &into->by_network};
  co_await end;
  if (into->by_network.failed.load(std::memory_order_relaxed)) {
    network_failed(at, "get", into->bytes);
  }
}

void count_by_network(const region_reach& at) {
  if (region_counts* counts = at.home->counted_regions(); counts != nullptr) {
    counts->by_network.fetch_add(1, std::memory_order_relaxed);
    counts->by_message.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace

std::byte* region_bytes(engine& at, region_id id, std::uint64_t offset, std::uint64_t count) {
  const auto number = static_cast<std::uint32_t>(id);
  std::span<std::byte> memory;
  if (id == shared_region_id(number)) {
    const auto& part =
        *static_cast<const region_part*>(find_object(at, number, typeid(region_part)).part);
    memory = {part.block.data, part.block.bytes};
  } else {
    memory = at.one_sided().find(number);
  }
  if (offset > memory.size() || count > memory.size() - offset) {
    throw corrupt_message(
        fmt::format("a message for {} bytes at {} of a memory region that has {}", count,
                    offset, memory.size()));
  }
  return memory.data() + offset;
}

std::byte* region_element_at(engine& at, region_id id, std::uint64_t offset,
                             std::uint64_t bytes) {
  if (offset % bytes != 0) {
    throw corrupt_message(fmt::format(
        "a message for an element of {} bytes at {}, where none begins", bytes, offset));
  }
  return region_bytes(at, id, offset, bytes);
}

void region_out_of_range(const engine* at, const char* what, std::size_t index,
                         std::size_t count, std::size_t size, std::source_location where) {
  if (at == nullptr) {
    misuse(nullptr,
           fmt::format("{} of a memory region that is empty: it was moved away, or never "
                       "created",
                       what),
           where);
  }
  misuse(at,
         count == 1
             ? fmt::format("{}: index {} in a memory region of {} elements", what, index, size)
             : fmt::format("{}: {} elements from index {} on in a memory region of {} elements",
                           what, count, index, size),
         where);
}

void region_is_elsewhere(const engine* at, const one_sided_entry* which,
                         std::source_location where) {
  if (which == nullptr) {
    region_out_of_range(nullptr, "local", 0, 0, 0, where);
  }
  misuse(
      at,
      fmt::format("local(): the memory of this one-sided region lies on PE {}; use put() and "
                  "get(), or ask is_local()",
                  which->name.owner),
      where);
}

void drop_landing(landing& dropped) noexcept {
  if (std::uncaught_exceptions() == 0) {
    misuse(dropped.home,
           fmt::format("the completion of a get of {} bytes was dropped before they had come, "
                       "and they would be written into memory that may be gone; wait for it "
                       "with .get() or co_await",
                       dropped.bytes),
           dropped.where);
  }
  {
    const std::lock_guard lock{dropped.mutex};
    dropped.at = nullptr;
  }
  // What the network is writing cannot be called back.
  while (dropped.by_network.pending.load(std::memory_order_acquire) != 0) {
    dropped.home->progress(dropped.home->here(), resume::anywhere);
  }
}

completion<> send_bytes(const region_reach& at, std::uint64_t offset,
                        std::span<const std::byte> from, bool lasting) {
  if (at.network != nullptr && from.size() >= shortest_put) {
    count_by_network(at);
    put_copy copy;
    if (!lasting) {
      copy = put_copy{at.home->heap(), from};
      from = copy.bytes();
    }
    return completion<>{reply<>{put_by_network(at, offset, from, std::move(copy))}};
  }
  std::vector<reply<>> pieces;
  for (std::size_t sent = 0; sent != from.size();) {
    const std::size_t now = std::min(longest_piece, from.size() - sent);
    pieces.push_back(call_message<void>(*at.home, at.to, 0, write_bytes{}, at.id, offset + sent,
                                        from.subspan(sent, now)));
    sent += now;
  }
  if (pieces.size() == 1) {
    return completion<>{std::move(pieces.front())};
  }
  return completion<>{reply<>{gather_replies<void>(std::move(pieces))}};
}

completion<> fetch_bytes(const region_reach& at, std::uint64_t offset,
                         std::span<std::byte> into, std::source_location where) {
  auto place = std::make_shared<landing>();
  place->home = at.home;
  place->bytes = into.size();
  place->where = where;
  place->at = into.data();
  const bool by_network = at.network != nullptr && into.size() >= shortest_get;
  if (by_network) count_by_network(at);
  reply<> rest{by_network ? get_by_network(at, offset, place)
                          : fetch_pieces(at, offset, place)};
  return {std::move(rest), std::move(place)};
}

}  // namespace lamellar::detail
