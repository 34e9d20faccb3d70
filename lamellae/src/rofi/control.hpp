// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/lamellae/lamella.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../bootstrap/bootstrap.hpp"
#include "connection.hpp"

// What the PEs of a job on several hosts tell each other beside their messages: that they
// live, that they leave in good order, and what they wait for. Each PE keeps one TCP connection
// to PE 0, served by a thread of its own, so that a PE which computes for long is no lost one.
// A connection that closes without a farewell, or is silent for LAMELLAR_PEER_TIMEOUT, is a
// lost PE, and PE 0 tells all.
//
// Who connects must show the job's secret, which only members know, within two seconds; nobody
// else is listened to.
//
// Thread-safety: page_of, has_left: any thread. The rest: the thread that owns it.
namespace lamellar::lamellae {

/// Two halves: whoever connects shows the first, PE 0 answers with the second.
using job_secret = std::array<std::uint64_t, 4>;
job_secret make_job_secret();

struct control_settings {
  std::string address;  ///< of the interface to listen on; on PE 0
  job_secret secret{};
  double timeout_s = 5;     ///< of silence; 0: any silence is fine
  bulletin* own = nullptr;  ///< this PE's page, which its peers on other hosts read copies of
  std::function<bulletin*(std::uint32_t)> near_page;  ///< of a PE of this host, or nullptr
  std::function<std::uint64_t()> now_ns;              ///< the clock of the pages
  /// PE `pe` is lost; `why` is for a reader. Called once, by the control thread.
  std::function<void(std::uint32_t pe, const std::string& why)> lost;
};

class control {
 public:
  /// Connect. Collective over the job; blocks. Throws: config_error when PEs do not come
  /// together within half a minute, naming them.
  control(bootstrap& from, control_settings s);
  ~control();
  control(const control&) = delete;
  control& operator=(const control&) = delete;

  /// The page of a PE, or the copy of it that is kept here; where it is stays the same.
  bulletin* page_of(std::uint32_t pe);
  /// Whether `pe` has left in good order.
  bool has_left(std::uint32_t pe) const { return left_[pe].load(std::memory_order_acquire); }
  /// Tell all that this PE leaves in good order, and stop. Without it the end is a loss.
  void leave();

 private:
  using clock = connection::clock;

  void listen_for_all();
  void connect_to_first(const std::string& address, std::uint16_t port);
  void stop();
  void serve();
  void look_at_strangers();
  void read_from(std::uint32_t pe, connection& line);
  void obey(std::uint32_t from, const frame& what);
  void end_of(std::uint32_t pe, const std::string& why);
  void send_to_all(const frame& what, std::uint32_t except);
  void beat(clock::time_point now);
  void copy_pages();
  void wake();

  std::uint32_t me_;
  std::uint32_t size_;
  control_settings set_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::vector<std::unique_ptr<connection>> strangers_;  // have not shown the secret yet
  // By PE on PE 0, with itself empty; elsewhere the first one is the connection to PE 0.
  std::vector<std::unique_ptr<connection>> lines_;
  std::unique_ptr<std::atomic<bool>[]> left_;
  std::vector<std::unique_ptr<bulletin>> copies_;  // of pages of other hosts
  std::uint32_t asked_before_ = 0;
  std::uint32_t answered_before_ = 0;
  std::uint32_t running_before_ = 0;
  std::uint32_t waited_before_ = 0;
  clock::time_point last_beat_{};
  bool is_over_ = false;  // somebody is lost; nothing more is said
  std::atomic<bool> leaving_{false};
  std::atomic<bool> says_farewell_{false};
  std::thread thread_;
};

}  // namespace lamellar::lamellae
