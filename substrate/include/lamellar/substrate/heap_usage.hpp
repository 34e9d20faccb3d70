// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// What the symmetric heap of a PE holds: the memory that peers can reach, in which memory
// regions lie. A value: it says how things were when it was made.
namespace lamellar {

struct heap_usage {
  /// What one kind of object has taken.
  struct user {
    std::string what;
    std::size_t blocks = 0;
    std::size_t bytes = 0;
  };

  std::size_t limit = 0;         ///< bytes that the heap may grow to: LAMELLAR_HEAP_SIZE
  std::size_t held = 0;          ///< bytes got from the system, in segments
  std::size_t in_use = 0;        ///< bytes handed out
  std::size_t most_in_use = 0;   ///< the largest that in_use has been
  std::size_t largest_free = 0;  ///< bytes of the largest piece that is held and free
  std::size_t segments = 0;
  std::size_t page_bytes = 0;  ///< the smallest kind of pages among the segments; 0: no segment
  std::vector<user> users;     ///< whose blocks are in use, by name
};

}  // namespace lamellar
