// SPDX-License-Identifier: BSD-3-Clause
#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <lamellar/substrate/detail/address_check.hpp>
#include <memory>
#include <sstream>

namespace lamellar::detail {

namespace {

constexpr std::uint64_t lowest_address = std::uint64_t{1} << 32;
constexpr std::uint64_t highest_address = std::uint64_t{1} << 47;
// Address sanitizers reserve terabytes. Nobody's data lies there.
constexpr std::uint64_t largest_mapping = std::uint64_t{1} << 40;

std::string name_of_mapping(const std::string& path, std::uint64_t address) {
  if (path.empty()) {
    // The kernel does not name the stacks of threads, nor the heap's large blocks. The stack
    // that we stand on is near.
    const auto here = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
    const std::uint64_t distance = here > address ? here - address : address - here;
    return distance < (std::uint64_t{8} << 20) ? "a thread's stack" : "the heap";
  }
  if (path == "[heap]") {
    return "the heap";
  }
  if (path.starts_with("[stack")) {
    return "the stack";
  }
  if (path.starts_with('/') && path.find(".so") == std::string::npos) {
    std::error_code unknown;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
    return !unknown && path == program.native() ? "the executable"
                                                : "mapped memory (" + path + ")";
  }
  return path.starts_with('/') ? "the library " + path : "mapped memory " + path;
}

/// What is mapped at `address`, by its name in the process's map; nothing if nothing is.
std::optional<std::string> mapping_at(std::uint64_t address) {
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words{line};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    words >> std::hex >> begin >> dash >> end;
    if (address < begin || address >= end || end - begin > largest_mapping) {
      continue;
    }
    std::string permissions, offset, device, node, path;
    words >> permissions >> offset >> device >> node >> std::ws;
    std::getline(words, path);
    if (permissions.starts_with("---")) {
      return std::nullopt;  // reserved, not used
    }
    return name_of_mapping(path, address);
  }
  return std::nullopt;
}

std::string readable(std::string_view type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name{
      abi::__cxa_demangle(std::string{type}.c_str(), nullptr, nullptr, &status), std::free};
  return status == 0 ? name.get() : std::string{type};
}

}  // namespace

std::optional<found_address> find_address(std::span<const std::byte> bytes) {
  for (std::size_t offset = 0; offset + sizeof(std::uint64_t) <= bytes.size();
       offset += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + offset, sizeof(word));
    if (word < lowest_address || word >= highest_address) {
      continue;
    }
    if (auto name = mapping_at(word)) {
      return found_address{offset, word, *std::move(name)};
    }
  }
  return std::nullopt;
}

void end_if_address_travels(std::span<const std::byte> bytes, std::string_view closure,
                            std::source_location where) {
  const auto found = find_address(bytes);
  if (!found) {
    return;
  }
  const std::string text = fmt::format(
      "lamellar: misuse of by_value at {}:{}: the word at byte {} of the closure {} is {:#x}, "
      "an address in {}, which "
      "means nothing on another PE. Capture values, not pointers or references; if this word "
      "is a number that only looks "
      "like an address, use by_value_unchecked.\n",
      where.file_name(), where.line(), found->offset, readable(closure), found->value,
      found->points_to);
  std::fputs(text.c_str(), stderr);
  std::abort();
}

}  // namespace lamellar::detail
