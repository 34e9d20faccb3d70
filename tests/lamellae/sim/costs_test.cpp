// SPDX-License-Identifier: BSD-3-Clause
#include <vector>

#include "simulated.hpp"

using namespace lamellar::testing;

namespace {

/// Round numbers, and nothing left to chance.
settings orderly(std::uint32_t pes, std::uint32_t pes_per_host) {
  settings s = simulated(pes, 0);
  s.sim.pes_per_host = pes_per_host;
  s.sim.latency_ns = 100'000;
  s.sim.host_latency_ns = 10'000;
  s.sim.byte_ns = 2;
  s.sim.message_ns = 1000;
  s.sim.record_ns = 50;
  return s;
}

/// When PE 1 has got a buffer of `bytes` bytes that PE 0 sent at time 0.
std::uint64_t arrival(const settings& s, std::uint32_t bytes) {
  std::uint64_t at = 0;
  run(s, [&](lamella& pe) {
    if (pe.me() == 0) send(pe, 1, bytes);
    if (pe.me() != 1) return;
    pe.release(receive(pe), true, false);
    at = pe.now_ns();
  });
  return at;
}

/// The few calls of the lamella that come on top take some time too, but little.
bool is_about(std::uint64_t measured, std::uint64_t expected) {
  return measured >= expected && measured <= expected + 200;
}

}  // namespace

TEST_CASE("a buffer takes latency, its bytes, and work at both ends") {
  CHECK(is_about(arrival(orderly(2, 1), 1000), 1000 + 100'000 + 2 * 1000 + 1000));
  CHECK(is_about(arrival(orderly(2, 1), 8), 1000 + 100'000 + 2 * 8 + 1000));
}

TEST_CASE("within a host the bytes are copied, and the way is short") {
  // A network's 2 ns a byte are not those of memory.
  CHECK(is_about(arrival(orderly(2, 2), 1000), 1000 + 80 + 10'000 + 1000));
  CHECK(is_about(arrival(orderly(2, 0), 1000), 1000 + 80 + 10'000 + 1000));
}

TEST_CASE("PEs of a host share a message to another host, and its gateway hands it out") {
  settings s = orderly(4, 2);
  s.host_aggregation = true;
  std::vector<std::uint64_t> at(4);
  const auto result = run(s, [&](lamella& pe) {
    if (pe.me() < 2) {
      send(pe, pe.me() + 2, 1000);
      meet(pe);  // both have gathered
      pe.flush();
    } else {
      meet(pe);
      const std::uint64_t begin = pe.now_ns();
      pe.release(receive(pe), true, false);
      at[pe.me()] = pe.now_ns() - begin;
    }
  });
  CHECK(result.total.messages == 2);
  CHECK(result.total.network_messages == 1);
  CHECK(result.total.network_bytes == 2 * (1000 + 48));
  // Work to send, 2 ns a byte, the latency, half of the work to receive; and copies. The
  // gateway of host 0 is PE 2.
  CHECK(is_about(at[2], 1000 + 168 + 2 * 2096 + 100'000 + 500 + 80));
  CHECK(is_about(at[3], 1000 + 168 + 2 * 2096 + 100'000 + 10'000 + 500 + 80));
}

TEST_CASE("PEs of a host share its link to the network") {
  // PEs 0 and 1 send to 2 and 3 on the other host: the second one's bytes come after the first.
  std::vector<std::uint64_t> at(4);
  run(orderly(4, 2), [&](lamella& pe) {
    if (pe.me() < 2) {
      send(pe, pe.me() + 2, 5000);
    } else {
      pe.release(receive(pe), true, false);
      at[pe.me()] = pe.now_ns();
    }
  });
  CHECK(is_about(at[2], 1000 + 10'000 + 100'000 + 1000));
  CHECK(is_about(at[3], 1000 + 2 * 10'000 + 100'000 + 1000));
}

TEST_CASE("records cost the PE that handles them") {
  const auto result = run(orderly(2, 1), [](lamella& pe) {
    if (pe.me() == 1) pe.charge(2000);
  });
  CHECK(is_about(result.pes[1].time_ns, 2000 * 50));
  CHECK(result.pes[0].time_ns < 200);
  CHECK(result.total.records == 2000);
}

TEST_CASE("a wave takes as many steps as a tree of the hosts is deep") {
  const auto cost = [](std::uint32_t pes, std::uint32_t per_host) {
    return run(orderly(pes, per_host), [](lamella& pe) { meet(pe); }).total.time_ns;
  };
  CHECK(cost(1, 1) < 200);
  CHECK(is_about(cost(2, 2), 10'000));
  CHECK(is_about(cost(16, 16), 4 * 10'000));
  CHECK(is_about(cost(16, 4), 2 * 10'000 + 2 * 101'000));
  CHECK(is_about(cost(256, 16), 4 * 10'000 + 4 * 101'000));
}

TEST_CASE("messages, bytes, peers and peaks are counted") {
  const settings s = orderly(4, 2);
  const auto result = run(s, [](lamella& pe) {
    if (pe.me() == 0) {
      for (std::uint32_t to = 1; to < 4; ++to) send(pe, to, 100);
      for (int k = 0; k < 3; ++k) send(pe, 1, 100);
    }
    meet(pe);
    std::vector<in_buffer> held;
    for (std::size_t k = 0; pe.me() != 0 && k < (pe.me() == 1 ? 4U : 1U); ++k) {
      held.push_back(receive(pe));
    }
    for (const in_buffer& in : held) pe.release(in, true, false);
  });
  CHECK(result.pes.size() == 4);
  CHECK(result.seed == 0);
  CHECK(result.steps > 0);
  CHECK(result.waves == 1);
  CHECK(result.total.messages == 6);
  CHECK(result.total.bytes == 600);
  CHECK(result.total.network_messages == 2);
  CHECK(result.total.network_bytes == 200);
  CHECK(result.pes[0].peers == 3);
  CHECK(result.pes[1].peers == 0);
  CHECK(result.pes[0].peak_buffer_bytes == 0);
  CHECK(result.pes[1].peak_buffer_bytes == 4 * s.buffer_bytes);
  CHECK(result.pes[2].peak_buffer_bytes == s.buffer_bytes);
  CHECK(result.total.peak_buffer_bytes == 4 * s.buffer_bytes);
}

TEST_CASE("credit comes back after the latency, and a sender waits for it") {
  const settings s = orderly(2, 1);
  const auto result = run(s, [](lamella& pe) {
    const std::uint32_t all = 2 * pe.able().channel_depth;
    for (std::uint32_t k = 0; k < all; ++k) {
      if (pe.me() == 0) {
        send(pe, 1, 8);
      } else {
        pe.release(receive(pe), true, false);
      }
    }
  });
  // There, back with the credit, and there again; not one by one.
  CHECK(result.pes[1].time_ns > 300'000);
  CHECK(result.pes[1].time_ns < 350'000);
}
