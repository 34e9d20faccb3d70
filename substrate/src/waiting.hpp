// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/detail/engine.hpp>
#include <source_location>

#include "backoff.hpp"

// One wait of a thread: it gives way as backoff does, can say what it waits for, speaks up when
// it has taken too long, and keeps the books when statistics are wanted. Every wait is one.
//
// Thread-safety: lives on the stack of the thread that waits.
namespace lamellar::detail {

class waiting {
 public:
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"  // the destructor takes it away
#endif
  /// `what`: a constant text; the wait is "for" that. `where`: in the program, if it is known.
  /// `peer`: the PE it is up to, or no_peer.
  waiting(engine& at, lane& on, const char* what, std::source_location where = {},
          std::uint32_t peer = no_peer)
      : at_{at},
        on_{on},
        outer_{on.wait},
        what_{what},
        where_{where},
        peer_{peer},
        patience_{at.transport()} {
    on.wait = this;
  }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  ~waiting() {
    on_.wait = outer_;
    if (paused_) [[unlikely]] {
      end_of_pause();
    }
  }
  waiting(const waiting&) = delete;
  waiting& operator=(const waiting&) = delete;

  static constexpr std::uint32_t no_peer = ~std::uint32_t{0};

  /// Nothing was found to do.
  void pause() {
    patience_.pause();
    if (!paused_ && at_.counted() != nullptr) [[unlikely]] {
      begin_pause();
    }
    if (++idle_ % looks_around == 0 && on_.index == 0) {
      look_around();
    }
  }
  /// Something was done.
  void reset() {
    patience_.reset();
    idle_ = 0;
    if (++busy_ % looks_around == 0 && on_.index == 0) {
      at_.answer_if_asked();
    }
    if (paused_) [[unlikely]] {
      end_of_pause();
    }
  }

  const waiting* outer() const { return outer_; }
  const char* what() const { return what_; }
  std::source_location where() const { return where_; }
  std::uint32_t peer() const { return peer_; }

 private:
  static constexpr std::uint64_t looks_around = 512;

  void begin_pause();
  void end_of_pause();
  void look_around();

  engine& at_;
  lane& on_;
  const waiting* outer_;
  const char* what_;
  std::source_location where_;
  std::uint32_t peer_;
  backoff patience_;
  std::uint64_t idle_ = 0;
  std::uint64_t busy_ = 0;
  std::uint64_t idle_since_ns_ = 0;
  std::uint64_t paused_at_ns_ = 0;
  bool paused_ = false;
};

}  // namespace lamellar::detail
