// SPDX-License-Identifier: BSD-3-Clause
#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <thread>

namespace lamellar::lamellae {
namespace {

struct frame_header {
  std::uint32_t kind;
  std::uint32_t pe;
  std::uint32_t number;
  std::uint32_t more;
  std::uint32_t text_bytes;
};

sockaddr_in ipv4(const std::string& address, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &made.sin_addr);
  return made;
}

/// Whether `address` is in the network that `wanted` writes, or is it.
bool matches(in_addr address, const std::string& wanted) {
  const std::size_t slash = wanted.find('/');
  in_addr network{};
  if (inet_pton(AF_INET, wanted.substr(0, slash).c_str(), &network) != 1) return false;
  unsigned bits = 32;
  if (slash != std::string::npos) {
    const char* const first = wanted.data() + slash + 1;
    const char* const last = wanted.data() + wanted.size();
    const auto [end, failure] = std::from_chars(first, last, bits);
    if (failure != std::errc{} || end != last || bits > 32) return false;
  }
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return ((ntohl(address.s_addr) ^ ntohl(network.s_addr)) & mask) == 0;
}

}  // namespace

std::string to_bytes(const frame& what) {
  const std::string_view text = std::string_view{what.text}.substr(0, frame::longest_text);
  const frame_header header{static_cast<std::uint32_t>(what.kind), what.pe, what.number,
                            what.more, static_cast<std::uint32_t>(text.size())};
  std::string bytes(sizeof(header), '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes.append(text);
}

std::optional<frame> take_frame(std::string& bytes, bool& broken) {
  frame_header header;
  if (bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.text_bytes > frame::longest_text || header.kind == 0 ||
      header.kind > static_cast<std::uint32_t>(frame_kind::page)) {
    broken = true;
    return std::nullopt;
  }
  if (bytes.size() < sizeof(header) + header.text_bytes) return std::nullopt;
  frame read{static_cast<frame_kind>(header.kind), header.pe, header.number, header.more,
             bytes.substr(sizeof(header), header.text_bytes)};
  bytes.erase(0, sizeof(header) + header.text_bytes);
  return read;
}

connection::connection(int socket) : socket_{socket}, begun_{clock::now()}, heard_{begun_} {
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
  const int yes = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

connection::~connection() { close(socket_); }

void connection::send(const frame& what) {
  out_ += to_bytes(what);
  write_on();
}

bool connection::write_on() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      out_.erase(0, static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return true;
    } else {
      trouble_ = std::strerror(errno);
      return false;
    }
  }
  return true;
}

bool connection::read_on(std::vector<frame>& into) {
  std::array<char, 16384> some;
  for (;;) {
    const ssize_t got = ::recv(socket_, some.data(), some.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (got <= 0) {
      trouble_ = got == 0 ? "closed" : std::strerror(errno);
      return false;
    }
    heard_ = clock::now();
    in_.append(some.data(), static_cast<std::size_t>(got));
    bool broken = false;
    while (auto one = take_frame(in_, broken)) into.push_back(std::move(*one));
    if (broken) {
      trouble_ = "it sends what is no frame";
      return false;
    }
  }
}

std::string address_of_interface(const std::string& wanted) {
  ifaddrs* all = nullptr;
  std::string loopback = "127.0.0.1";
  std::string found;
  std::string there;
  if (getifaddrs(&all) == 0) {
    for (const ifaddrs* it = all; it != nullptr; it = it->ifa_next) {
      if (it->ifa_addr == nullptr || it->ifa_addr->sa_family != AF_INET ||
          (it->ifa_flags & IFF_UP) == 0) {
        continue;
      }
      const in_addr address = reinterpret_cast<const sockaddr_in*>(it->ifa_addr)->sin_addr;
      char text[INET_ADDRSTRLEN] = {};
      inet_ntop(AF_INET, &address, text, sizeof(text));
      there += fmt::format("{}{} ({})", there.empty() ? "" : ", ", text, it->ifa_name);
      const bool fits =
          wanted.empty() ? (it->ifa_flags & IFF_LOOPBACK) == 0 : matches(address, wanted);
      if (fits && found.empty()) found = text;
    }
    freeifaddrs(all);
  }
  if (!found.empty()) return found;
  if (wanted.empty()) return loopback;
  throw config_error{fmt::format(
      "LAMELLAR_ROFI_ADDRESS={}: no interface of this host has such an address; there are: {}",
      wanted, there)};
}

int listen_on(const std::string& address, std::uint16_t& port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in where = ipv4(address, 0);
  socklen_t bytes = sizeof(where);
  if (made < 0 || bind(made, reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0 ||
      listen(made, SOMAXCONN) != 0 ||
      getsockname(made, reinterpret_cast<sockaddr*>(&where), &bytes) != 0) {
    const std::string why = std::strerror(errno);
    if (made >= 0) close(made);
    throw config_error{
        fmt::format("cannot listen on {}: {}; name another interface by LAMELLAR_ROFI_ADDRESS",
                    address, why)};
  }
  port = ntohs(where.sin_port);
  return made;
}

int connect_to(const std::string& address, std::uint16_t port, double seconds,
               std::string& why) {
  using clock = std::chrono::steady_clock;
  const auto end = clock::now() + std::chrono::duration<double>(seconds);
  const sockaddr_in where = ipv4(address, port);
  while (clock::now() < end) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) {
      why = std::strerror(errno);
      return -1;
    }
    if (connect(made, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0) {
      return made;
    }
    if (errno == EINPROGRESS) {
      pollfd ready{made, POLLOUT, 0};
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now());
      int failure = ETIMEDOUT;
      socklen_t bytes = sizeof(failure);
      if (poll(&ready, 1, static_cast<int>(left.count())) > 0) {
        getsockopt(made, SOL_SOCKET, SO_ERROR, &failure, &bytes);
      }
      if (failure == 0) return made;
      errno = failure;
    }
    why = std::strerror(errno);
    close(made);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return -1;
}

}  // namespace lamellar::lamellae
