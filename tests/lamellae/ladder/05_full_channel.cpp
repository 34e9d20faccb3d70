// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cstring>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

constexpr std::array classes{traffic::body, traffic::handler};

bool try_send(lamella& pe, std::uint32_t to, traffic kind, std::uint64_t number) {
  const out_buffer out = pe.acquire(to, kind);
  if (!out) return false;
  std::memcpy(out.data, &number, sizeof number);
  pe.post(to, kind, sizeof number, 0);
  return true;
}

std::uint64_t number_in(const in_buffer& in) {
  std::uint64_t number = 0;
  REQUIRE(in.bytes == sizeof number);
  std::memcpy(&number, in.data, sizeof number);
  return number;
}

}  // namespace

TEST_CASE("a channel takes as many buffers as its depth says, whatever the other class does") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = opposite(pe);
    const std::uint64_t too_many = 10000;
    std::uint64_t depth = 0;
    for (const traffic kind : classes) {
      std::uint64_t sent = 0;
      while (sent < too_many && try_send(pe, next, kind, sent)) ++sent;
      CHECK(sent >= pe.able().channel_depth);
      CHECK(sent < too_many);
      if (kind == traffic::body) depth = sent;
      CHECK(sent == depth);
      CHECK_FALSE(pe.acquire(next, kind));
    }
    meet(pe);

    // One slot given back is one slot more, in that channel alone.
    in_buffer in;
    wait_until([&] { return pe.poll({&in, 1}, true) == 1; }, "a buffer");
    const traffic freed = in.kind;
    CHECK(number_in(in) == 0);
    pe.release(in, true, false);
    std::uint64_t sent[traffic_classes] = {depth, depth};
    wait_polling(
        pe,
        [&] {
          for (const traffic kind : classes) {
            auto& number = sent[static_cast<std::size_t>(kind)];
            if (try_send(pe, next, kind, number)) ++number;
          }
          return sent[0] + sent[1] == 2 * depth + 1;
        },
        "credit for one buffer more");
    CHECK_FALSE(pe.acquire(next, traffic::body));
    CHECK_FALSE(pe.acquire(next, traffic::handler));
    meet(pe);

    std::uint64_t expected[traffic_classes] = {};
    ++expected[static_cast<std::size_t>(freed)];
    for (std::uint32_t k = 0; k < 2 * depth; ++k) {
      wait_until([&] { return pe.poll({&in, 1}, true) == 1; }, "a buffer");
      CHECK(number_in(in) == expected[static_cast<std::size_t>(in.kind)]++);
      pe.release(in, true, false);
    }
    CHECK(expected[0] + expected[1] == 2 * depth + 1);
  });
}

TEST_CASE("a flood in all directions loses nothing and keeps each channel's order") {
  on_every_pe([](lamella& pe) {
    const std::uint64_t each = 20000;
    std::vector<std::uint64_t> sent(pe.size() * traffic_classes);
    std::vector<std::uint64_t> got(pe.size() * traffic_classes);
    std::vector<in_buffer> room(8);
    std::uint64_t left_to_send = each * traffic_classes * (pe.size() - 1);
    std::uint64_t left_to_get = left_to_send;
    std::uint64_t out_of_order = 0;
    std::uint64_t last_change = left_to_get + left_to_send;
    const auto step = [&] {
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (peer == pe.me()) continue;
        for (const traffic kind : classes) {
          std::uint64_t& number = sent[peer * traffic_classes + static_cast<std::size_t>(kind)];
          while (number < each && try_send(pe, peer, kind, number)) {
            ++number;
            --left_to_send;
          }
        }
      }
      const std::uint32_t count = pe.poll(room, true);
      for (const in_buffer& in : std::span{room}.first(count)) {
        std::uint64_t& next =
            got[in.from * traffic_classes + static_cast<std::size_t>(in.kind)];
        if (number_in(in) != next++) ++out_of_order;
        pe.release(in, true, false);
        --left_to_get;
      }
    };
    while (left_to_send + left_to_get != 0) {
      wait_until(
          [&] {
            step();
            return left_to_send + left_to_get != last_change || last_change == 0;
          },
          "the flood to go on");
      last_change = left_to_send + left_to_get;
    }
    CHECK(out_of_order == 0);
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      wait_polling(
          pe, [&] { return pe.delivered(peer).handled == pe.delivered(peer).posted; },
          "all to be handled");
      CHECK(pe.delivered(peer).failed == 0);
    }
  });
}
