// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <map>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

constexpr std::array classes{traffic::body, traffic::handler};

void send(lamella& pe, std::uint32_t to, traffic kind, std::uint32_t bytes,
          std::uint16_t flags) {
  out_buffer out;
  wait_polling(
      pe, [&] { return bool{out = pe.acquire(to, kind)}; }, "credit");
  REQUIRE(out.capacity >= bytes);
  fill({out.data, bytes}, flags);
  pe.post(to, kind, bytes, flags);
}

in_buffer receive(lamella& pe, bool bodies = true) {
  in_buffer one;
  wait_until([&] { return pe.poll({&one, 1}, bodies) == 1; }, "a buffer");
  return one;
}

void wait_handled(lamella& pe, std::uint32_t peer) {
  wait_polling(
      pe, [&] { return pe.delivered(peer).handled == pe.delivered(peer).posted; },
      "all to be handled");
}

}  // namespace

TEST_CASE("where nothing was posted nothing arrives") {
  on_every_pe([](lamella& pe) {
    in_buffer one;
    CHECK(pe.poll({&one, 1}, true) == 0);
    CHECK(pe.poll({}, true) == 0);
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      CHECK(pe.delivered(peer).posted == 0);
      CHECK(pe.delivered(peer).handled == 0);
      CHECK(pe.delivered(peer).failed == 0);
    }
  });
}

TEST_CASE("a buffer may be asked for again until it is posted, and is aligned") {
  on_every_pe([](lamella& pe) {
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      for (const traffic kind : classes) {
        const out_buffer first = pe.acquire(peer, kind);
        REQUIRE(first);
        CHECK(first.capacity == pe.able().buffer_bytes);
        CHECK(reinterpret_cast<std::uintptr_t>(first.data) % 16 == 0);
        CHECK(pe.acquire(peer, kind).data == first.data);
      }
      CHECK(pe.acquire(peer, traffic::body).data != pe.acquire(peer, traffic::handler).data);
    }
  });
}

TEST_CASE("each buffer arrives once, whole, with its sender, class and flags") {
  on_every_pe([](lamella& pe) {
    // One size a round: each channel holds one buffer at a time.
    for (const std::uint32_t bytes :
         {0U, 1U, 15U, 16U, 48U, 49U, 1000U, pe.able().buffer_bytes}) {
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (peer == pe.me()) continue;
        for (const traffic kind : classes) {
          const auto seed = pe.me() * 256 + peer * 4 + static_cast<std::uint32_t>(kind) * 2 + 1;
          send(pe, peer, kind, bytes, static_cast<std::uint16_t>(seed));
        }
      }
      std::map<std::pair<std::uint32_t, traffic>, int> seen;
      for (std::uint32_t k = 0; k < 2 * (pe.size() - 1); ++k) {
        const in_buffer in = receive(pe);
        const auto seed =
            in.from * 256 + pe.me() * 4 + static_cast<std::uint32_t>(in.kind) * 2 + 1;
        ++seen[{in.from, in.kind}];
        CHECK(in.from != pe.me());
        CHECK(in.bytes == bytes);
        CHECK(in.flags == seed);
        CHECK(reinterpret_cast<std::uintptr_t>(in.data) % 16 == 0);
        CHECK(holds({in.data, in.bytes}, seed));
        pe.release(in, true, false);
      }
      CHECK(seen.size() == 2 * (pe.size() - 1));
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (peer != pe.me()) wait_handled(pe, peer);
      }
      meet(pe);
      in_buffer more;
      CHECK(pe.poll({&more, 1}, true) == 0);
      meet(pe);
    }
  });
}

TEST_CASE("body-sent buffers wait while they are not asked for, handler-sent ones do not") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = (pe.me() + 1) % pe.size();
    send(pe, next, traffic::body, 8, 1);
    send(pe, next, traffic::handler, 8, 2);
    const in_buffer first = receive(pe, false);
    CHECK(first.kind == traffic::handler);
    CHECK(first.flags == 2);
    pe.release(first, true, false);
    meet(pe);
    in_buffer none;
    CHECK(pe.poll({&none, 1}, false) == 0);
    const in_buffer second = receive(pe, true);
    CHECK(second.kind == traffic::body);
    CHECK(second.flags == 1);
    pe.release(second, true, false);
    wait_handled(pe, next);
  });
}

TEST_CASE("one poll yields at most one buffer of a channel, and no more than asked for") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer == pe.me()) continue;
      for (const traffic kind : classes) {
        send(pe, peer, kind, 4, 1);
        send(pe, peer, kind, 4, 2);
      }
    }
    meet(pe);  // all are posted; a transport may take its time to show them
    const std::uint32_t channels = 2 * (pe.size() - 1);
    std::vector<in_buffer> room(2 * channels);
    wait_until([&] { return pe.poll(std::span{room}.first(1), true) == 1; }, "a buffer");
    std::uint32_t got = 1;
    wait_until(
        [&] {
          const std::uint32_t now = pe.poll(std::span{room}.subspan(got), true);
          CHECK(now <= channels);
          got += now;
          return got == 2 * channels;
        },
        "all buffers");
    std::map<std::pair<std::uint32_t, traffic>, std::vector<int>> order;
    for (const in_buffer& in : std::span{room}.first(got)) {
      order[{in.from, in.kind}].push_back(in.flags);
      pe.release(in, true, false);
    }
    for (const auto& [channel, flags] : order) CHECK(flags == std::vector<int>{1, 2});
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (peer != pe.me()) wait_handled(pe, peer);
    }
  });
}

TEST_CASE("handled is counted at release or by settle, failures with it") {
  on_every_pe([](lamella& pe) {
    if (pe.size() == 1) return;
    const std::uint32_t next = (pe.me() + 1) % pe.size();
    const delivery before = pe.delivered(next);
    for (std::uint16_t k = 0; k < 2; ++k) send(pe, next, traffic::body, 16, k);
    CHECK(pe.delivered(next).posted == before.posted + 2);
    CHECK(pe.delivered(next).handled == before.handled);
    meet(pe);

    const in_buffer first = receive(pe);
    pe.release(first, false, false);
    const in_buffer second = receive(pe);
    pe.release(second, true, true);
    meet(pe);
    const auto are_handled = [&](std::uint64_t count) {
      return pe.delivered(next).handled == before.handled + count;
    };
    wait_polling(
        pe, [&] { return are_handled(1); }, "one to be handled");
    CHECK(pe.delivered(next).failed == before.failed + 1);
    meet(pe);
    CHECK(are_handled(1));
    meet(pe);

    pe.settle(first.from, false);
    wait_polling(
        pe, [&] { return are_handled(2); }, "both to be handled");
    CHECK(pe.delivered(next).failed == before.failed + 1);
  });
}
