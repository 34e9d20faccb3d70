// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/providers.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct fi_info;

// The network as libfabric gives it: one reliable-datagram endpoint of one PE, messages into
// buffers that the receiver has laid out, and reads and writes of memory that a peer has
// exposed. Knows PEs by number and no meaning of a byte.
//
// What a provider wants (who chooses keys, whether addresses are virtual, who makes progress,
// whether local memory must be registered) is asked of it, never guessed from its name; what
// it claims is tried at start. Nothing here waits for a peer.
//
// Thread-safety: take_buffer, send, put, get, expose and hide: any thread. poll and
// release: one thread at a time. The rest: one thread, before the others begin.
namespace lamellar::lamellae {

/// What a user may choose, and what the job needs.
struct fabric_choice {
  std::string provider;  ///< as fi_info names it; empty: the best that can do it
  std::string domain;    ///< empty: any of the provider's
  std::string address;   ///< of the interface to use, as 10.0.0.7 or 10.0.0.0/24; empty: any
  std::uint32_t message_bytes = 16384;   ///< the longest message, a multiple of 16
  std::uint32_t expected_messages = 64;  ///< that peers may have under way to this PE at once
  bool register_local_memory = false;  ///< even where the provider does not want it, for tests
};

/// What has been found out by asking and by trying.
struct fabric_abilities {
  std::string provider;  ///< as the provider calls itself
  std::string domain;
  std::size_t inject_bytes = 0;  ///< messages up to this long are copied at once
  std::size_t longest_transfer = 0;
  bool chooses_keys = false;  ///< registration keys are ours: random
  bool virtual_addresses = false;
  bool registers_local_memory = false;
  bool atomics = false;  ///< fetch_add has been tried and works
};

/// Memory that peers may read and write.
struct exposed_memory {
  remote_memory name;      ///< travels
  void* handle = nullptr;  ///< the fabric's own
};

/// A message that has arrived; readable until it is released. `data` is aligned to 16 bytes.
struct fabric_arrival {
  const std::byte* data;
  std::uint32_t bytes;
  std::uint32_t slot;  ///< the fabric's own
};

/// An operation that the network refused, or a peer that it cannot reach any more.
struct fabric_failure {
  std::uint32_t peer = 0;  ///< a PE, or no_peer where the network does not say
  std::string operation;   ///< what was under way, as a reader would name it
  std::string reason;      ///< the provider's words
  static constexpr std::uint32_t no_peer = ~std::uint32_t{0};
};

struct probe_result;

class fabric {
 public:
  /// Open an endpoint.
  ///
  /// Throws: config_error, naming LAMELLAR_ROFI_PROVIDER or LAMELLAR_ROFI_DOMAIN, what is
  /// missing from what was chosen, and the providers that can do it.
  explicit fabric(const fabric_choice& choice);
  ~fabric();
  fabric(const fabric&) = delete;
  fabric& operator=(const fabric&) = delete;

  const fabric_abilities& able() const;

  /// The endpoint's address; travels.
  std::vector<std::byte> address() const;
  /// Learn the addresses of all PEs, by number; an empty one is a PE that is never talked to.
  void connect(std::span<const std::vector<std::byte>> addresses, std::uint32_t me);

  // ---- messages ----
  /// Room for a message to be sent, `message_bytes` long, 64-byte aligned; nullptr when twice
  /// `expected_messages`, and 64, are in use, or the memory for it is used up.
  std::byte* take_buffer();
  void give_back(std::byte* buffer);
  /// Send the first `bytes` bytes, a multiple of 16, of a buffer of take_buffer(), which goes
  /// back by itself. Messages to one peer arrive in the order of sending. Never waits: what
  /// the network cannot take now is sent by a later poll.
  void send(std::uint32_t peer, std::byte* buffer, std::uint32_t bytes);
  /// Make progress on everything, and fetch what has arrived. Returns how many.
  std::uint32_t poll(std::span<fabric_arrival> into);
  void release(const fabric_arrival& which);

  // ---- memory ----
  /// Let peers read and write `memory`. Throws: out_of_memory, with the provider's reason and
  /// what to raise (ulimit -l).
  exposed_memory expose(std::span<std::byte> memory);
  void hide(const exposed_memory& which) noexcept;
  /// Write to, or read from, a peer's exposed memory, `offset` bytes from its begin. False: not
  /// now; poll, and try again. `done.pending` is raised before this returns true, and lowered
  /// by the poll that finds the end; then the bytes are there: those of put() at the peer, for
  /// its CPU to load. Throws: out_of_memory, where the network wants `from` or `into` to be
  /// registered, and refuses.
  bool put(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
           std::span<const std::byte> from, transfer& done);
  bool get(std::uint32_t peer, const remote_memory& from, std::uint64_t offset,
           std::span<std::byte> into, transfer& done);
  /// Add to a word of 8 bytes in the network, and fetch what it was. Only if able().atomics,
  /// and not to be mixed with what a CPU does to the word.
  bool fetch_add(std::uint32_t peer, const remote_memory& to, std::uint64_t offset,
                 std::uint64_t by, std::uint64_t& before, transfer& done);
  /// Whether anything that this PE has begun is not complete. A message is, once the network
  /// has it; one of at most inject_bytes counts from the moment when the network has taken a
  /// copy, which may still need polls of this PE to leave.
  bool busy() const;

  /// Arrivals that were no messages, since they were empty, too long or broke off: from
  /// strangers, or from PEs that were lost. Threads: the one that polls.
  std::uint64_t ignored() const;

  /// The first failure, once there is one.
  std::optional<fabric_failure> failure() const;

  /// All providers of this machine's libfabric, with why not where not. Threads: any.
  static std::vector<provider_report> providers();
  /// The library's name and version.
  static std::string library();

  /// For tests: refuse the registration after the next `successes` ones.
  static void refuse_registration_after(std::uint32_t successes);

 private:
  struct parts;
  probe_result try_it(const fi_info& info, const fabric_choice& choice);
  std::unique_ptr<parts> parts_;
};

}  // namespace lamellar::lamellae
