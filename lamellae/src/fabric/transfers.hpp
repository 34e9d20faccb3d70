// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/lamella.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "endpoint.hpp"
#include "fabric.hpp"
#include "operation.hpp"

// Reads and writes of peers' memory, and the memory that is registered for them. A bounded
// number of transfers is under way; what is longer than a provider's longest message goes in
// pieces, one after the other.
//
// Thread-safety: behind the fabric's gate.
namespace lamellar::lamellae {

class transfers {
 public:
  /// What has ended in vain: who, what and why.
  using failures = std::vector<fabric_failure>;

  /// `always_register`: memory of this side too, whether or not the provider wants that.
  /// Throws: out_of_memory.
  transfers(endpoint& net, bool always_register);

  exposed_memory expose(std::span<std::byte> memory);
  void hide(const exposed_memory& which) noexcept;

  struct request {
    enum class kind : std::uint8_t { put, get, fetch_add };
    kind what;
    std::uint32_t peer;
    fi_addr_t address;
    std::uint64_t at;  ///< the peer's address, as the provider wants it
    std::uint64_t key;
    std::byte* local;
    std::size_t bytes;
  };
  /// Begin. False: not now. Throws: out_of_memory, where memory of this side must be
  /// registered.
  bool begin(const request& what, transfer& done, failures& failed);
  bool begin_fetch_add(const request& what, std::uint64_t by, std::uint64_t& before,
                       transfer& done, failures& failed);

  /// The piece of `op` that was under way has come to its end.
  void completed(operation& op, failures& failed);
  void failed(operation& op, const std::string& reason, failures& failed);
  /// Go on with what the provider did not take when it was its turn.
  void retry(failures& failed);

  std::size_t under_way() const { return under_way_; }
  /// Nothing completes any more: whoever waits is told that it failed.
  void abandon() noexcept;
  /// Where registrations must end before the endpoint does.
  void unregister() noexcept;

 private:
  struct item : operation {
    item() : operation{kind::transfer} {}
    request what{};
    std::size_t piece = 0;     // bytes that are under way
    std::size_t whole = 0;     // bytes that were asked for
    transfer* done = nullptr;  // nullptr: this item is free
    void* descriptor = nullptr;
    registration registered;    // for this transfer only
    std::uint64_t operand = 0;  // of a fetch_add, and its result: the provider's to read, write
    std::uint64_t result = 0;
    std::uint64_t* before = nullptr;
    item* next = nullptr;  // of those that are free, or are to go on
  };
  struct exposure {
    std::size_t bytes;
    registration registered;
  };
  using exposures = std::multimap<std::uintptr_t, exposure>;

  item* free_item();
  void* descriptor_of(const request& what, registration& own);
  bool start(item& which, transfer& done, failures& failed);
  std::int64_t issue(item& which);
  std::int64_t issue_fetch_add(item& which);
  void finish(item& which, bool failed);
  static fabric_failure failure_of(const item& which, std::string reason);

  endpoint& net_;
  const bool registers_;
  const std::size_t longest_;
  exposures exposed_;
  std::unique_ptr<item[]> items_;
  registration items_registered_;
  item* free_ = nullptr;
  item* waiting_ = nullptr;  // to go on with
  std::size_t under_way_ = 0;
};

}  // namespace lamellar::lamellae
