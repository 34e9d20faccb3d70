// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <memory>
#include <span>
#include <vector>

#include "carrier.hpp"
#include "wire.hpp"

// The channels to and from PEs on other hosts. A buffer is one message of their carrier. The
// receiver gives credit back, and says what it has handled, in the header of whatever it sends
// next to that PE; when it has nothing to send, in a message of its own, soon but not at once.
//
// Thread-safety: as the interface of lamella asks.
namespace lamellar::lamellae {

class far_channels {
 public:
  /// `is_far`: by PE, whether it is reached by this. `depth`: buffers of a channel.
  far_channels(carrier& over, std::uint32_t me, std::vector<bool> is_far, std::uint32_t depth,
               std::uint32_t payload_bytes, std::uint64_t tag);

  out_buffer acquire(std::uint32_t peer, traffic kind);
  void post(std::uint32_t peer, traffic kind, std::uint32_t bytes, std::uint16_t flags);
  void flush() { carrier_.flush(); }
  std::uint32_t poll(std::span<in_buffer> into, bool bodies);
  void release(const in_buffer& buffer, bool handled, bool failed);
  void settle(std::uint32_t peer, bool failed);
  delivery delivered(std::uint32_t peer) const;

  /// Send a part of a wave. False: not now; poll, and try again.
  bool send_wave(std::uint32_t peer, const wave_part& part);
  /// Parts of waves that have arrived; poll() adds, whoever runs the waves takes.
  std::vector<wave_part>& arrived_waves() { return waves_; }

  /// Messages that were not of this job, or made no sense.
  std::uint64_t refused() const { return refused_; }

 private:
  struct out_channel {
    std::byte* buffer = nullptr;  // being filled; the thread that fills it
    std::uint64_t posted = 0;
    std::atomic<std::uint64_t> freed{0};  // as the receiver says; whoever polls writes
  };
  struct in_channel {
    std::deque<std::uint32_t> waiting;  // slots of buffers that nobody has asked for yet
    std::uint64_t arrived = 0;
    bool is_listed = false;               // in ready_
    std::atomic<std::uint64_t> freed{0};  // whoever releases writes, senders read
  };
  struct far_peer {
    out_channel out[traffic_classes];
    in_channel in[traffic_classes];
    // Of what this PE has posted; whoever polls writes.
    std::atomic<std::uint64_t> out_handled{0};
    std::atomic<std::uint64_t> out_failed{0};
    // Of what has been posted to this PE; whoever settles writes, senders read.
    std::atomic<std::uint64_t> in_handled{0};
    std::atomic<std::uint64_t> in_failed{0};
    // What the peer was last told; senders and whoever polls.
    std::atomic<std::uint64_t> told_freed[traffic_classes] = {};
    std::atomic<std::uint64_t> told_handled{0};
    bool is_untold = false;  // in untold_
  };
  struct live_buffer {
    fabric_arrival arrival;
    const std::byte* data;
    std::uint32_t bytes;
    std::uint16_t flags;
  };

  void take(const fabric_arrival& arrival);
  void hear(far_peer& from, const wire_header& header);
  void fill(wire_header& header, std::uint32_t peer, wire_kind kind, std::uint32_t bytes);
  void send(std::uint32_t peer, std::byte* buffer);
  void note_untold(std::uint32_t peer);
  bool has_news(const far_peer& of) const;
  bool tell(std::uint32_t peer);
  void tell_all();
  std::uint32_t hand_out(traffic kind, std::span<in_buffer> into);

  carrier& carrier_;
  std::uint32_t me_;
  std::uint32_t size_;
  std::uint32_t depth_;
  std::uint32_t payload_bytes_;
  std::uint64_t tag_;
  std::vector<bool> is_far_;
  std::unique_ptr<far_peer[]> peers_;
  std::vector<live_buffer> live_;                     // by slot
  std::vector<std::uint32_t> free_slots_;             // of live_
  std::deque<std::uint32_t> ready_[traffic_classes];  // peers with buffers waiting
  std::vector<std::uint32_t> untold_;  // peers that may have to be told something
  std::vector<wave_part> waves_;
  std::uint32_t idle_polls_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace lamellar::lamellae
