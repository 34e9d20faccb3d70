// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace lamellar::detail {

/// Fetch the cache line of `place` to read it once.
inline void prefetch_for_read(const void* place) { __builtin_prefetch(place, 0, 0); }

/// Fetch the cache line of `place` to write to it. The instruction for that is older than the
/// compiler's default target admits, which would fetch the line for reading: a second transfer
/// where another core has it.
inline void prefetch_for_write(const void* place) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(place)));
#else
  __builtin_prefetch(place, 1);
#endif
}

/// One of them, as an object: a call of it is inlined wherever it is handed to.
template <bool Writes>
struct prefetch_for {
  void operator()(const void* place) const {
    if constexpr (Writes) {
      prefetch_for_write(place);
    } else {
      prefetch_for_read(place);
    }
  }
};

}  // namespace lamellar::detail
