// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>

namespace lamellar::detail {

/// Call work(k, slot) for each k < n in order, and `fetch` a slot some calls before that.
/// find(begin, count, slots) finds the slots of `count` numbers from `begin` on: a block of
/// them at a time, which nothing has to wait for. The last few of a block, fetched by then,
/// stay for the next turn.
template <class T, class Find, class Fetch, class Work>
void each_slot_ahead(std::size_t n, const Find& find, const Fetch& fetch, const Work& work) {
  constexpr std::size_t block = 256;
  constexpr std::size_t ahead = 16;
  T* slots[block + ahead];
  std::size_t held = 0;
  for (std::size_t begin = 0; begin < n;) {
    const std::size_t now = std::min(block, n - begin);
    find(begin, now, slots + held);
    const std::size_t base = begin - held;
    const std::size_t here = held + now;
    for (std::size_t k = held; k < std::min(ahead, here); ++k) {
      fetch(slots[k]);
    }
    std::size_t k = 0;
    for (; k + ahead < here; ++k) {
      fetch(slots[k + ahead]);
      work(base + k, *slots[k]);
    }
    begin += now;
    if (begin == n) {
      for (; k < here; ++k) {
        work(base + k, *slots[k]);
      }
    }
    std::copy(slots + k, slots + here, slots);
    held = here - k;
  }
}

}  // namespace lamellar::detail
