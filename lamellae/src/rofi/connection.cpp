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
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <thread>

#include "../fabric/interface_choice.hpp"

namespace lamellar::lamellae {
namespace {

struct frame_header {
  std::uint32_t kind;
  std::uint32_t pe;
  std::uint32_t number;
  std::uint32_t more;
  std::uint32_t text_bytes;
};

/// An address of IP version 4 or 6, with a port.
struct place {
  sockaddr_storage bytes{};
  socklen_t size = sizeof(sockaddr_in);

  place(const std::string& address, std::uint16_t port) {
    auto* const as_4 = reinterpret_cast<sockaddr_in*>(&bytes);
    auto* const as_6 = reinterpret_cast<sockaddr_in6*>(&bytes);
    if (inet_pton(AF_INET6, address.c_str(), &as_6->sin6_addr) == 1) {
      as_6->sin6_family = AF_INET6;
      as_6->sin6_port = htons(port);
      size = sizeof(sockaddr_in6);
    } else {
      as_4->sin_family = AF_INET;
      as_4->sin_port = htons(port);
      inet_pton(AF_INET, address.c_str(), &as_4->sin_addr);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  std::uint16_t port() const {
    return ntohs(bytes.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&bytes)->sin_port);
  }
  int open_socket() const {
    return ::socket(bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
};

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
  const auto choice = interface_choice::read(wanted);
  ifaddrs* all = nullptr;
  std::string found;
  std::string there;
  if (getifaddrs(&all) == 0) {
    for (const ifaddrs* it = all; it != nullptr; it = it->ifa_next) {
      if (it->ifa_addr == nullptr || (it->ifa_flags & IFF_UP) == 0) continue;
      const std::string text = text_of(*it->ifa_addr);
      if (text.empty()) continue;
      there += fmt::format("{}{} ({})", there.empty() ? "" : ", ", text, it->ifa_name);
      const bool fits = wanted.empty() ? it->ifa_addr->sa_family == AF_INET &&
                                             (it->ifa_flags & IFF_LOOPBACK) == 0
                                       : choice && choice->contains(*it->ifa_addr);
      if (fits && found.empty()) found = text;
    }
    freeifaddrs(all);
  }
  if (!found.empty()) return found;
  if (wanted.empty()) return "127.0.0.1";
  throw config_error{fmt::format(
      "LAMELLAR_ROFI_ADDRESS={}: no interface of this host has such an address; there are: {}",
      wanted, there)};
}

int listen_on(const std::string& address, std::uint16_t& port) {
  place where{address, 0};
  const int made = where.open_socket();
  if (made < 0 || bind(made, where.get(), where.size) != 0 || listen(made, SOMAXCONN) != 0 ||
      getsockname(made, where.get(), &where.size) != 0) {
    const std::string why = std::strerror(errno);
    if (made >= 0) close(made);
    throw config_error{
        fmt::format("cannot listen on {}: {}; name another interface by LAMELLAR_ROFI_ADDRESS",
                    address, why)};
  }
  port = where.port();
  return made;
}

int connect_to(const std::string& address, std::uint16_t port, double seconds,
               std::string& why) {
  using clock = std::chrono::steady_clock;
  const auto end = clock::now() + std::chrono::duration<double>(seconds);
  const place where{address, port};
  while (clock::now() < end) {
    const int made = where.open_socket();
    if (made < 0) {
      why = std::strerror(errno);
      return -1;
    }
    if (connect(made, where.get(), where.size) == 0) {
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
