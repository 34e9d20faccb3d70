// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "endpoint.hpp"
#include "fabric.hpp"
#include "gate.hpp"
#include "message_numbers.hpp"
#include "receive_buffers.hpp"
#include "send_buffers.hpp"
#include "transfers.hpp"

// What a fabric consists of, and what happens to its completions. Thread-safety: whoever calls
// has passed the gate.
namespace lamellar::lamellae {

struct peer_state {
  fi_addr_t address = FI_ADDR_NOTAVAIL;
  std::uint32_t sent = 0;  // messages: the number of the next one
  bool listed = false;     // among those that have messages waiting
  send_item* first_waiting = nullptr;
  send_item* last_waiting = nullptr;
};

struct fabric::parts {
  parts(provider_info info, const fabric_choice& choice);
  ~parts();

  void connect(std::span<const std::vector<std::byte>> addresses, std::uint32_t number);
  void send(std::uint32_t peer, send_item& item);
  /// Offer an item to the provider. False: not now.
  bool offer(send_item& item);
  void retry();
  void read_completions();
  void read_failure();
  void end(operation& op);
  void end_in_vain(operation& op, const fi_cq_err_entry& entry, const std::string& reason);
  void sent(send_item& item);
  void note(fabric_failure what);
  void note_all();
  bool reachable(std::uint32_t peer, const char* what);
  bool move(transfers::request what, transfer& done);
  bool fetch_add(transfers::request what, std::uint64_t by, std::uint64_t& before,
                 transfer& done);

  endpoint net;
  fabric_abilities able;
  message_numbers numbers;
  gate alone;  // guards all that follows, and the provider's objects
  send_buffers outgoing;
  receive_buffers incoming;
  transfers moving;
  std::vector<peer_state> peers;
  std::vector<std::uint32_t> waiting;  // peers with messages that the provider did not take
  transfers::failures fresh;           // failures that are to be noted
  std::uint32_t me = 0;

  // Messages that are not complete. Written behind the gate, read by busy().
  std::atomic<std::size_t> messages{0};
  // Transfers that are not complete, likewise.
  std::atomic<std::size_t> moves{0};

  std::mutex failure_mutex;  // guards first_failure
  std::optional<fabric_failure> first_failure;
  std::atomic<bool> has_failure{false};  // set after first_failure, release; read acquire
};

}  // namespace lamellar::lamellae
