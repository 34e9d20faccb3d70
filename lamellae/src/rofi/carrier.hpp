// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../fabric/fabric.hpp"

// What carries the messages of far_channels to PEs on other hosts: the network itself, or the
// relay of the hosts. Messages from one PE to another arrive in the order of sending.
//
// Thread-safety: take_buffer and send: any thread. poll and release: one thread at a time.
namespace lamellar::lamellae {

class carrier {
 public:
  carrier() = default;
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;
  virtual ~carrier() = default;

  /// As those of fabric.
  virtual std::byte* take_buffer() = 0;
  virtual void send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes) = 0;
  /// What has been sent goes now, alone if need be. Threads: any.
  virtual void flush() = 0;
  virtual std::uint32_t poll(std::span<fabric_arrival> into) = 0;
  virtual void release(const fabric_arrival& which) = 0;
  /// Whether anything has not left this host yet, or stays here for another of its PEs.
  virtual bool busy() const = 0;
};

class direct_carrier final : public carrier {
 public:
  explicit direct_carrier(fabric& over) : fabric_{over} {}
  std::byte* take_buffer() override { return fabric_.take_buffer(); }
  void send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes) override {
    fabric_.send(peer, buffer, bytes);
  }
  void flush() override {}
  std::uint32_t poll(std::span<fabric_arrival> into) override { return fabric_.poll(into); }
  void release(const fabric_arrival& which) override { fabric_.release(which); }
  bool busy() const override { return fabric_.busy(); }

 private:
  fabric& fabric_;
};

}  // namespace lamellar::lamellae
