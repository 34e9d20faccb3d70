// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "endpoint.hpp"
#include "fabric.hpp"
#include "message_numbers.hpp"
#include "operation.hpp"

// Where messages arrive: a few large buffers, each of which the provider fills with message
// after message until too little is left. A buffer is laid out again when the provider has
// given it up and nothing in it is held any more. Where few buffers are left, because messages
// in the others are held, what arrives is copied out: memory stays bounded by what peers may
// have under way, and the provider always has a place for the next message.
//
// Thread-safety: one thread at a time, the one that polls; post() behind the fabric's gate.
namespace lamellar::lamellae {

class receive_buffers {
 public:
  /// Throws: out_of_memory.
  receive_buffers(endpoint& net, const fabric_choice& choice);

  /// Lay out all buffers that are free. Returns 0, or libfabric's code of a refusal.
  std::int64_t post();
  /// The provider says that something has happened to a buffer.
  void completed(const fi_cq_data_entry& entry);
  /// A message broke off, or is longer than what is left of its buffer.
  void failed(const fi_cq_err_entry& entry);

  /// Forget what numbers came from whom; `peers` will send.
  void expect(std::uint32_t peers);
  std::uint32_t take(std::span<fabric_arrival> into);
  void release(const fabric_arrival& which);

  std::uint64_t ignored() const { return ignored_; }
  std::uint32_t buffer_bytes() const { return static_cast<std::uint32_t>(bytes_); }
  void unregister() noexcept { registered_.reset(); }

 private:
  struct buffer : operation {
    buffer() : operation{kind::receive} {}
    std::byte* data = nullptr;
    std::uint32_t index = 0;
    std::uint32_t held = 0;  // arrivals that nobody has released
    bool posted = false;     // the provider has it
    bool free = true;        // in the list of those to be posted
  };
  // After a failure few providers say whether they still have the buffer.
  struct doubt {
    buffer* about;
    std::chrono::steady_clock::time_point end;
  };
  struct early {
    std::uint32_t from;
    std::uint32_t number;
    fabric_arrival what;
  };

  void arrived(buffer& in, std::byte* data, std::size_t bytes, const std::uint64_t* number);
  fabric_arrival copied(const std::byte* data, std::uint32_t bytes);
  void in_order(const fabric_arrival& what, const std::uint64_t* number);
  void give_up(buffer& which);
  void end_doubts();
  void post_when_free(buffer& which);

  endpoint& net_;
  const std::uint32_t message_bytes_;
  const std::size_t bytes_;       // of one buffer
  const std::uint32_t count_;     // of buffers
  const std::uint32_t too_few_;   // posted: copy
  const std::size_t most_early_;  // messages that may wait for earlier ones
  message_numbers numbers_;

  std::unique_ptr<std::byte, void (*)(std::byte*)> memory_;
  registration registered_;
  void* descriptor_ = nullptr;
  std::unique_ptr<buffer[]> buffers_;
  std::vector<buffer*> free_;  // to be posted
  std::vector<doubt> doubts_;
  std::uint32_t posted_ = 0;

  std::vector<std::unique_ptr<std::byte[]>> copies_;  // by slot - count_
  std::vector<std::uint32_t> free_copies_;

  std::vector<std::uint32_t> next_;  // by peer: the number that comes next
  std::vector<early> early_;
  std::vector<fabric_arrival> ready_;
  std::size_t taken_ = 0;  // of ready_
  std::uint64_t ignored_ = 0;
};

}  // namespace lamellar::lamellae
