// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/lamellae/providers.hpp>
#include <string>
#include <vector>

#include "fabric/interface_choice.hpp"
#include "fabric/provider_choice.hpp"
#include "fabric_group.hpp"

using namespace lamellar::lamellae;
using doctest::Contains;

namespace {

fabric_choice chosen(const char* provider, const char* domain = "", const char* address = "") {
  fabric_choice choice;
  choice.provider = provider;
  choice.domain = domain;
  choice.address = address;
  return choice;
}

}  // namespace

TEST_CASE("a provider that cannot be used is refused with the names of those that can") {
  CHECK_THROWS_WITH_AS(fabric{chosen("verps")}, Contains("LAMELLAR_ROFI_PROVIDER=verps"),
                       lamellar::config_error);
  CHECK_THROWS_WITH_AS(fabric{chosen("verps")}, Contains("tcp;ofi_rxm ("),
                       lamellar::config_error);
  CHECK_THROWS_WITH_AS(fabric{chosen("ofi_rxd")}, Contains("breaks inside libfabric"),
                       lamellar::config_error);
  CHECK_THROWS_WITH_AS(fabric{chosen("tcp", "eth77")}, Contains("LAMELLAR_ROFI_DOMAIN=eth77"),
                       lamellar::config_error);
  CHECK_THROWS_WITH_AS(fabric{chosen("tcp", "", "203.0.113.0/24")},
                       Contains("LAMELLAR_ROFI_ADDRESS=203.0.113.0/24"),
                       lamellar::config_error);
  CHECK_THROWS_WITH_AS(fabric{chosen("tcp", "", "eth0")}, Contains("such as 10.0.0.7"),
                       lamellar::config_error);
}

TEST_CASE("a provider is known by the name that users know, whatever is stacked on it") {
  CHECK(names_provider("tcp", "tcp;ofi_rxm"));
  CHECK(names_provider("TCP", "tcp;ofi_rxm"));
  CHECK(names_provider("tcp;ofi_rxm", "tcp;ofi_rxm"));
  CHECK(names_provider("ofi_rxm;tcp", "tcp;ofi_rxm"));
  CHECK(names_provider("verbs;ofi_rxm", "verbs;ofi_rxm"));
  CHECK_FALSE(names_provider("tcp;ofi_rxm", "tcp"));
  CHECK_FALSE(names_provider("tc", "tcp;ofi_rxm"));
  CHECK_FALSE(names_provider("", "tcp"));
}

TEST_CASE("networks with hardware of their own go before tcp, and tcp before stand-ins") {
  for (const char* const fast : {"verbs;ofi_rxm", "cxi", "efa", "psm3", "opx", "psm2"}) {
    CHECK(rank_of(fast) < rank_of("tcp;ofi_rxm"));
  }
  CHECK(rank_of("tcp") == rank_of("tcp;ofi_rxm"));
  for (const char* const last : {"shm", "sockets", "udp", "net", "net;ofi_rxm"}) {
    CHECK(rank_of(last) == only_if_named);
    CHECK(rank_of("tcp") < rank_of(last));
  }
}

TEST_CASE("by default the first of the list is taken") {
  const auto all = network_providers();
  REQUIRE_FALSE(all.empty());
  CHECK(all.front().refusal.empty());
  CHECK(fabric{{}}.able().provider == all.front().name);
  CHECK(network_library().starts_with("libfabric 1."));
  for (const provider_report& one : all) {
    CHECK_FALSE(one.name.empty());
    CHECK((one.refusal.empty() || one.refusal.find(' ') != std::string::npos));
  }
}

TEST_CASE("an interface is named by its address or by that of its network") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const std::uint8_t bytes[] = {10, 77, 3, 9};
  std::memcpy(&address.sin_addr, bytes, sizeof bytes);
  const auto& generic = reinterpret_cast<const sockaddr&>(address);
  CHECK(text_of(generic) == "10.77.3.9");
  for (const char* const inside : {"10.77.3.9", "10.77.3.0/24", "10.77.3.8/31", "10.0.0.0/8",
                                   "0.0.0.0/0", "10.77.2.0/23"}) {
    CAPTURE(inside);
    CHECK(interface_choice::read(inside)->contains(generic));
  }
  for (const char* const outside : {"10.77.3.8", "10.77.3.10/31", "10.77.4.0/24", "::/0"}) {
    CAPTURE(outside);
    CHECK_FALSE(interface_choice::read(outside)->contains(generic));
  }
  for (const char* const wrong : {"", "10.77", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "eth0",
                                  "fe80::1/129", "10.0.0.0/-1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(interface_choice::read(wrong).has_value());
  }
}

TEST_CASE("a key that is not valid ends in a failure that names the peer") {
  fabric_group group{2};
  std::vector<std::byte> memory(4096, std::byte{1});
  const std::vector<std::byte> source(256, std::byte{2});
  exposed_memory there = group[1].expose(memory);
  there.name.key ^= 0x5555;
  transfer done;
  CHECK_FALSE(
      group.completed(done, [&] { return group[0].put(1, there.name, 0, source, done); }));
  CHECK(done.pending == 0);
  CHECK(done.failed);
  REQUIRE(group[0].failure().has_value());
  CHECK(group[0].failure()->peer == 1);
  CHECK(group[0].failure()->operation == "a put of 256 bytes to PE 1");
  CHECK_FALSE(group[0].failure()->reason.empty());
  CHECK(std::count(memory.begin(), memory.end(), std::byte{1}) == 4096);
}

TEST_CASE("memory beyond the end of what is exposed is out of reach") {
  fabric_group group{2};
  std::vector<std::byte> memory(8192, std::byte{1});
  const exposed_memory there = group[1].expose(std::span{memory}.first(4096));
  std::vector<std::byte> back(256, std::byte{2});
  transfer done;
  CHECK_FALSE(
      group.completed(done, [&] { return group[0].get(1, there.name, 4000, back, done); }));
  CHECK(done.failed);
  REQUIRE(group[0].failure().has_value());
  CHECK(group[0].failure()->operation == "a get of 256 bytes from PE 1");
}

TEST_CASE("memory that is hidden again is out of reach") {
  fabric_group group{2};
  std::vector<std::byte> memory(4096, std::byte{1});
  const std::vector<std::byte> source(256, std::byte{2});
  const exposed_memory there = group[1].expose(memory);
  group[1].hide(there);
  transfer done;
  CHECK_FALSE(
      group.completed(done, [&] { return group[0].put(1, there.name, 0, source, done); }));
  CHECK(memory == std::vector<std::byte>(4096, std::byte{1}));
}

TEST_CASE("a peer that has closed becomes a failure that names it") {
  fabric_group group{2};
  std::vector<std::byte> memory(4096);
  const std::vector<std::byte> source(4096);
  const exposed_memory there = group[1].expose(memory);
  transfer done;
  REQUIRE(group.completed(done, [&] { return group[0].put(1, there.name, 0, source, done); }));
  group.close(1);
  CHECK(group.until([&] {
    static_cast<void>(group[0].put(1, there.name, 0, source, done));
    return group[0].failure().has_value();
  }));
  REQUIRE(group[0].failure().has_value());
  CHECK(group[0].failure()->peer == 1);
  CHECK(group[0].failure()->operation == "a put of 4096 bytes to PE 1");
}

TEST_CASE("a message to a peer that has closed becomes a failure that names it") {
  fabric_group group{2};
  std::uint32_t arrived = 0;
  const auto take = [&](std::uint32_t pe, const fabric_arrival& what) {
    ++arrived;
    group[pe].release(what);
  };
  REQUIRE(send_words(group[0], 1, {0, 0}, 8192));
  REQUIRE(group.until([&] { return arrived == 1; }, take));
  group.close(1);
  CHECK(group.until([&] {
    static_cast<void>(send_words(group[0], 1, {0, 0}, 8192));
    return group[0].failure().has_value();
  }));
  REQUIRE(group[0].failure().has_value());
  CHECK(group[0].failure()->peer == 1);
  CHECK(group[0].failure()->operation == "a message of 8192 bytes to PE 1");
}

TEST_CASE("a PE without an address is a failure, not a crash") {
  fabric one{tested_choice()};
  one.connect(std::vector<std::vector<std::byte>>{one.address(), {}}, 0);
  transfer done;
  const std::vector<std::byte> source(16);
  CHECK(one.put(1, {}, 0, source, done));
  CHECK(done.failed);
  CHECK(done.pending == 0);
  REQUIRE(send_words(one, 1, {0, 0}, 16));
  REQUIRE(one.failure().has_value());
  CHECK(one.failure()->peer == 1);
  CHECK_FALSE(one.busy());
}

TEST_CASE("an address of another kind is refused, naming its PE") {
  fabric one{tested_choice()};
  const std::vector<std::vector<std::byte>> addresses{one.address(), std::vector<std::byte>(3)};
  CHECK_THROWS_WITH_AS(one.connect(addresses, 0), Contains("PE 1"), lamellar::error);
}

TEST_CASE("a fabric that ends with operations under way ends them") {
  std::vector<std::byte> memory(1 << 20);
  std::vector<std::byte> other(1 << 20);
  transfer done;
  {
    fabric_group group{2};
    const exposed_memory there = group[1].expose(memory);
    bool begun = false;
    REQUIRE(group.until([&] {
      begun = begun || group[0].put(1, there.name, 0, other, done);
      return begun;
    }));
    static_cast<void>(group[0].get(1, there.name, 0, other, done));
    for (int k = 0; k < 20; ++k) static_cast<void>(send_words(group[0], 1, {0, 0}, 16384));
    group.close(0);
    CHECK(done.pending == 0);
    CHECK(done.failed);
  }
}

TEST_CASE("a fabric can be opened and closed many times") {
  for (int k = 0; k < 20; ++k) {
    fabric_group group{2};
    bool arrived = false;
    REQUIRE(send_words(group[0], 1, {0, 0}, 4096));
    CHECK(group.until([&] { return arrived; },
                      [&](std::uint32_t pe, const fabric_arrival& what) {
                        arrived = true;
                        group[pe].release(what);
                      }));
  }
}
