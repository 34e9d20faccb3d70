// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

// Several flows of control of which one runs at a time, each on a stack of its own, and each
// says who goes on after it. They are contexts of the C library (makecontext): it is there
// wherever we build, and a system call per switch is little beside what happens between two.
// Under the thread sanitizer, which cannot follow these, they are threads that hand on a baton.
//
// Each has its own state of exceptions. Thread-locals are shared, except under that sanitizer.
// Thread-safety: switch_to() by whichever runs; run() by the thread that made this.
namespace lamellar::lamellae::sim {

class contexts {
 public:
  /// Who goes on when one has ended: another, or `outside`, which ends run().
  static constexpr std::uint32_t outside = ~std::uint32_t{0};
  /// What context `k` does; returns who goes on. Must not throw.
  using body = std::function<std::uint32_t(std::uint32_t k)>;

  /// Throws: out_of_memory when there is no room for the stacks.
  contexts(std::uint32_t count, body what);
  ~contexts();
  contexts(const contexts&) = delete;
  contexts& operator=(const contexts&) = delete;

  /// Let `first` run, and those to whom it and they switch; return when one has ended and named
  /// `outside`. What has not ended by then never goes on, and is not unwound.
  void run(std::uint32_t first);

  /// Let `next` go on in place of the one that runs; return when somebody switches back.
  void switch_to(std::uint32_t next);

 private:
  class machine;
  std::unique_ptr<machine> machine_;
};

}  // namespace lamellar::lamellae::sim
