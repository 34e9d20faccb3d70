// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rdma/fabric.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/world.hpp>
#include <memory>
#include <string>
#include <vector>

// What a network does by itself: messages, writes and reads between PE 0 and the last PE of a
// job by libfabric's own calls, with the provider that LAMELLAR_ROFI_PROVIDER and
// LAMELLAR_ROFI_DOMAIN name, tcp if they name none. The limit of everything that goes over it.
//
// Thread-safety: the main thread of each PE. All but the plain questions is collective; the PEs
// that do not take part wait in a barrier.

namespace lamellar::benchmark {

class raw_fabric {
 public:
  static constexpr std::uint64_t window = 16;  // puts and gets under way at once
  static constexpr std::uint64_t longest_message = 16384;
  static constexpr std::uint64_t longest_transfer = 1 << 20;

  /// Open an endpoint on both PEs and connect them. Throws: std::runtime_error, on one PE.
  explicit raw_fabric(world& w);
  ~raw_fabric();

  const std::string& provider() const { return provider_; }
  /// Whether this PE is one of the two.
  bool takes_part() const { return part_ != part::none; }
  /// Whether all that was received, written and read was right. Not collective.
  bool right() const { return right_; }

  // The seconds as PE 0 sees them. Requires: a multiple of 8 bytes, up to the longest above.

  /// Bounce a message to and fro.
  double round_trips(std::uint64_t bytes, std::uint64_t rounds);
  /// Send messages one after the other, from PE 0, or from both at once.
  double stream(std::uint64_t bytes, std::uint64_t messages, bool both_ways);
  /// Write to the peer's memory until all is there, or read from it; `lose_one`: all but one.
  double puts(std::uint64_t bytes, std::uint64_t operations, bool lose_one = false);
  double gets(std::uint64_t bytes, std::uint64_t operations, bool lose_one = false);

 private:
  enum class part { none, asks, serves };
  template <class Object>
  struct close_it {
    void operator()(Object* object) const { fi_close(&object->fid); }
  };
  template <class Object>
  using owned = std::unique_ptr<Object, close_it<Object>>;
  struct receive_buffer {
    fi_context2 context{};  // first: the provider's
    std::byte* data = nullptr;
  };

  void open(const std::string& provider, const std::string& domain);
  void meet(world& w);
  void lay_out(receive_buffer& which);
  void progress();
  void finish_own();
  void send(std::uint64_t bytes);
  void await_messages(std::uint64_t count);
  double transfer(std::uint64_t bytes, std::uint64_t operations, bool writes, bool lose_one);
  void issue(std::uint64_t slot, std::uint64_t place, std::uint64_t bytes, bool writes);
  void stamp(std::vector<std::byte>& memory, std::uint64_t bytes, std::uint64_t mark) const;
  bool is_stamped(const std::vector<std::byte>& memory, std::uint64_t bytes,
                  std::uint64_t operations) const;

  world& world_;
  part part_ = part::none;
  std::string provider_;
  bool right_ = true;
  std::unique_ptr<fi_info, void (*)(fi_info*)> info_{nullptr, &fi_freeinfo};
  std::vector<std::byte> received_;  // memory of the receive buffers
  std::vector<std::byte> outgoing_;  // messages under way
  std::vector<std::byte> exposed_;   // what the peer reads and writes: window + 1 places
  std::vector<std::byte> own_;       // what is written, or read into, likewise
  // Operations under way: messages, then transfers.
  std::vector<fi_context2> contexts_;
  std::vector<char> busy_;
  std::uint64_t under_way_ = 0;
  // Closed from the last to the first.
  owned<fid_fabric> fabric_;
  owned<fid_domain> domain_;
  owned<fid_av> addresses_;
  owned<fid_cq> completions_;
  owned<fid_mr> registered_[4];
  owned<fid_ep> endpoint_;
  receive_buffer buffers_[2];
  std::uint64_t peer_memory_ = 0;
  std::uint64_t peer_key_ = 0;
  fi_addr_t to_ = 0;
  std::uint64_t sent_ = 0;  // messages
  std::uint64_t arrived_ = 0;
  std::uint64_t round_ = 0;  // of transfers
};

}  // namespace lamellar::benchmark
