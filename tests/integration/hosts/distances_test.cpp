// SPDX-License-Identifier: BSD-3-Clause
// PEs of one host use its memory, PEs of different hosts the network, in one job. How many PEs
// a host has is told by HOSTS_TEST_PES_PER_HOST; they are in blocks.
#include <cstdint>
#include <cstdlib>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/statistics.hpp>
#include <string>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

constexpr std::uint64_t messages = 1000;

struct take {
  void operator()(std::uint64_t) const {}
};

std::uint32_t pes_per_host() {
  const char* const text = std::getenv("HOSTS_TEST_PES_PER_HOST");
  REQUIRE(text != nullptr);
  return static_cast<std::uint32_t>(std::stoul(text));
}

/// What this PE does to all PEs while it does `work`.
template <class Work>
std::pair<statistics, statistics> around(world& w, const Work& work) {
  w.quiesce().get();
  const statistics before = w.statistics();
  w.barrier().get();
  work();
  w.quiesce().get();
  const statistics after = w.statistics();
  w.barrier().get();
  return {before, after};
}

}  // namespace

TEST_CASE("messages to PEs of this host stay on it, others take the network") {
  on_pes([](world& w) {
    const std::uint32_t near = pes_per_host() - 1;
    const std::uint32_t far = w.size() - pes_per_host();
    REQUIRE(far != 0);
    const auto [before, after] = around(w, [&] {
      for (std::uint32_t peer = 0; peer < w.size(); ++peer) {
        if (peer == w.me().index()) continue;
        for (std::uint64_t k = 0; k < messages; ++k) w.send(w.at(peer), take{}, k);
      }
    });
    CHECK(after.to_host.messages - before.to_host.messages == near * messages);
    CHECK(after.to_network.messages - before.to_network.messages == far * messages);
    CHECK(after.to_network.bytes - before.to_network.bytes >= far * messages * 8);
    CHECK(after.to_self.messages == before.to_self.messages);
  });
}

TEST_CASE("memory of this host is mapped, that of others is put and got by the network") {
  on_pes([](world& w) {
    const auto region = shared_memory_region<std::uint64_t>::create(w, w.size()).get();
    const std::uint32_t me = w.me().index();
    const std::uint32_t host = me / pes_per_host();
    for (std::uint32_t peer = 0; peer < w.size(); ++peer) {
      const bool is_near = peer / pes_per_host() == host;
      std::uint64_t got = 0;
      const auto [before, after] = around(w, [&] {
        region.put(w.at(peer), me, me + 1).get();
        got = region.get(w.at(peer), me).get();
      });
      CHECK(got == me + 1);
      CHECK(after.region_bytes_put - before.region_bytes_put == sizeof(std::uint64_t));
      CHECK(after.region_transfers - before.region_transfers + after.region_messages -
                before.region_messages ==
            (is_near ? 0 : 2));
    }
    for (std::uint32_t peer = 0; peer < w.size(); ++peer)
      CHECK(region.local()[peer] == peer + 1);

    // What is long goes without a CPU of the other side.
    const auto large = shared_memory_region<std::uint64_t>::create(w, 10000).get();
    const std::uint32_t next = (me + pes_per_host()) % w.size();
    const std::vector<std::uint64_t> values(10000, me);
    const auto [before, after] = around(
        w, [&] { large.put(w.at(next), 0, std::span<const std::uint64_t>{values}).get(); });
    CHECK(after.region_transfers - before.region_transfers == 1);
    CHECK(after.region_messages == before.region_messages);
    const std::uint32_t previous = (me + w.size() - pes_per_host()) % w.size();
    CHECK(large.local()[9999] == previous);
  });
}
