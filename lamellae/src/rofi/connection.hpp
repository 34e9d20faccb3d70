// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// One TCP connection that carries frames, without ever blocking: what the other end does not
// take now is kept and sent later. Never raises SIGPIPE.
//
// Thread-safety: one thread at a time.
namespace lamellar::lamellae {

enum class frame_kind : std::uint32_t {
  hello = 1,    ///< the first half of the secret; from a PE that connects
  welcome = 2,  ///< the second half
  beat = 3,     ///< nothing: still there
  leave = 4,    ///< PE `pe` leaves in good order
  lost = 5,     ///< PE `pe` is lost, and why
  asked = 6,    ///< at least `number` reports have been asked for
  page = 7      ///< the page of PE `pe`: which handler runs, the report's number, its text
};

struct frame {
  frame_kind kind = frame_kind::beat;
  std::uint32_t pe = 0;
  std::uint32_t number = 0;
  std::uint32_t more = 0;  ///< of a page: the handler that runs; of a question: why
  std::string text;

  static constexpr std::size_t longest_text = 8192;
};

/// Take the first frame off the front of `bytes`. Nothing: there is no whole one yet. `broken`:
/// there never will be.
std::optional<frame> take_frame(std::string& bytes, bool& broken);
std::string to_bytes(const frame& what);

class connection {
 public:
  using clock = std::chrono::steady_clock;

  /// Takes the socket over.
  explicit connection(int socket);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  int socket() const { return socket_; }
  bool wants_to_write() const { return !out_.empty(); }
  void send(const frame& what);
  /// Send what is kept. False: the connection is broken.
  bool write_on();
  /// Read what is there. False: the other end has closed, or sends nonsense.
  bool read_on(std::vector<frame>& into);
  clock::time_point begun() const { return begun_; }
  clock::time_point heard() const { return heard_; }
  /// Why write_on() or read_on() said no.
  const std::string& trouble() const { return trouble_; }

 private:
  int socket_;
  std::string in_;
  std::string out_;
  std::string trouble_;
  clock::time_point begun_;
  clock::time_point heard_;
};

/// An interface's address that PEs of other hosts can reach: the one that `wanted` names (an
/// address, or a network as 10.0.0.0/24 or fd00::/64), else the first of IPv4 that is not the
/// loopback's. Throws: config_error, naming LAMELLAR_ROFI_ADDRESS and what there is.
std::string address_of_interface(const std::string& wanted);
/// A socket that listens on `address`; `port` is filled in.
int listen_on(const std::string& address, std::uint16_t& port);
/// Connect within `seconds`; -1 with `why`.
int connect_to(const std::string& address, std::uint16_t port, double seconds,
               std::string& why);

}  // namespace lamellar::lamellae
