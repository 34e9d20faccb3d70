// SPDX-License-Identifier: BSD-3-Clause
#include "pages.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>

namespace lamellar::benchmark {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
#ifdef MADV_COLLAPSE
constexpr int collapse_now = MADV_COLLAPSE;
#else
constexpr int collapse_now = 25;  // of Linux 6.1; older headers do not have its name
#endif

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

}  // namespace

memory::memory(std::size_t bytes, sharing kind) : bytes_(bytes) {
  map_bytes_ = (bytes + huge_page - 1) / huge_page * huge_page + huge_page;
  const int flags = MAP_ANONYMOUS | (kind == sharing::shared_memory ? MAP_SHARED : MAP_PRIVATE);
  map_ = ::mmap(nullptr, map_bytes_, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (map_ == MAP_FAILED) {
    throw std::system_error(
        errno, std::generic_category(),
        fmt::format("cannot map {} MiB for a table; choose a smaller size", bytes >> 20));
  }
  const std::uintptr_t aligned = (address(map_) + huge_page - 1) / huge_page * huge_page;
  begin_ = static_cast<std::byte*>(map_) + (aligned - address(map_));
  // A refusal is not an error: page_kind() tells what was granted.
  ::madvise(begin_, map_bytes_ - huge_page, MADV_HUGEPAGE);
  std::memset(begin_, 0, bytes_);
  // The same for memory that is shared, which is rarely given huge pages by a touch.
  if (kind == sharing::shared_memory) ::madvise(begin_, map_bytes_ - huge_page, collapse_now);
}

memory::~memory() { ::munmap(map_, map_bytes_); }

std::string page_kind(const void* begin, std::size_t bytes) {
  const std::uintptr_t first = address(begin);
  const std::uintptr_t last = first + bytes;
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  std::uint64_t resident_kib = 0;
  std::uint64_t huge_kib = 0;
  while (std::getline(smaps, line)) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    std::uint64_t kib = 0;
    char key[32] = {};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
      inside = from < last && first < to;
    } else if (inside && std::sscanf(line.c_str(), "%31[^:]: %" SCNu64, key, &kib) == 2) {
      const std::string name = key;
      if (name == "Rss") resident_kib += kib;
      if (name == "AnonHugePages" || name == "ShmemPmdMapped" || name == "FilePmdMapped")
        huge_kib += kib;
      if (name == "Shared_Hugetlb" || name == "Private_Hugetlb") {  // not part of Rss
        resident_kib += kib;
        huge_kib += kib;
      }
    }
  }
  if (resident_kib == 0) return "unknown";
  const double share = static_cast<double>(huge_kib) / static_cast<double>(resident_kib);
  if (share > 0.95) return "2 MiB";
  if (share < 0.05) return "4 KiB";
  return fmt::format("2 MiB for {:.0f} %, 4 KiB for the rest", 100 * share);
}

}  // namespace lamellar::benchmark
