// SPDX-License-Identifier: BSD-3-Clause
// What the relay of a host is made of; that it works is the affair of the tests that run over
// it.
#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "host_aggregation.hpp"
#include "rofi/relay_memory.hpp"
#include "rofi/relay_message.hpp"

using namespace lamellar::lamellae;

namespace {

constexpr std::uint64_t tag = 0x1234567890abcdef;
constexpr std::uint32_t hosts = 4;

std::vector<std::byte> packet_of(std::size_t bytes, unsigned value) {
  return std::vector<std::byte>(bytes, static_cast<std::byte>(value));
}

std::vector<std::byte> message_of(
    const std::vector<std::pair<std::uint32_t, std::size_t>>& to) {
  std::vector<std::byte> made(sizeof(relay_header));
  for (const auto& [pe, bytes] : to) {
    const packet_header header{pe, static_cast<std::uint32_t>(bytes), 0};
    const auto* const first = reinterpret_cast<const std::byte*>(&header);
    made.insert(made.end(), first, first + sizeof(header));
    made.insert(made.end(), bytes, static_cast<std::byte>(pe));
  }
  const relay_header header{tag, 7, 2, static_cast<std::uint32_t>(made.size() - sizeof(header)),
                            0};
  std::memcpy(made.data(), &header, sizeof(header));
  return made;
}

bool is_full_of(std::span<const std::byte> bytes, unsigned value) {
  for (const std::byte one : bytes) {
    if (one != static_cast<std::byte>(value)) return false;
  }
  return true;
}

/// What a host keeps in buffers, all PEs together, when every channel is as full as may be.
std::size_t bytes_of_a_host(const host_aggregation& plan, std::size_t pes,
                            std::size_t on_host) {
  const std::size_t open_and_under_way = traffic_classes * (1 + std::size_t{plan.depth});
  const std::size_t packets = on_host * pes * open_and_under_way * plan.packet_bytes;
  const std::size_t outboxes = pes / on_host * plan.message_bytes;
  return packets + outboxes + on_host * sizeof(inbox);
}

}  // namespace

TEST_CASE("packets come out of a message as they went in") {
  const auto bytes = message_of({{1, 32}, {3, 4000}, {1, 16}});
  const auto read = read_relay_message(bytes, tag, hosts);
  REQUIRE(read.has_value());
  CHECK(read->header.number == 7);
  CHECK(read->header.from == 2);
  std::span<const std::byte> rest = read->packets;
  for (const auto& [pe, size] :
       {std::pair{1u, 32u}, std::pair{3u, 4000u}, std::pair{1u, 16u}}) {
    const auto next = next_packet(rest);
    REQUIRE(next.has_value());
    CHECK(next->to == pe);
    CHECK(next->bytes.size() == size);
    CHECK(is_full_of(next->bytes, pe));
  }
  CHECK(rest.empty());
  CHECK_FALSE(next_packet(rest).has_value());
}

TEST_CASE("what is no message of this job is not read, and what breaks off only so far") {
  auto bytes = message_of({{1, 32}, {3, 64}});
  CHECK_FALSE(read_relay_message(bytes, tag + 1, hosts).has_value());
  CHECK_FALSE(read_relay_message(bytes, tag, 2).has_value());
  for (std::size_t left = 0; left < bytes.size(); ++left) {
    CHECK_FALSE(read_relay_message(std::span{bytes}.first(left), tag, hosts).has_value());
  }
  // The second packet pretends to be longer than what is there.
  packet_header lie{3, 80, 0};
  std::memcpy(bytes.data() + sizeof(relay_header) + sizeof(packet_header) + 32, &lie,
              sizeof(lie));
  std::span<const std::byte> rest = read_relay_message(bytes, tag, hosts)->packets;
  CHECK(next_packet(rest).has_value());
  CHECK_FALSE(next_packet(rest).has_value());
  CHECK(rest.size() == sizeof(packet_header) + 64);
}

TEST_CASE("an inbox takes what fits, and gives it in order, around its end and around again") {
  const auto box = std::make_unique<inbox>();
  CHECK(box->front().empty());
  constexpr std::size_t longest = 16 * 501;
  std::mt19937 random{11};
  std::deque<std::pair<std::size_t, unsigned>> inside;
  std::size_t refused = 0;
  for (unsigned k = 0; k < 20'000; ++k) {
    const std::size_t bytes = 16 * (1 + random() % 500);
    if (random() % 2 == 0 || inside.empty()) {
      if (box->push(packet_of(bytes, k % 251))) {
        inside.emplace_back(bytes, k % 251);
      } else {
        ++refused;
        std::size_t total = 0;
        for (const auto& one : inside) total += one.first + 16;
        // Less than a packet is left out at the end of the ring, by those inside and by this
        // one.
        CHECK(total + bytes + 16 + 2 * longest > inbox::capacity);
      }
    } else if (random() % 5 != 0) {
      const auto first = box->front();
      REQUIRE(first.size() == inside.front().first);
      REQUIRE(is_full_of(first, inside.front().second));
      box->drop_front();
      inside.pop_front();
    }
  }
  CHECK(refused > 0);
  CHECK_FALSE(box->push(packet_of(inbox::capacity, 0)));
}

TEST_CASE("an inbox keeps the order of each of those who push at once") {
  const auto box = std::make_unique<inbox>();
  constexpr std::uint64_t each = 20'000;
  constexpr std::size_t pushers = 3;
  std::vector<std::thread> threads;
  for (std::uint64_t who = 0; who < pushers; ++who) {
    threads.emplace_back([&box, who] {
      for (std::uint64_t k = 0; k < each; ++k) {
        const std::uint64_t words[2] = {who, k};
        while (!box->push(std::as_bytes(std::span{words}))) std::this_thread::yield();
      }
    });
  }
  std::uint64_t next[pushers] = {};
  bool in_order = true;
  for (std::uint64_t got = 0; got < pushers * each;) {
    const auto first = box->front();
    if (first.empty()) {
      std::this_thread::yield();
      continue;
    }
    std::uint64_t words[2];
    std::memcpy(words, first.data(), sizeof(words));
    box->drop_front();
    in_order = in_order && words[0] < pushers && words[1] == next[words[0] % pushers]++;
    ++got;
  }
  for (std::thread& one : threads) one.join();
  CHECK(in_order);
}

TEST_CASE("hosts are gathered for when there are many PEs, or when the user says so") {
  settings s;
  CHECK_FALSE(plan_host_aggregation(s, 64, 8).on);
  CHECK(plan_host_aggregation(s, 128, 8).on);
  CHECK_FALSE(plan_host_aggregation(s, 128, 1).on);
  CHECK_FALSE(plan_host_aggregation(s, 128, 128).on);
  s.host_aggregation = true;
  CHECK(plan_host_aggregation(s, 4, 2).on);
  CHECK_FALSE(plan_host_aggregation(s, 4, 1).on);
  s.host_aggregation = false;
  CHECK_FALSE(plan_host_aggregation(s, 1024, 8).on);
}

TEST_CASE("on 16 hosts of 16 PEs the buffers of a host stay below 64 MiB") {
  const settings s;
  const host_aggregation plan = plan_host_aggregation(s, 256, 16);
  REQUIRE(plan.on);
  CHECK(bytes_of_a_host(plan, 256, 16) < std::size_t{64} << 20);
  // Two of the longest packets share a message.
  CHECK(2 * (plan.payload_bytes() + 48) + sizeof(relay_header) <= plan.message_bytes);
}
