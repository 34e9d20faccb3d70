// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "../host_aggregation.hpp"
#include "scheduler.hpp"

// What is under way between simulated PEs: buffers on their way, the credit and the counts that
// come back, waves; and what all of it costs. A buffer takes the time that the cost model says,
// and a while longer if chance wants it; a channel keeps its order all the same.
//
// A posted buffer has memory of just its own size, which is overwritten when it is released:
// whoever reads it too long or too late reads nonsense, or is named by the address sanitizer.
//
// Thread-safety: the PE whose turn it is.
namespace lamellar::lamellae::sim {

class network {
 public:
  network(const settings& s, std::uint32_t pes, scheduler& turns);

  std::uint32_t buffer_bytes() const { return buffer_bytes_; }
  std::uint32_t depth() const { return depth_; }

  // As in lamella.hpp, for PE `me`.
  out_buffer acquire(std::uint32_t me, std::uint32_t peer, traffic kind);
  void post(std::uint32_t me, std::uint32_t peer, traffic kind, std::uint32_t bytes,
            std::uint16_t flags);
  void flush(std::uint32_t me);
  std::uint32_t poll(std::uint32_t me, std::span<in_buffer> into, bool bodies);
  void release(std::uint32_t me, const in_buffer& buffer, bool handled, bool failed);
  void settle(std::uint32_t me, std::uint32_t peer, bool failed);
  delivery delivered(std::uint32_t me, std::uint32_t peer);
  void begin_wave(std::uint32_t me, const wave& mine);
  bool end_wave(std::uint32_t me, wave& result);
  void charge(std::uint32_t me, std::uint64_t records);

  /// What all have done so far.
  simulation_result result() const;

 private:
  struct packet {
    std::unique_ptr<std::byte[]> data;
    std::uint32_t bytes = 0;
    std::uint32_t from = 0;
    std::uint16_t flags = 0;
    traffic kind = traffic::body;
    std::uint64_t number = 0;
    std::uint64_t work_ns = 0;  // to take it
  };
  /// What the PEs of a host have gathered for those of another one.
  struct outbox {
    struct entry {
      std::uint32_t to;
      packet what;
    };
    std::vector<entry> packets;
    std::uint64_t bytes = 0;
  };
  /// What a receiver tells a sender, totals.
  struct acknowledgement {
    std::uint64_t visible_at = 0;
    std::uint64_t freed[traffic_classes] = {};
    std::uint64_t handled = 0;
    std::uint64_t failed = 0;
  };
  /// One direction between two PEs; made when they first talk.
  struct link {
    std::unique_ptr<std::byte[]> filling[traffic_classes];  // acquired and not posted
    std::uint64_t posted[traffic_classes] = {};
    std::uint64_t last_arrival[traffic_classes] = {};
    acknowledgement told;                // by the receiver, so far
    std::deque<acknowledgement> coming;  // to the sender
    acknowledgement known;               // to the sender
  };
  using when = std::pair<std::uint64_t, std::uint64_t>;  // arrival, number of the packet
  struct endpoint {
    std::map<when, packet> arriving;       // or arrived, and not polled
    std::map<std::uint32_t, packet> held;  // by slot
    std::uint32_t next_slot = 0;
    std::uint64_t round = 0;               // waves begun
    std::uint64_t wave_comes_at = 0;       // that one's end; 0: not all have begun it
    std::vector<std::uint64_t> looked_at;  // by channel: in which poll
    std::uint64_t polls = 0;
    std::uint64_t buffers = 0;  // to this PE, posted and not released
    simulated_pe done;
  };
  struct round {
    std::uint32_t begun = 0;
    wave sums;
    std::vector<std::uint64_t> tags;
    std::uint64_t last_begun_at = 0;
  };

  link& between(std::uint32_t from, std::uint32_t to);
  std::uint32_t host_of(std::uint32_t pe) const { return pe / pes_per_host_; }
  std::uint32_t gateway(std::uint32_t of_host, std::uint32_t for_host) const;
  void send(std::uint32_t me, std::uint32_t peer, packet what, std::uint64_t arrives);
  void ship(std::uint32_t me, std::uint32_t to_host);
  void count_buffer(std::uint32_t pe);
  std::uint64_t bytes_ns(std::uint64_t bytes) const { return bytes * byte_ps_ / 1000; }
  std::uint64_t copy_ns(std::uint64_t bytes) const { return bytes * copy_ps_ / 1000; }
  std::uint64_t delay();
  std::uint64_t travel(std::uint32_t from, std::uint32_t to, std::uint64_t bytes);
  void tell(std::uint32_t receiver, std::uint32_t sender);
  void learn(std::uint32_t me, link& to);
  void forget(std::unique_ptr<std::byte[]> memory, std::uint32_t bytes);
  std::vector<when> candidates(std::uint32_t me, bool bodies, std::size_t most);

  scheduler& turns_;
  std::uint32_t pes_;
  std::uint32_t pes_per_host_;
  host_aggregation plan_;
  std::uint32_t buffer_bytes_;
  std::uint32_t depth_ = 8;
  std::uint64_t latency_ns_;
  std::uint64_t host_latency_ns_;
  std::uint64_t byte_ps_;
  std::uint64_t copy_ps_;  // of a byte within a host
  std::uint64_t message_ps_;
  std::uint64_t record_ps_;
  std::uint64_t wave_ns_;
  bool reorders_;
  std::uint32_t delay_times_ = 0;  // how often a buffer is delayed in this run, out of 8
  std::uint32_t delay_log_ = 0;    // and for how long at most
  std::uint32_t split_times_ = 0;  // how often a poll gives less than there is, out of 8

  std::vector<std::unique_ptr<link>> links_;
  std::vector<endpoint> ends_;
  std::vector<std::uint64_t> sending_until_;    // by host: its link, outwards
  std::vector<std::uint64_t> receiving_until_;  // by host
  std::vector<outbox> outboxes_;                // by host, and host that they are for
  std::vector<std::uint64_t> host_bytes_;       // by host: of buffers to its PEs
  std::uint64_t peak_host_bytes_ = 0;
  round rounds_[2];  // they take turns: a PE may be one wave ahead of another
  std::uint64_t waves_ = 0;
  std::uint64_t next_packet_ = 1;
  std::deque<std::unique_ptr<std::byte[]>> forgotten_;  // released, overwritten, not given back
  std::vector<std::unique_ptr<std::byte[]>> spare_;     // to be filled; all of one size
};

}  // namespace lamellar::lamellae::sim
