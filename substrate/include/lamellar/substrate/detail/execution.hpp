// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/substrate/detail/failure_log.hpp>
#include <memory>
#include <string>

// The running of one buffer: where it came from, and what has to be settled when it is done.
//
// Thread-safety: an execution belongs to the thread that runs it; an unfinished buffer to all
// threads that run a part of it.
namespace lamellar::detail {

class engine;
struct lane;

/// Where a buffer came from, for the books.
enum class source : std::uint8_t { peer, self, line };

/// A buffer whose runs have not all been done when its memory was released.
struct unfinished {
  std::uint32_t from;
  source counted_as;
  std::atomic<std::uint32_t> runs_left;  // any thread; the one that takes it to 0 settles
  failure_collector failures{};
};

/// What a running handler's machinery knows.
struct execution {
  engine& home;
  lane& here;
  std::uint32_t from;
  source counted_as = source::peer;
  std::uint32_t failures = 0;
  std::unique_ptr<failure> first = nullptr;  // made by the first failure
  unfinished* rest = nullptr;                // once a run had to be put off
  lamellae::line* on_line = nullptr;         // a lone request; its answer may be written there
  bool answered_on_line = false;

  void failed(const std::string& handler, const std::string& text);
};

}  // namespace lamellar::detail
