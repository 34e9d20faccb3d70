// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/lamellae/lamella.hpp>
#include <optional>
#include <span>
#include <vector>

// The handles that an answer holds, listed behind it: a PE that keeps an answer which nobody
// has read yet counts them without knowing how to read the answer.
//
//   value | numbers of objects, u32 each | names of one-sided regions | u32, u32: how many
//
// Thread-safety: as plain values.
namespace lamellar::detail {

/// How a handle names its one-sided region to PEs that may not know it. Travels.
struct one_sided_name {
  std::uint32_t owner = 0;
  std::uint32_t number = 0;  ///< counted by the owner, from 1
  std::uint64_t key = 0;     ///< of the owner's segment
  std::uint64_t segment_bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  lamellae::remote_memory remote = {};  ///< the segment, for PEs that cannot map it
};

/// What was noted while an answer was measured.
struct noted_handles {
  std::vector<std::uint32_t> objects;
  std::vector<one_sided_name> regions;

  bool empty() const { return objects.empty() && regions.empty(); }
  std::size_t bytes() const {
    return objects.size() * sizeof(objects[0]) + regions.size() * sizeof(regions[0]) +
           2 * sizeof(std::uint32_t);
  }
  void write(std::byte* out) const {
    const auto put = [&out](const void* what, std::size_t n) {
      if (n != 0) {
        std::memcpy(out, what, n);
        out += n;
      }
    };
    put(objects.data(), objects.size() * sizeof(objects[0]));
    put(regions.data(), regions.size() * sizeof(regions[0]));
    const std::uint32_t counts[] = {static_cast<std::uint32_t>(objects.size()),
                                    static_cast<std::uint32_t>(regions.size())};
    put(counts, sizeof(counts));
  }
};

/// The list behind an answer, where it lies.
class listed_handles {
 public:
  /// Nothing, if the answer is too short for what it says it holds.
  static std::optional<listed_handles> behind(std::span<const std::byte> answer) {
    std::uint32_t counts[2] = {};
    if (answer.size() < sizeof(counts)) {
      return std::nullopt;
    }
    const std::size_t left = answer.size() - sizeof(counts);
    std::memcpy(counts, answer.data() + left, sizeof(counts));
    const std::uint64_t list = std::uint64_t{counts[0]} * sizeof(std::uint32_t) +
                               std::uint64_t{counts[1]} * sizeof(one_sided_name);
    if (list > left) {
      return std::nullopt;
    }
    return listed_handles{answer.data() + (left - list), counts[0], counts[1],
                          left - static_cast<std::size_t>(list)};
  }

  std::uint32_t objects() const { return objects_; }
  std::uint32_t regions() const { return regions_; }
  /// Bytes of the answer before the list.
  std::size_t value_bytes() const { return value_bytes_; }
  /// The number of object `k`. Requires: k < objects().
  std::uint32_t object(std::uint32_t k) const {
    std::uint32_t number = 0;
    std::memcpy(&number, at_ + k * sizeof(number), sizeof(number));
    return number;
  }
  /// The name of region `k`. Requires: k < regions().
  one_sided_name region(std::uint32_t k) const {
    one_sided_name name;
    std::memcpy(&name, at_ + objects_ * sizeof(std::uint32_t) + k * sizeof(name), sizeof(name));
    return name;
  }

 private:
  listed_handles(const std::byte* at, std::uint32_t objects, std::uint32_t regions,
                 std::size_t value_bytes)
      : at_{at}, objects_{objects}, regions_{regions}, value_bytes_{value_bytes} {}

  const std::byte* at_;
  std::uint32_t objects_;
  std::uint32_t regions_;
  std::size_t value_bytes_;
};

}  // namespace lamellar::detail
