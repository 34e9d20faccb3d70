// SPDX-License-Identifier: BSD-3-Clause
#include "segments.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <lamellar/lamellae/error.hpp>
#include <string_view>

#include "job_memory.hpp"
#include "memory.hpp"

namespace lamellar::lamellae {
namespace {

constexpr std::size_t small_page = 4096;
constexpr std::size_t longest_step = std::size_t{64} << 20;
constexpr std::size_t shortest_step = std::size_t{1} << 18;
#ifdef MADV_COLLAPSE
constexpr int collapse_now = MADV_COLLAPSE;
#else
constexpr int collapse_now = 25;  // of Linux 6.1; older headers do not have its name
#endif

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

[[noreturn]] void refuse(std::size_t bytes, std::string_view why) {
  throw out_of_memory{fmt::format(
      "cannot get a segment of {} MiB: {}; ask for less, or start fewer PEs on this "
      "host: each may take as much as LAMELLAR_HEAP_SIZE allows",
      (bytes + (std::size_t{1} << 20) - 1) >> 20, why)};
}

/// The system promises more than it has, so ask it how much there is.
void check_available(std::size_t bytes) {
  const std::size_t left = memory_available();
  if (bytes > left) refuse(bytes, fmt::format("{} MiB of memory are left", left >> 20));
}

/// Map at a multiple of 2 MiB, so that huge pages fit. nullptr when the system refuses.
std::byte* map_aligned(std::size_t bytes, int flags, int fd, std::uint64_t offset) {
  void* const room = mmap(nullptr, bytes + huge_page, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  const auto start = reinterpret_cast<std::uintptr_t>(room);
  const std::uintptr_t aligned = round_up(start, huge_page);
  void* const at = mmap(reinterpret_cast<void*>(aligned), bytes, PROT_READ | PROT_WRITE,
                        flags | MAP_FIXED | MAP_NORESERVE, fd, static_cast<off_t>(offset));
  if (at == MAP_FAILED) {
    munmap(room, bytes + huge_page);
    return nullptr;
  }
  if (aligned != start) munmap(room, aligned - start);
  // The system rounds a mapping of huge pages up by itself; `bytes` is a multiple of them then.
  const std::uintptr_t end = aligned + round_up(bytes, small_page);
  if (const std::size_t tail = start + bytes + huge_page - end; tail != 0) {
    munmap(reinterpret_cast<void*>(end), tail);
  }
  return static_cast<std::byte*>(at);
}

/// The size of the page that holds `data`, of which the first byte and nothing else has been
/// touched: what has come into memory along with it belongs to the same page.
std::size_t page_got_by_touch(std::byte* data) {
  unsigned char resident[huge_page / small_page] = {};
  if (mincore(data, huge_page, resident) != 0) return small_page;
  const bool is_huge = std::all_of(std::begin(resident), std::end(resident),
                                   [](unsigned char flags) { return (flags & 1) != 0; });
  return is_huge ? huge_page : small_page;
}

/// Give memory to a range of a file now. In steps, since a signal undoes a whole step; where
/// signals come fast the steps get short.
bool reserve(int fd, std::uint64_t offset, std::size_t bytes) {
  std::size_t step = longest_step;
  while (bytes != 0) {
    const std::size_t now = std::min(bytes, step);
    if (fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(now)) != 0) {
      if (errno != EINTR) return false;
      step = std::max(step / 2, shortest_step);
      continue;
    }
    offset += now;
    bytes -= now;
  }
  return true;
}

void give_back(int fd, std::uint64_t offset, std::size_t bytes) {
  const int reason = errno;
  fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
            static_cast<off_t>(bytes));
  errno = reason;
}

/// Make a file at least `end` bytes long without ever making it shorter, whatever other
/// processes do to it at the same time. The last page before `end` must be the caller's own.
bool grow_to(int fd, std::uint64_t end) {
  if (!reserve(fd, end - small_page, small_page)) return false;
  give_back(fd, end - small_page, small_page);
  return true;
}

/// Touch a part of a mapping, so that what the system cannot give is an error, not a signal.
bool populate(std::byte* data, std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  return madvise(data, bytes, MADV_POPULATE_WRITE) == 0;
#else
  errno = EINVAL;
  return data == nullptr && bytes == 0;
#endif
}

/// Bring huge pages into a mapping of a file that has no pages yet, and say of which size they
/// are now. Where shared memory may have huge pages (`shmem_enabled`), a touch brings one;
/// since Linux 6.1 the pages that a touch did bring can be made a huge one, whatever that
/// setting says. What got none is left without memory.
std::size_t ask_for_huge_pages(std::byte* data, std::size_t bytes) {
  const std::size_t whole = bytes / huge_page * huge_page;
  madvise(data, bytes, MADV_HUGEPAGE);
  if (!populate(data, small_page)) return small_page;
  const std::size_t by_touch = page_got_by_touch(data);
  for (std::size_t at = huge_page; at < whole; at += huge_page) {
    if (!populate(data + at, small_page)) return small_page;
  }
  return madvise(data, whole, collapse_now) == 0 ? huge_page : by_touch;
}

}  // namespace

segment allocate_private_segment(std::size_t bytes) {
  const std::size_t rounded = round_up(std::max(bytes, std::size_t{1}), huge_page);
  check_available(rounded);
  segment made;
  made.data = map_aligned(rounded, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (made.data == nullptr) refuse(rounded, std::strerror(errno));
  made.bytes = rounded;
  made.key = reinterpret_cast<std::uintptr_t>(made.data);
  madvise(made.data, rounded, MADV_HUGEPAGE);
  *static_cast<volatile std::byte*>(made.data) = std::byte{0};
  made.page_bytes = page_got_by_touch(made.data);
  return made;
}

void free_private_segment(const segment& which) noexcept { munmap(which.data, which.bytes); }

shared_segments::~shared_segments() {
  for (const auto& [key, at] : mapped_) munmap(at.data, at.bytes);
  for (const range& at : outgrown_) munmap(at.data, at.bytes);
}

std::uint64_t shared_segments::take_range(const file& from, std::size_t bytes) {
  const std::uint64_t mark = from.fd == huge_.fd ? 1 : 0;
  const std::lock_guard lock{mutex_};
  const auto [first, last] = spare_.equal_range(bytes);
  for (auto it = first; it != last; ++it) {
    if ((it->second & 1) != mark) continue;
    const std::uint64_t key = it->second;
    spare_.erase(it);
    return key;
  }
  return from.end->fetch_add(round_up(bytes, huge_page)) | mark;
}

/// Back the range `key` with memory and map it; false when there is not enough.
bool shared_segments::fill(std::uint64_t key, segment& into) {
  const int fd = file_of(key).fd;
  const std::uint64_t offset = key & ~std::uint64_t{1};
  const bool is_reserved_huge = (key & 1) != 0;
  const bool may_be_huge = !is_reserved_huge && into.bytes >= huge_page;

  bool is_backed =
      may_be_huge ? grow_to(fd, offset + into.bytes) : reserve(fd, offset, into.bytes);
  if (is_backed) into.data = map_aligned(into.bytes, MAP_SHARED, fd, offset);
  is_backed = is_backed && into.data != nullptr;
  into.page_bytes = is_reserved_huge ? huge_page : small_page;
  if (is_backed && may_be_huge) {
    into.page_bytes = ask_for_huge_pages(into.data, into.bytes);
    is_backed = reserve(fd, offset, into.bytes);
  }
  if (!is_backed) {
    give_back(fd, offset, into.bytes);
    if (into.data != nullptr) munmap(into.data, into.bytes);
    into.data = nullptr;
    return false;
  }
  into.key = key;
  const std::lock_guard lock{mutex_};
  mapped_[key] = {into.data, into.bytes};
  return true;
}

segment shared_segments::allocate(std::size_t bytes) {
  segment made;
  if (huge_.fd >= 0 && bytes >= huge_page) {
    made.bytes = round_up(bytes, huge_page);
    if (fill(take_range(huge_, made.bytes), made)) return made;
  }
  made.bytes = round_up(std::max(bytes, std::size_t{1}), small_page);
  check_available(made.bytes);
  if (!fill(take_range(usual_, made.bytes), made)) refuse(made.bytes, std::strerror(errno));
  return made;
}

void shared_segments::free(const segment& which) {
  const std::lock_guard lock{mutex_};
  mapped_.erase(which.key);
  munmap(which.data, which.bytes);
  give_back(file_of(which.key).fd, which.key & ~std::uint64_t{1}, which.bytes);
  spare_.emplace(which.bytes, which.key);
}

std::byte* shared_segments::mapped(std::uint64_t key, std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  range& known = mapped_[key];
  if (known.data != nullptr && known.bytes >= bytes) return known.data;

  const file& from = file_of(key);
  const std::uint64_t offset = key & ~std::uint64_t{1};
  const std::size_t rounded = round_up(bytes, (key & 1) != 0 ? huge_page : small_page);
  struct stat status {};
  const bool exists = from.fd >= 0 && offset % huge_page == 0 && fstat(from.fd, &status) == 0 &&
                      offset + rounded <= static_cast<std::uint64_t>(status.st_size);
  std::byte* const at = exists ? map_aligned(rounded, MAP_SHARED, from.fd, offset) : nullptr;
  if (at == nullptr) {
    if (known.data == nullptr) mapped_.erase(key);
    return nullptr;
  }
  madvise(at, rounded, MADV_HUGEPAGE);
  if (known.data != nullptr) outgrown_.push_back(known);
  known = {at, rounded};
  return at;
}

}  // namespace lamellar::lamellae
