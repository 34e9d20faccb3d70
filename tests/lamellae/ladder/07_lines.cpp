// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

constexpr std::uint32_t asked = 1;
constexpr std::uint32_t answered = 2;

}  // namespace

TEST_CASE("lines are there for every peer, or for none") {
  on_every_pe([](lamella& pe) {
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      CHECK((pe.request_line(peer) != nullptr) == pe.able().lines);
      CHECK((pe.serving_line(peer) != nullptr) == pe.able().lines);
      CHECK(reinterpret_cast<std::uintptr_t>(pe.request_line(peer)) % cache_line == 0);
    }
  });
}

TEST_CASE("a line is empty when the job opens") {
  on_every_pe([](lamella& pe) {
    if (!pe.able().lines) return;
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      const line* const mine = pe.request_line(peer);
      CHECK(mine->state.load() == 0);
      for (const std::byte each : mine->payload) CHECK(each == std::byte{0});
    }
  });
}

TEST_CASE("a request on a line is answered on the same line, between all pairs at once") {
  on_every_pe([](lamella& pe) {
    if (!pe.able().lines) return;
    const std::uint64_t rounds = 500;
    std::vector<std::uint64_t> asked_rounds(pe.size());
    std::vector<std::uint64_t> served_rounds(pe.size());
    std::uint64_t left = 2 * rounds * (pe.size() - 1);
    std::uint64_t wrong = 0;
    const auto ask = [&](std::uint32_t peer) {
      line& mine = *pe.request_line(peer);
      std::uint64_t& round = asked_rounds[peer];
      const std::uint32_t state = mine.state.load(std::memory_order_acquire);
      if (state == answered) {
        std::uint64_t answer = 0;
        std::memcpy(&answer, mine.payload, sizeof answer);
        if (answer != (round - 1) * 3 + peer) ++wrong;
        --left;
      }
      if (state != asked && round < rounds) {
        std::memcpy(mine.payload, &round, sizeof round);
        ++round;
        mine.state.store(asked, std::memory_order_release);
      } else if (state == answered) {
        mine.state.store(0, std::memory_order_release);
      }
    };
    const auto serve = [&](std::uint32_t peer) {
      line& theirs = *pe.serving_line(peer);
      if (theirs.state.load(std::memory_order_acquire) != asked) return;
      std::uint64_t round = 0;
      std::memcpy(&round, theirs.payload, sizeof round);
      if (round != served_rounds[peer]++) ++wrong;
      const std::uint64_t answer = round * 3 + pe.me();
      std::memcpy(theirs.payload, &answer, sizeof answer);
      theirs.state.store(answered, std::memory_order_release);
      --left;
    };
    wait_until(
        [&] {
          for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
            if (peer == pe.me()) continue;
            ask(peer);
            serve(peer);
          }
          return left == 0;
        },
        "all answers");
    CHECK(wrong == 0);
  });
}
