// SPDX-License-Identifier: BSD-3-Clause
#include "contexts.hpp"

#ifndef __SANITIZE_THREAD__

#include <cxxabi.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace lamellar::lamellae::sim {
namespace {

// What a thread gets by default; committed as it is touched. One page below is out of bounds.
constexpr std::size_t stack_bytes = std::size_t{8} << 20;
constexpr std::size_t guard_bytes = 4096;

class stack {
 public:
  stack() {
    void* const at = ::mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (at == MAP_FAILED) {
      throw out_of_memory(
          fmt::format("cannot map the stack of a simulated PE, {} MiB: {}; "
                      "start fewer PEs or raise the limit (ulimit -v)",
                      stack_bytes >> 20, std::strerror(errno)));
    }
    base_ = static_cast<std::byte*>(at);
    ::mprotect(base_, guard_bytes, PROT_NONE);
  }
  ~stack() { ::munmap(base_, guard_bytes + stack_bytes); }
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;

  std::byte* bottom() const { return base_ + guard_bytes; }

 private:
  std::byte* base_ = nullptr;
};

/// The exceptions that a flow of control has caught and not yet left: a pointer and a count,
/// laid out as the C++ ABI says.
using exception_state = std::array<std::byte, 2 * sizeof(void*)>;

struct flow {
  ucontext_t registers{};
  exception_state exceptions{};
  void* fake_stack = nullptr;  // the address sanitizer's
  const void* stack_bottom = nullptr;
  std::size_t stack_size = 0;
};

}  // namespace

class contexts::machine {
 public:
  machine(std::uint32_t count, body what)
      : body_{std::move(what)}, count_{count}, flows_(count + 1), stacks_(count) {
    for (std::uint32_t k = 0; k < count; ++k) {
      stacks_[k] = std::make_unique<stack>();
      flow& made = flows_[k];
      made.stack_bottom = stacks_[k]->bottom();
      made.stack_size = stack_bytes;
      ::getcontext(&made.registers);
      made.registers.uc_stack.ss_sp = stacks_[k]->bottom();
      made.registers.uc_stack.ss_size = stack_bytes;
      made.registers.uc_link = nullptr;
      const auto self = reinterpret_cast<std::uintptr_t>(this);
      ::makecontext(&made.registers, reinterpret_cast<void (*)()>(&enter), 2,
                    static_cast<unsigned>(self), static_cast<unsigned>(self >> 32));
    }
  }

  void switch_to(std::uint32_t next, bool for_ever = false) {
    flow& from = flows_[running_];
    flow& to = flows_[next == outside ? count_ : next];
    before_ = running_;
    running_ = next == outside ? count_ : next;
    std::memcpy(from.exceptions.data(), abi::__cxa_get_globals(), sizeof(exception_state));
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(for_ever ? nullptr : &from.fake_stack, to.stack_bottom,
                                   to.stack_size);
#else
    static_cast<void>(for_ever);
#endif
    ::swapcontext(&from.registers, &to.registers);
    arrive(from);
  }

  void run(std::uint32_t first) {
    running_ = count_;
    switch_to(first);
  }

 private:
  /// The first thing that a flow does when it goes on.
  void arrive(flow& here) {
#ifdef __SANITIZE_ADDRESS__
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(here.fake_stack, &bottom, &size);
    if (before_ == count_) {  // where the thread's own stack is
      flows_[count_].stack_bottom = bottom;
      flows_[count_].stack_size = size;
    }
#endif
    std::memcpy(abi::__cxa_get_globals(), here.exceptions.data(), sizeof(exception_state));
  }

  static void enter(unsigned low, unsigned high) {
    auto* const self =
        reinterpret_cast<machine*>(std::uintptr_t{low} | std::uintptr_t{high} << 32);
    const std::uint32_t me = self->running_;
    self->arrive(self->flows_[me]);
    const std::uint32_t next = self->body_(me);
    self->switch_to(next, true);
  }

  body body_;
  std::uint32_t count_;
  std::vector<flow> flows_;  // the last one is the thread that called run()
  std::vector<std::unique_ptr<stack>> stacks_;
  std::uint32_t running_ = 0;
  std::uint32_t before_ = 0;
};

}  // namespace lamellar::lamellae::sim

#else  // threads with a baton

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace lamellar::lamellae::sim {

class contexts::machine {
 public:
  machine(std::uint32_t count, body what)
      : body_{std::move(what)}, wake_(count + 1), count_{count} {}
  ~machine() {
    for (std::thread& each : threads_) {
      if (each.joinable()) each.join();
    }
  }

  void switch_to(std::uint32_t next) {
    std::unique_lock lock{mutex_};
    const std::uint32_t me = running_;
    hand_to(next);
    wake_[me].wait(lock, [&] { return running_ == me; });
  }

  void run(std::uint32_t first) {
    running_ = count_;
    for (std::uint32_t k = 0; k < count_; ++k) {
      threads_.emplace_back([this, k] {
        {
          std::unique_lock lock{mutex_};
          wake_[k].wait(lock, [&] { return running_ == k; });
        }
        const std::uint32_t next = body_(k);
        const std::lock_guard lock{mutex_};
        hand_to(next);
      });
    }
    switch_to(first);
  }

 private:
  void hand_to(std::uint32_t next) {
    running_ = next == outside ? count_ : next;
    wake_[running_].notify_one();
  }

  body body_;
  std::mutex mutex_;  // guards running_
  std::uint32_t running_ = 0;
  std::vector<std::condition_variable> wake_;  // the last one is of the thread in run()
  std::uint32_t count_;
  std::vector<std::thread> threads_;
};

}  // namespace lamellar::lamellae::sim

#endif

namespace lamellar::lamellae::sim {

contexts::contexts(std::uint32_t count, body what)
    : machine_{std::make_unique<machine>(count, std::move(what))} {}
contexts::~contexts() = default;

void contexts::run(std::uint32_t first) { machine_->run(first); }
void contexts::switch_to(std::uint32_t next) { machine_->switch_to(next); }

}  // namespace lamellar::lamellae::sim
