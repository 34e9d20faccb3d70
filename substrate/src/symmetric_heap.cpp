// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/detail/symmetric_heap.hpp>

namespace lamellar::detail {

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t first_segment = 2 * mib;
constexpr std::size_t longest_step = 64 * mib;
constexpr std::size_t page = 4096;

constexpr std::size_t round_up(std::size_t n, std::size_t to) {
  return n > ~std::size_t{0} - to ? n : (n + to - 1) / to * to;
}

std::string size_text(std::size_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  const double kib = static_cast<double>(bytes) / 1024;
  return kib < 1024           ? fmt::format("{:.4g} KiB", kib)
         : kib < 1024 * 1024. ? fmt::format("{:.4g} MiB", kib / 1024)
                              : fmt::format("{:.6g} GiB", kib / 1024 / 1024);
}

}  // namespace

symmetric_heap::symmetric_heap(lamellae::lamella& from, std::size_t limit)
    : from_{from}, limit_{limit / page * page} {}

symmetric_heap::~symmetric_heap() {
  for (const auto& each : segments_) {
    from_.free_segment(each->memory);
  }
}

heap_block symmetric_heap::allocate(std::size_t bytes, std::string_view what,
                                    heap_contents contents) {
  heap_block made;
  made.bytes = bytes;
  if (bytes == 0) {
    return made;
  }
  const std::size_t wanted = round_up(bytes, alignment);
  std::size_t used_before = 0;
  {
    const std::lock_guard lock{mutex_};
    auto at = find(wanted);
    if (at == free_.end()) {
      at = grow(wanted, what);
    }
    made.data = at->first;
    segment& of = *at->second.of;
    const std::size_t rest = at->second.bytes - wanted;
    remove_piece(at);
    if (rest != 0) {
      add_piece(made.data + wanted, {rest, &of});
    }
    made.key = of.memory.key;
    made.segment_bytes = of.bytes;
    made.remote = of.memory.remote;
    made.offset = static_cast<std::size_t>(made.data - of.memory.data);
    used_before =
        of.touched > made.offset ? std::min(of.touched - made.offset, wanted) : std::size_t{0};
    of.touched = std::max(of.touched, made.offset + wanted);
    of.in_use += wanted;
    owners_.emplace(made.data, &of);
    account& charged = accounts_.try_emplace(std::string{what}).first->second;
    ++charged.blocks;
    charged.bytes += wanted;
    in_use_ += wanted;
    most_in_use_ = std::max(most_in_use_, in_use_);
  }
  if (contents == heap_contents::zeros) {
    std::memset(made.data, 0, used_before);
  }
  return made;
}

void symmetric_heap::free(const heap_block& block, std::string_view what) noexcept {
  if (block.data == nullptr) {
    return;
  }
  const std::size_t bytes = round_up(block.bytes, alignment);
  const std::lock_guard lock{mutex_};
  const auto owner = owners_.find(block.data);
  segment& of = *owner->second;
  owners_.erase(owner);
  of.in_use -= bytes;
  in_use_ -= bytes;
  if (const auto charged = accounts_.find(what); charged != accounts_.end()) {
    charged->second.bytes -= bytes;
    if (--charged->second.blocks == 0) {
      accounts_.erase(charged);
    }
  }
  // Neighbours in memory become one piece; two segments may touch, and stay apart.
  std::byte* begin = block.data;
  std::size_t whole = bytes;
  if (const auto next = free_.find(begin + whole);
      next != free_.end() && next->second.of == &of) {
    whole += next->second.bytes;
    remove_piece(next);
  }
  if (const auto after = free_.lower_bound(begin); after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->second.of == &of && before->first + before->second.bytes == begin) {
      begin = before->first;
      whole += before->second.bytes;
      remove_piece(before);
    }
  }
  add_piece(begin, {whole, &of});
  give_back();
}

/// One empty segment is kept for the next block, so that a program which makes and drops one
/// region again and again, or sorts, does not ask the system each time: the largest that is
/// ordinary, or not much larger than what is in use.
void symmetric_heap::give_back() noexcept {
  const std::size_t most = longest_step + in_use_;
  const segment* kept = nullptr;
  for (const auto& each : segments_) {
    if (each->in_use == 0 && each->bytes <= most &&
        (kept == nullptr || each->bytes > kept->bytes)) {
      kept = each.get();
    }
  }
  std::erase_if(segments_, [&](const std::unique_ptr<segment>& each) {
    if (each->in_use != 0 || each.get() == kept) {
      return false;
    }
    remove_piece(free_.find(each->memory.data));
    held_ -= each->bytes;
    from_.free_segment(each->memory);
    return true;
  });
}

symmetric_heap::pieces::iterator symmetric_heap::find(std::size_t bytes) {
  const auto best = by_size_.lower_bound({bytes, nullptr});
  return best == by_size_.end() ? free_.end() : free_.find(best->second);
}

symmetric_heap::pieces::iterator symmetric_heap::grow(std::size_t bytes,
                                                      std::string_view what) {
  // An empty segment that is too small makes room for one that is not.
  for (std::size_t k = segments_.size(); k != 0 && bytes > limit_ - held_; --k) {
    if (segment& each = *segments_[k - 1]; each.in_use == 0) {
      remove_piece(free_.find(each.memory.data));
      held_ -= each.bytes;
      from_.free_segment(each.memory);
      segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(k - 1));
    }
  }
  const std::size_t room = limit_ - held_;
  if (bytes > room) {
    refuse(bytes, what,
           fmt::format("it may grow by {} more; raise LAMELLAR_HEAP_SIZE, or let go of what is "
                       "not needed and quiesce",
                       size_text(room)));
  }
  auto made = std::make_unique<segment>();
  const std::size_t step = std::clamp(held_, first_segment, longest_step);
  made->bytes = std::min(std::max(round_up(bytes, page), step), room);
  try {
    made->memory = from_.allocate_segment(made->bytes);
  } catch (const out_of_memory& e) {
    if (made->bytes == bytes) {
      refuse(bytes, what, e.what());
    }
    made->bytes = bytes;  // less will do
    try {
      made->memory = from_.allocate_segment(bytes);
    } catch (const out_of_memory& really) {
      refuse(bytes, what, really.what());
    }
  }
  held_ += made->bytes;
  segments_.push_back(std::move(made));
  segment& of = *segments_.back();
  return add_piece(of.memory.data, {of.bytes, &of});
}

symmetric_heap::pieces::iterator symmetric_heap::add_piece(std::byte* at, piece what) {
  by_size_.emplace(what.bytes, at);
  return free_.emplace(at, what).first;
}

void symmetric_heap::remove_piece(pieces::iterator which) {
  by_size_.erase({which->second.bytes, which->first});
  free_.erase(which);
}

void symmetric_heap::refuse(std::size_t bytes, std::string_view what,
                            std::string_view why) const {
  const heap_usage now = usage_locked();
  std::string users;
  for (const heap_usage::user& each : now.users) {
    users += fmt::format("{}{} of {}: {}", users.empty() ? " (" : ", ", each.blocks, each.what,
                         size_text(each.bytes));
  }
  users += users.empty() ? "" : ")";
  throw out_of_memory{fmt::format(
      "PE {}: the symmetric heap has no {} for a {}: {} of its {} are in use{}, the largest "
      "free piece has {}; {}",
      from_.me(), size_text(bytes), what, size_text(now.in_use), size_text(now.limit), users,
      size_text(now.largest_free), why)};
}

heap_usage symmetric_heap::usage() const {
  const std::lock_guard lock{mutex_};
  return usage_locked();
}

heap_usage symmetric_heap::usage_locked() const {
  heap_usage now;
  now.limit = limit_;
  now.held = held_;
  now.in_use = in_use_;
  now.most_in_use = most_in_use_;
  now.largest_free = by_size_.empty() ? 0 : by_size_.rbegin()->first;
  now.segments = segments_.size();
  for (const auto& each : segments_) {
    const std::size_t got = each->memory.page_bytes;
    now.page_bytes = now.page_bytes == 0 ? got : std::min(now.page_bytes, got);
  }
  for (const auto& [what, charged] : accounts_) {
    now.users.push_back({what, charged.blocks, charged.bytes});
  }
  return now;
}

}  // namespace lamellar::detail
