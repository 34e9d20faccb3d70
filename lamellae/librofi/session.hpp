// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <lamellar/lamellae/settings.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bootstrap/bootstrap.hpp"
#include "fabric/fabric.hpp"
#include "rofi/control.hpp"

// One process's membership in a ROFI job: what the functions of rofi.h do. Every wait makes
// progress for the others and lets other threads in between.
//
// Thread-safety: any thread; one mutex guards all of it.
namespace lamellar::librofi {

class session {
 public:
  /// Join. Throws: lamellar::error.
  session(const std::string& providers, const std::string& domains);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  std::uint32_t me() const { return me_; }
  std::uint32_t size() const { return size_; }

  void flush();
  void wait();
  /// `wait`: for this one alone. All throw lamellar::error.
  void put(void* dst, const void* src, std::size_t bytes, std::uint32_t id, bool wait);
  void get(void* dst, const void* src, std::size_t bytes, std::uint32_t id, bool wait);
  void send(std::uint32_t id, const void* from, std::size_t bytes);
  void receive(void* into, std::size_t bytes);
  void* allocate(std::size_t bytes, const std::vector<std::uint32_t>& pes);
  void release(void* at, const std::vector<std::uint32_t>& pes);
  void barrier(const std::vector<std::uint32_t>& pes);
  void* remote_address(const void* here, std::uint32_t id);
  void* local_address(const void* there, std::uint32_t id);
  std::vector<std::uint32_t> all() const;

 private:
  using lock = std::unique_lock<std::mutex>;
  /// How a member reaches another one's part of an allocation.
  struct part {
    std::uint64_t address = 0;  // as its process has it; 0: it has none
    lamellae::remote_memory name;
  };
  struct area {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
    lamellae::exposed_memory exposed;
    std::vector<part> parts;  // by PE
  };
  enum class kind : std::uint32_t { small = 1, large, taken, step, part };
  /// What goes over the network; up to `bytes` bytes follow.
  struct header {
    std::uint64_t tag;
    kind what;
    std::uint32_t from;
    std::uint64_t number;  // of a large message, or which collective of its group
    std::uint64_t group;   // whose collective it is
    std::uint64_t bytes;   // of a message
    lamellae::remote_memory where;
    std::uint64_t address;
  };
  struct arrived_message {
    header about;
    std::vector<std::byte> bytes;
  };
  /// A step of a barrier, or a part of an allocation: group, which one, step, from whom.
  using step_id = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint32_t>;

  void meet(const lamellae::job_secret& secret, const std::string& address);
  void progress(lock& held);
  void wait_until(lock& held, const char* what, const std::function<bool()>& holds);
  void take(const lamellae::fabric_arrival& one);
  void ship(lock& held, std::uint32_t to, header about, std::span<const std::byte> bytes);
  area& area_of(const void* here, std::size_t bytes, std::uint32_t id);
  std::uint64_t next_collective(std::uint64_t group);
  void meet_group(lock& held, const std::vector<std::uint32_t>& pes);
  void transfer(bool is_put, void* here, const void* there, std::size_t bytes, std::uint32_t id,
                bool wait);
  void drop(area& gone);

  std::unique_ptr<lamellae::bootstrap> bootstrap_;
  std::uint32_t me_ = 0;
  std::uint32_t size_ = 1;
  std::uint64_t tag_ = 0;
  std::unique_ptr<lamellae::fabric> fabric_;
  std::unique_ptr<lamellae::bulletin> page_;  // nobody reads it
  std::unique_ptr<lamellae::control> control_;

  std::mutex mutex_;  // guards what follows, and the fabric
  lamellae::transfer under_way_;
  std::map<const std::byte*, area> areas_;  // by where they begin here
  std::deque<arrived_message> messages_;
  std::vector<std::uint32_t> not_taken_;  // small messages, by PE
  std::map<std::uint64_t, bool> large_;   // by number: whether it has been taken
  std::uint64_t next_large_ = 0;
  std::map<std::uint64_t, std::uint64_t> collectives_;  // by group: how many there were
  std::map<step_id, part> steps_;
};

}  // namespace lamellar::librofi
