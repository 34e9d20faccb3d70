// SPDX-License-Identifier: BSD-3-Clause
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <lamellar/containers/detail/table_memory.hpp>
#include <new>

namespace lamellar::detail {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t line = 64;
constexpr std::size_t small = std::size_t{8} << 10;  // up to this from the heap
constexpr std::size_t large = huge_page;             // from this on by itself

constexpr std::size_t rounded(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

std::byte* take_aligned(std::size_t alignment, std::size_t bytes) {
  void* const memory = std::aligned_alloc(alignment, rounded(bytes, alignment));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return static_cast<std::byte*>(memory);
}

}  // namespace

table_memory::~table_memory() {
  for (const chunk& each : chunks_) {
    std::free(each.begin);
  }
}

void* table_memory::take(std::size_t bytes) {
  const std::lock_guard held{mutex_};
  if (bytes > small && bytes < large) {
    return take_from_chunks(rounded(bytes, line));
  }
  std::byte* const memory = take_aligned(bytes < large ? line : huge_page, bytes);
  if (bytes >= large) {
    // Whole pages only: the rest of the last one stays as small ones, used as needed.
    ::madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE);
  }
  others_ += bytes;
  return memory;
}

void table_memory::give_back(void* memory, std::size_t bytes) noexcept {
  const std::lock_guard held{mutex_};
  auto* const begin = static_cast<std::byte*>(memory);
  if (bytes <= small || bytes >= large) {
    others_ -= bytes;
    std::free(begin);
    return;
  }
  bytes = rounded(bytes, line);
  // Joined with its free neighbours in the chunk.
  const chunk in = chunk_of(begin);
  auto range = free_.emplace(begin, bytes).first;
  if (const auto next = std::next(range); next != free_.end() &&
                                          range->first + range->second == next->first &&
                                          next->first < in.begin + in.bytes) {
    range->second += next->second;
    free_.erase(next);
  }
  if (range != free_.begin()) {
    if (const auto before = std::prev(range);
        before->first + before->second == range->first && range->first > in.begin) {
      before->second += range->second;
      free_.erase(range);
      range = before;
    }
  }
  if (range->second == in.bytes) {
    free_.erase(range);
    std::erase_if(chunks_, [&](const chunk& each) { return each.begin == in.begin; });
    from_chunks_ -= in.bytes;
    std::free(in.begin);
  }
}

std::size_t table_memory::bytes() const {
  const std::lock_guard held{mutex_};
  return from_chunks_ + others_;
}

void* table_memory::take_from_chunks(std::size_t bytes) {
  // The smallest range that will do.
  auto best = free_.end();
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    if (range->second >= bytes && (best == free_.end() || range->second < best->second)) {
      best = range;
    }
  }
  if (best == free_.end()) {
    add_chunk(bytes);
    return take_from_chunks(bytes);
  }
  std::byte* const memory = best->first;
  const std::size_t left = best->second - bytes;
  free_.erase(best);
  if (left != 0) {
    free_.emplace(memory + bytes, left);
  }
  return memory;
}

void table_memory::add_chunk(std::size_t least) {
  // Room for several tables of this size, so that little is left over at the end.
  const std::size_t bytes = rounded(std::max(8 * least, from_chunks_ / 16), huge_page);
  std::byte* const memory = take_aligned(huge_page, bytes);
  ::madvise(memory, bytes, MADV_HUGEPAGE);
  chunks_.push_back({memory, bytes});
  free_.emplace(memory, bytes);
  from_chunks_ += bytes;
}

table_memory::chunk table_memory::chunk_of(const std::byte* at) const {
  return *std::find_if(chunks_.begin(), chunks_.end(), [at](const chunk& each) {
    return at >= each.begin && at < each.begin + each.bytes;
  });
}

}  // namespace lamellar::detail
