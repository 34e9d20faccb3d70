// SPDX-License-Identifier: BSD-3-Clause
// The threads of a PE beside its main one: they poll, run handlers and resume what may go on
// anywhere, so that a PE answers while its main thread computes.
#include <lamellar/lamellae/job.hpp>
#include <lamellar/substrate/detail/engine.hpp>

#include "backoff.hpp"

namespace lamellar::detail {

namespace {

/// Differs between threads, and is never reused while a thread lives.
const void* this_thread_token() {
  static thread_local const char token = 0;
  return &token;
}

}  // namespace

lane& engine::find_lane() {
  const void* token = this_thread_token();
  for (const auto& candidate : lanes_) {
    if (candidate->token == token) {
      return *candidate;
    }
  }
  misuse(this,
         "this thread belongs to no PE: only a PE's main thread, its handlers and its "
         "spawned tasks may send and wait");
}

bool engine::on_main_thread() const { return lanes_[0]->token == this_thread_token(); }

void engine::start_workers() {
  lanes_[0]->token = this_thread_token();
  std::atomic<std::uint32_t> started{1};
  for (std::uint32_t index = 1; index < threads_; ++index) {
    workers_.emplace_back([this, index, &started] {
      lanes_[index]->token = this_thread_token();
      started.fetch_add(1, std::memory_order_release);
      work(index);
    });
  }
  while (started.load(std::memory_order_acquire) != threads_) {
    std::this_thread::yield();
  }
}

void engine::stop_workers() {
  stopping_.store(true, std::memory_order_release);
  for (std::thread& worker : workers_) {
    worker.join();
  }
  workers_.clear();
}

void engine::work(std::uint32_t index) {
  if (settings_.pin) {
    lamellae::pin_this_thread(lamella_->able().index_on_host, lamella_->able().pes_on_host,
                              index, threads_);
  }
  lane& on = *lanes_[index];
  backoff patience{*lamella_};
  while (!stopping_.load(std::memory_order_acquire)) {
    if (progress(on, resume::anywhere)) {
      patience.reset();
    } else {
      patience.pause();
    }
  }
}

}  // namespace lamellar::detail
