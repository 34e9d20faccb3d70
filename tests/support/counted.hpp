// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <lamellar/substrate/world.hpp>

// Parts of distributed objects that a test counts, to see when they come and go.
//
// Thread-safety: any.
namespace lamellar::testing {

/// How many there are in this process.
inline std::atomic<int> alive{0};

/// The base of a part that is counted while it lives, and neither copied nor moved by anything.
struct counted {
  counted() { ++alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --alive; }
};

/// How many parts of one object there are in this process.
inline int parts_here(const world& w) { return static_cast<int>(w.able().pes_in_process); }

}  // namespace lamellar::testing
