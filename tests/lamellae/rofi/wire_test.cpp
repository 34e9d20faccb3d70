// SPDX-License-Identifier: BSD-3-Clause
#include "rofi/wire.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <lamellar/lamellae/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "rofi/connection.hpp"

using namespace lamellar::lamellae;

namespace {

constexpr std::uint64_t tag = 0x1234567890abcdef;
constexpr std::uint32_t pes = 5;

bool has_version_6() {
  std::ifstream interfaces{"/proc/net/if_inet6"};
  for (std::string line; std::getline(interfaces, line);) {
    if (line.starts_with("00000000000000000000000000000001 ")) return true;
  }
  return false;
}

wire_header a_header(wire_kind kind, std::uint32_t bytes) {
  wire_header made{};
  made.tag = tag;
  made.from = 3;
  made.bytes = bytes & (payload_limit - 1);
  made.kind = static_cast<std::uint8_t>(kind);
  return made;
}

std::vector<std::byte> message(const wire_header& header, std::size_t bytes) {
  std::vector<std::byte> made(sizeof(header) + bytes, std::byte{9});
  std::memcpy(made.data(), &header, sizeof(header));
  return made;
}

wave_part part(std::uint64_t sum, std::uint64_t of_tag, std::uint64_t pe) {
  wave_part made{};
  made.agreed = 1;
  made.sums[0] = sum;
  made.seen[0] = {of_tag, pe};
  return made;
}

}  // namespace

TEST_CASE("counts are known from their last bits, and never fall") {
  for (const std::uint64_t known :
       {std::uint64_t{0}, std::uint64_t{70'000}, std::uint64_t{1} << 40}) {
    for (const std::uint64_t more : {0, 1, 100, 32'767}) {
      CHECK(whole_count(known, static_cast<std::uint16_t>(known + more)) == known + more);
      CHECK(whole_count(known, static_cast<std::uint32_t>(known + more)) == known + more);
    }
    CHECK(whole_count(known, static_cast<std::uint32_t>(known + 0x7fffffff)) ==
          known + 0x7fffffff);
    CHECK(whole_count(known, static_cast<std::uint16_t>(known - 1)) == known);
    CHECK(whole_count(known, static_cast<std::uint32_t>(known - 5)) == known);
  }
}

TEST_CASE("a message of the job is read, padding left out") {
  const auto bytes = message(a_header(wire_kind::handler, 20), 32);
  const auto read = read_message(bytes, tag, pes);
  REQUIRE(read.has_value());
  CHECK(read->header.from == 3);
  CHECK(read->payload.size() == 20);
  CHECK(read->payload.data() == bytes.data() + sizeof(wire_header));
}

TEST_CASE("what is not of the job, or makes no sense, is no message") {
  const auto refused = [](const wire_header& header, std::size_t bytes) {
    return !read_message(message(header, bytes), tag, pes).has_value();
  };
  wire_header header = a_header(wire_kind::body, 16);
  CHECK_FALSE(refused(header, 16));
  CHECK(refused(header, 15));
  header.tag ^= 1;
  CHECK(refused(header, 16));
  header = a_header(wire_kind::body, 16);
  header.from = pes;
  CHECK(refused(header, 16));
  header = a_header(wire_kind::body, ~std::uint32_t{0});
  CHECK(refused(header, 16));
  header = a_header(wire_kind::news, 0);
  CHECK_FALSE(refused(header, 0));
  header.bytes = 16;
  CHECK(refused(header, 16));
  header = a_header(wire_kind::wave, sizeof(wave_part));
  CHECK_FALSE(refused(header, sizeof(wave_part)));
  header = a_header(wire_kind::wave, sizeof(wave_part) - 8);
  CHECK(refused(header, sizeof(wave_part)));
  header = a_header(wire_kind::wave, 0);
  header.kind = 4;
  CHECK(refused(header, 0));
  CHECK_FALSE(read_message(std::span<const std::byte>{}, tag, pes).has_value());
}

TEST_CASE("parts of waves add up, and keep two PEs whose tags differ") {
  wave_part sum = merged(part(1, 7, 0), part(2, 7, 1));
  CHECK(sum.sums[0] == 3);
  CHECK(sum.agreed == 1);
  sum = merged(sum, part(4, 8, 2));
  CHECK(sum.sums[0] == 7);
  CHECK(sum.agreed == 0);
  CHECK(sum.seen[0].tag == 7);
  CHECK(sum.seen[1].tag == 8);
  CHECK(sum.seen[1].pe == 2);
  // A part that knows of a difference, merged into one that agrees with its first PE.
  const wave_part other = merged(part(8, 7, 3), sum);
  CHECK(other.agreed == 0);
  CHECK(other.seen[0].pe == 3);
  CHECK(other.seen[1].tag == 8);
}

TEST_CASE("frames come apart as they were put together, however they arrive") {
  const std::array<frame, 3> sent{frame{frame_kind::beat, 4, 0, 0, {}},
                                  frame{frame_kind::lost, 2, 0, 0, "it has ended"},
                                  frame{frame_kind::page, 1, 9, 3, std::string(3000, 'x')}};
  std::string wire;
  for (const frame& one : sent) wire += to_bytes(one);
  std::string arrived;
  std::vector<frame> got;
  bool broken = false;
  for (const char c : wire) {
    arrived += c;
    while (auto one = take_frame(arrived, broken)) got.push_back(std::move(*one));
  }
  CHECK_FALSE(broken);
  CHECK(arrived.empty());
  REQUIRE(got.size() == sent.size());
  for (std::size_t k = 0; k < sent.size(); ++k) {
    CHECK(got[k].kind == sent[k].kind);
    CHECK(got[k].pe == sent[k].pe);
    CHECK(got[k].number == sent[k].number);
    CHECK(got[k].more == sent[k].more);
    CHECK(got[k].text == sent[k].text);
  }
}

TEST_CASE("a frame that claims too much breaks the connection") {
  std::string bytes = to_bytes({frame_kind::hello, 1, 0, 0, "abc"});
  const std::uint32_t much = 1 << 30;
  std::memcpy(bytes.data() + bytes.size() - 3 - sizeof(much), &much, sizeof(much));
  bool broken = false;
  CHECK_FALSE(take_frame(bytes, broken).has_value());
  CHECK(broken);
}

TEST_CASE("connections are made over both versions of IP") {
  for (const char* const address : {"127.0.0.1", "::1"}) {
    if (address == std::string_view{"::1"} && !has_version_6()) {
      MESSAGE("left out: this host has no IPv6");
      continue;
    }
    CAPTURE(address);
    std::uint16_t port = 0;
    const int listener = listen_on(address, port);
    CHECK(port != 0);
    std::string why;
    const int socket = connect_to(address, port, 5, why);
    CHECK_MESSAGE(socket >= 0, why);
    close(socket);
    close(listener);
  }
}

TEST_CASE("interfaces are found by address and by network") {
  CHECK(address_of_interface("127.0.0.1") == "127.0.0.1");
  CHECK(address_of_interface("127.0.0.0/8") == "127.0.0.1");
  if (has_version_6()) CHECK(address_of_interface("::1/128") == "::1");
  CHECK_FALSE(address_of_interface("").empty());
  CHECK_THROWS_WITH_AS(address_of_interface("203.0.113.0/24"),
                       doctest::Contains("LAMELLAR_ROFI_ADDRESS=203.0.113.0/24"),
                       lamellar::config_error);
  CHECK_THROWS_AS(address_of_interface("nonsense"), lamellar::config_error);
}
