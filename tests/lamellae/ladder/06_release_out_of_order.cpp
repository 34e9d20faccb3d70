// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

constexpr std::uint32_t bytes = 1000;

void send(lamella& pe, std::uint32_t to, std::uint16_t number) {
  out_buffer out;
  wait_polling(
      pe, [&] { return bool{out = pe.acquire(to, traffic::body)}; }, "credit");
  fill({out.data, bytes}, number);
  pe.post(to, traffic::body, bytes, number);
}

in_buffer receive(lamella& pe) {
  in_buffer one;
  wait_until([&] { return pe.poll({&one, 1}, true) == 1; }, "a buffer");
  return one;
}

}  // namespace

TEST_CASE("a channel yields all its buffers while none is released") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = opposite(pe);
    const auto depth = static_cast<std::uint16_t>(pe.able().channel_depth);
    for (std::uint16_t k = 0; k < depth; ++k) send(pe, next, k);
    std::vector<in_buffer> held;
    for (std::uint16_t k = 0; k < depth; ++k) {
      held.push_back(receive(pe));
      CHECK(held.back().flags == k);
    }
    for (const in_buffer& in : held) CHECK(holds({in.data, in.bytes}, in.flags));
    for (const in_buffer& in : held) pe.release(in, true, false);
    wait_polling(
        pe, [&] { return bool{pe.acquire(next, traffic::body)}; }, "credit");
  });
}

TEST_CASE("buffers released in any order are handled all, and what is kept stays as it is") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = opposite(pe);
    const auto depth = static_cast<std::uint16_t>(pe.able().channel_depth);
    std::mt19937 random{4711 + pe.me()};
    std::uint16_t number = 0;
    for (int round = 0; round < 100; ++round) {
      for (std::uint16_t k = 0; k < depth; ++k) send(pe, next, number++);
      std::vector<in_buffer> held;
      for (std::uint16_t k = 0; k < depth; ++k) held.push_back(receive(pe));
      std::shuffle(held.begin(), held.end(), random);
      while (!held.empty()) {
        const in_buffer in = held.back();
        held.pop_back();
        REQUIRE(holds({in.data, in.bytes}, in.flags));
        pe.release(in, true, false);
      }
      wait_polling(
          pe, [&] { return pe.delivered(next).handled == pe.delivered(next).posted; },
          "all to be handled");
      meet(pe);
    }
  });
}

TEST_CASE("a slot is filled again only when it was released, even behind one that is kept") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = opposite(pe);
    const auto depth = static_cast<std::uint16_t>(pe.able().channel_depth);
    for (std::uint16_t k = 0; k < depth; ++k) send(pe, next, k);
    std::vector<in_buffer> held;
    for (std::uint16_t k = 0; k < depth; ++k) held.push_back(receive(pe));
    // Keep the first and the last; give back what lies between.
    for (std::size_t k = 1; k + 1 < held.size(); ++k) pe.release(held[k], true, false);
    meet(pe);
    std::uint16_t more = 0;
    while (more < depth && pe.acquire(next, traffic::body)) {
      send(pe, next, static_cast<std::uint16_t>(1000 + more));
      ++more;
    }
    CHECK(more <= depth - 2);
    const std::byte mine[] = {static_cast<std::byte>(more)};
    const std::uint32_t sender = (pe.me() + pe.size() - pe.size() / 2) % pe.size();
    const auto coming = static_cast<std::uint16_t>(pe.exchange(mine)[sender].front());
    CHECK(holds({held.front().data, bytes}, 0));
    CHECK(holds({held.back().data, bytes}, depth - 1U));
    pe.release(held.back(), true, false);
    pe.release(held.front(), true, false);
    for (std::uint16_t k = 0; k < coming; ++k) {
      const in_buffer in = receive(pe);
      CHECK(in.flags == 1000 + k);
      CHECK(holds({in.data, in.bytes}, in.flags));
      pe.release(in, true, false);
    }
    meet(pe);
    for (std::uint16_t k = 0; k < depth; ++k) send(pe, next, k);
    for (std::uint16_t k = 0; k < depth; ++k) {
      const in_buffer in = receive(pe);
      CHECK(in.flags == k);
      pe.release(in, true, false);
    }
  });
}
