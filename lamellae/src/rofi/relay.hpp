// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/lamellae/lamella.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "../bootstrap/bootstrap.hpp"
#include "../host_aggregation.hpp"
#include "carrier.hpp"
#include "places.hpp"
#include "relay_memory.hpp"

// Aggregation by host. All PEs of a host gather their packets for another host in one outbox in
// the memory that they share. Whoever fills it, or finds nothing to do while something lies in
// it, sends it as one message to that host's *gateway* for this one, an ordinary PE, which
// keeps what is for itself and puts the rest into the inboxes of its neighbours. Nothing here
// waits: what finds no room stays with its PE, whose channels have credit for so much and no
// more.
//
// A PE sends from its own endpoint, so nobody depends on a neighbour to send. What arrives
// depends on the gateway's polls, as any message does on those of its receiver.
namespace lamellar::lamellae {

class host_relay final : public carrier {
 public:
  host_relay(fabric& over, const places& where, std::uint32_t me, const host_aggregation& plan,
             std::uint64_t tag);

  /// Share memory with the PEs of this host. Collective over the job, before anything else.
  void meet(lamella& host, bootstrap& from);

  std::byte* take_buffer() override;
  void send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes) override;
  void flush() override;
  std::uint32_t poll(std::span<fabric_arrival> into) override;
  void release(const fabric_arrival& which) override;
  bool busy() const override;

 private:
  struct aligned_delete {
    void operator()(std::byte* memory) const;
  };
  using block = std::unique_ptr<std::byte, aligned_delete>;
  struct unsent {
    std::uint32_t to;
    std::byte* buffer;
    std::uint32_t bytes;
  };
  struct arrivals {                                 // from one host
    std::uint64_t expected = 0;                     // number of the next message
    std::map<std::uint64_t, fabric_arrival> early;  // by number
  };
  struct shared {  // in this PE's part of the shared memory; the outboxes follow
    inbox packets;
    std::atomic<std::uint32_t> filled;  // of the first PE: outboxes of the host that hold some
  };

  std::size_t stride() const;
  std::uint32_t gateway_of(std::uint32_t host) const;
  bool gather(std::uint32_t to, std::span<const std::byte> packet);
  std::uint32_t empty(outbox& from, std::byte* into) const;
  void retry();
  void take(const fabric_arrival& arrival);
  void hand_out(std::span<const std::byte> packets);
  void put_aside(std::span<const std::byte> packet);

  fabric& fabric_;
  const places& places_;
  const std::uint32_t me_;
  const host_aggregation plan_;
  const std::uint64_t tag_;

  std::vector<shared*> near_;  // by index on this host
  std::atomic<std::uint32_t>* filled_ = nullptr;
  std::vector<outbox*> outboxes_;  // by host

  mutable std::mutex sending_;  // guards the next three
  std::vector<block> buffers_;
  std::vector<std::byte*> free_buffers_;
  std::deque<unsent> unsent_;
  std::atomic<std::size_t> unsent_count_{0};

  // Of the thread that polls.
  std::vector<arrivals> from_;                                   // by host
  std::vector<std::deque<std::vector<std::byte>>> undelivered_;  // by index on this host
  std::size_t undelivered_count_ = 0;
  std::vector<block> copies_;  // by slot
  std::vector<std::uint32_t> free_copies_;
  std::deque<fabric_arrival> ready_;
  std::uint32_t polls_ = 0;
};

}  // namespace lamellar::lamellae
