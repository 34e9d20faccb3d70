// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/lamellae/lamella.hpp>
#include <memory>
#include <span>
#include <vector>

// A lamella without a peer: this PE, number `me` of 2, gets the buffers that a test makes up,
// and the test sees the buffers that it posts. The peer agrees to every collective and counts
// as having handled everything, so that worlds on it can quiesce and be destroyed.
//
// Each buffer is delivered from memory of just its size, so that the address sanitizer sees
// what is read beyond its end. Thread-safety: none.
namespace lamellar::testing {

class scripted_lamella final : public lamellae::lamella {
 public:
  struct posted_buffer {
    std::vector<std::byte> bytes;
    std::uint16_t flags = 0;
    lamellae::traffic kind = lamellae::traffic::body;
  };

  explicit scripted_lamella(std::uint32_t me) : lamella{me, 2} {
    able_.buffer_bytes = 8176;
    able_.channel_depth = 8;
  }

  // ---- the script ----
  /// Let `bytes` arrive from the peer with the next poll.
  void deliver(std::span<const std::byte> bytes, std::uint16_t flags = 0,
               lamellae::traffic kind = lamellae::traffic::body) {
    auto memory = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), memory.get());
    arriving_.push_back(
        {std::move(memory), static_cast<std::uint32_t>(bytes.size()), flags, kind});
    ++delivered_;
  }
  /// What this PE has posted to the peer, in order.
  std::vector<posted_buffer>& posted() { return posted_; }
  /// Buffers that were taken and not released, or released and not settled.
  std::uint64_t unsettled() const { return delivered_ - settled_; }
  /// How many of them were marked as failed.
  std::uint64_t failed() const { return failed_; }

  // ---- the seam ----
  const char* name() const override { return "scripted"; }
  std::vector<std::vector<std::byte>> exchange(std::span<const std::byte> mine) override {
    return {{mine.begin(), mine.end()}, {mine.begin(), mine.end()}};
  }
  lamellae::out_buffer acquire(std::uint32_t, lamellae::traffic kind) override {
    return {filling_[static_cast<std::size_t>(kind)], able_.buffer_bytes};
  }
  void post(std::uint32_t, lamellae::traffic kind, std::uint32_t bytes,
            std::uint16_t flags) override {
    const std::byte* from = filling_[static_cast<std::size_t>(kind)];
    posted_.push_back({{from, from + bytes}, flags, kind});
    ++posted_count_;
  }
  std::uint32_t poll(std::span<lamellae::in_buffer> into, bool) override {
    if (into.empty() || arriving_.empty()) return 0;
    held_.push_back(std::move(arriving_.front()));
    arriving_.pop_front();
    const arrived& next = held_.back();
    into[0] = {next.memory.get(), next.bytes, 1 - me(), next_slot_++, next.flags, next.kind};
    return 1;
  }
  void release(const lamellae::in_buffer& buffer, bool handled, bool failed) override {
    std::erase_if(held_, [&](const arrived& a) { return a.memory.get() == buffer.data; });
    if (handled) settle(buffer.from, failed);
  }
  void settle(std::uint32_t, bool failed) override {
    ++settled_;
    failed_ += failed;
  }
  lamellae::delivery delivered(std::uint32_t) const override {
    return {posted_count_, posted_count_, 0};
  }
  lamellae::line* request_line(std::uint32_t) override { return nullptr; }
  lamellae::line* serving_line(std::uint32_t) override { return nullptr; }
  void begin_wave(const lamellae::wave& mine) override { wave_ = mine; }
  bool end_wave(lamellae::wave& result) override {
    result = wave_;
    result.sums[0] += delivered_;     // what the peer has sent
    result.sums[1] += posted_count_;  // and executed
    return true;
  }
  lamellae::segment allocate_segment(std::size_t) override { return {}; }
  void free_segment(const lamellae::segment&) override {}
  std::byte* mapped(std::uint32_t, std::uint64_t, std::size_t) override { return nullptr; }
  std::uint64_t now_ns() const override { return 0; }
  void finished() override {}

 private:
  struct arrived {
    std::unique_ptr<std::byte[]> memory;
    std::uint32_t bytes;
    std::uint16_t flags;
    lamellae::traffic kind;
  };

  std::deque<arrived> arriving_;
  std::vector<arrived> held_;
  std::vector<posted_buffer> posted_;
  std::uint64_t delivered_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t posted_count_ = 0;
  std::uint32_t next_slot_ = 0;
  lamellae::wave wave_;
  alignas(16) std::byte filling_[lamellae::traffic_classes][8176] = {};
};

}  // namespace lamellar::testing
