// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "ladder.hpp"

using namespace lamellar::ladder;

TEST_CASE("lines are there for every peer on this host, or for none") {
  on_every_pe([](lamella& pe) {
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      CHECK((pe.request_line(peer) != nullptr) == (pe.able().lines && is_near(pe, peer)));
      CHECK((pe.serving_line(peer) != nullptr) == (pe.able().lines && is_near(pe, peer)));
      CHECK(reinterpret_cast<std::uintptr_t>(pe.request_line(peer)) % cache_line == 0);
    }
  });
}

TEST_CASE("a line is empty when the job opens") {
  on_every_pe([](lamella& pe) {
    if (!pe.able().lines) return;
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me() || !is_near(pe, peer)) continue;
      const line& mine = *pe.request_line(peer);
      for (const line::half* half : {&mine.request, &mine.answer}) {
        CHECK(half->state.load() == 0);
        for (const std::byte each : half->payload) CHECK(each == std::byte{0});
      }
    }
  });
}

TEST_CASE("a request on a line is answered there, between all pairs at once") {
  on_every_pe([](lamella& pe) {
    if (!pe.able().lines) return;
    const std::uint32_t rounds = 500;
    std::vector<std::uint32_t> asked_rounds(pe.size());
    std::vector<std::uint32_t> served_rounds(pe.size());
    std::uint64_t left = 0;
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer != pe.me() && is_near(pe, peer)) left += std::uint64_t{2} * rounds;
    }
    std::uint64_t wrong = 0;
    const auto ask = [&](std::uint32_t peer) {
      line& mine = *pe.request_line(peer);
      std::uint32_t& round = asked_rounds[peer];
      if (mine.answer.state.load(std::memory_order_acquire) != round) return;
      if (round != 0) {
        std::uint64_t answer = 0;
        std::memcpy(&answer, mine.answer.payload, sizeof answer);
        if (answer != std::uint64_t{round} * 3 + peer) ++wrong;
        --left;
      }
      if (++round <= rounds) {
        std::memcpy(mine.request.payload, &round, sizeof round);
        mine.request.state.store(round, std::memory_order_release);
      }
    };
    const auto serve = [&](std::uint32_t peer) {
      line& theirs = *pe.serving_line(peer);
      const std::uint32_t number = theirs.request.state.load(std::memory_order_acquire);
      if (number == served_rounds[peer]) return;
      if (number != ++served_rounds[peer]) ++wrong;
      std::uint32_t round = 0;
      std::memcpy(&round, theirs.request.payload, sizeof round);
      const std::uint64_t answer = std::uint64_t{round} * 3 + pe.me();
      std::memcpy(theirs.answer.payload, &answer, sizeof answer);
      theirs.answer.state.store(number, std::memory_order_release);
      --left;
    };
    wait_until(
        [&] {
          for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
            if (peer == pe.me() || !is_near(pe, peer)) continue;
            ask(peer);
            serve(peer);
          }
          return left == 0;
        },
        "all answers");
    CHECK(wrong == 0);
  });
}
