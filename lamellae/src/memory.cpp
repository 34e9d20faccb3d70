// SPDX-License-Identifier: BSD-3-Clause
#include "memory.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lamellar::lamellae {
namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// The number in a one-line file; nothing for "max", for no file, and for anything else.
std::optional<std::size_t> number_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::size_t value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

/// A line "Name:   value kB" of /proc/meminfo, in bytes.
std::size_t meminfo(const std::filesystem::path& root, std::string_view name) {
  std::ifstream in{root / "proc/meminfo"};
  std::string key;
  std::size_t kib = 0;
  std::string rest;
  while (in >> key >> kib) {
    std::getline(in, rest);
    if (key == name) return kib * 1024;
  }
  return unlimited;
}

/// One control group that counts this process's memory.
struct group {
  std::filesystem::path limit;
  std::filesystem::path usage;
};

/// The memory control groups of this process, from its own up to the root, version 1 and 2. In
/// a container the path may not be visible; the groups above it then are.
std::vector<group> memory_groups(const std::filesystem::path& root) {
  std::vector<group> found;
  std::ifstream in{root / "proc/self/cgroup"};
  for (std::string text; std::getline(in, text);) {
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = text.substr(first + 1, second - first - 1);
    const bool version_2 = controllers.empty();
    if (!version_2 && ("," + controllers + ",").find(",memory,") == std::string::npos) continue;
    const char* const limit = version_2 ? "memory.max" : "memory.limit_in_bytes";
    const char* const usage = version_2 ? "memory.current" : "memory.usage_in_bytes";
    const auto top = version_2 ? root / "sys/fs/cgroup" : root / "sys/fs/cgroup/memory";
    std::filesystem::path below =
        std::filesystem::path{text.substr(second + 1)}.relative_path();
    for (;; below = below.parent_path()) {
      found.push_back({top / below / limit, top / below / usage});
      if (below.empty()) break;
    }
  }
  return found;
}

std::size_t address_space_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  return limit.rlim_cur;
}

}  // namespace

std::size_t memory_limit(const std::filesystem::path& root) {
  std::size_t limit = std::min(meminfo(root, "MemTotal:"), address_space_limit());
  for (const group& g : memory_groups(root)) {
    limit = std::min(limit, number_in(g.limit).value_or(unlimited));
  }
  return limit;
}

std::size_t memory_available(const std::filesystem::path& root) {
  std::size_t left = std::min(meminfo(root, "MemAvailable:"), address_space_limit());
  for (const group& g : memory_groups(root)) {
    const auto limit = number_in(g.limit);
    if (!limit || *limit >= meminfo(root, "MemTotal:")) continue;
    const std::size_t used = number_in(g.usage).value_or(0);
    left = std::min(left, *limit > used ? *limit - used : 0);
  }
  return left;
}

}  // namespace lamellar::lamellae
