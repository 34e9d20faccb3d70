// SPDX-License-Identifier: BSD-3-Clause
// What a machine can say about a cluster that it is not: 256 PEs, their time and their memory.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/world.hpp>
#include <optional>
#include <string>

using namespace lamellar;

namespace {

struct histogram {
  std::uint64_t counts = 0;
};

struct count_one {
  void operator()(histogram& mine, std::uint64_t) const { ++mine.counts; }
};

std::uint64_t resident_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

/// Every PE counts `each` items at places all over the job.
lamellae::simulation_result project(std::uint32_t pes, std::uint64_t each, double latency_ns,
                                    std::uint32_t pes_per_host = 32,
                                    std::optional<bool> host_aggregation = {}) {
  lamellae::simulation_result result;
  lamellae::settings s;
  s.lamella = "sim";
  s.pes = pes;
  s.sim.seed = 0;
  s.sim.pes_per_host = pes_per_host;
  s.host_aggregation = host_aggregation;
  s.sim.latency_ns = latency_ns;
  s.sim.result = &result;
  const int code = launch(s, [each](world& w) -> task<> {
    const auto table = co_await darc<histogram>::create(w);
    std::uint64_t place = w.me().index();
    for (std::uint64_t k = 0; k < each; ++k) {
      place = place * 6364136223846793005u + 1442695040888963407u;
      table.send(w.at(static_cast<std::uint32_t>((place >> 33) % w.size())), count_one{}, k);
    }
    co_await w.quiesce();
    const auto counts =
        co_await table.call(w.at(0), [](histogram& mine) { return mine.counts; });
    CHECK(counts > 0);
  });
  CHECK(code == 0);
  return result;
}

}  // namespace

TEST_CASE("256 PEs fit into this machine, and their time follows from the costs") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::uint32_t pes = 64;
  constexpr std::uint64_t each = 200;
#else
  constexpr std::uint32_t pes = 256;
  constexpr std::uint64_t each = 2000;
#endif
  const auto near = project(pes, each, 1500);
  const auto again = project(pes, each, 1500);
  const auto far = project(pes, each, 150'000);
  CHECK(near.pes.size() == pes);
  CHECK(near.total.records >= pes * each);
  CHECK(near.total.network_bytes > near.total.bytes / 4);
  CHECK(near.total.time_ns == again.total.time_ns);
  CHECK(near.total.messages == again.total.messages);
  CHECK(near.steps == again.steps);
  // A hundred times the latency: the waves and the last messages feel it, the work does not.
  CHECK(far.total.time_ns > near.total.time_ns + 4 * 148'500);
  CHECK(far.total.time_ns < near.total.time_ns + 60 * 148'500);
  std::printf(
      "%u PEs: %.3f ms, with a latency of 150 us %.3f ms; at most %llu KiB of buffers "
      "to one PE, %u peers; %llu MiB resident here\n",
      pes, static_cast<double>(near.total.time_ns) * 1e-6,
      static_cast<double>(far.total.time_ns) * 1e-6,
      static_cast<unsigned long long>(near.total.peak_buffer_bytes >> 10), near.total.peers,
      static_cast<unsigned long long>(resident_bytes() >> 20));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(resident_bytes() < std::uint64_t{2} << 30);
#endif
}

TEST_CASE("hosts of 16 PEs gather for 15 others, and need less than 64 MiB each for it") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::uint32_t pes = 64;
  constexpr std::uint64_t each = 200;
#else
  constexpr std::uint32_t pes = 256;
  constexpr std::uint64_t each = 5000;
#endif
  const auto alone = project(pes, each, 1500, 16, false);
  const auto together = project(pes, each, 1500, 16, true);
  CHECK(together.total.records >= pes * each);
  CHECK(together.total.network_messages < alone.total.network_messages / 5);
  CHECK(together.peak_host_bytes < std::uint64_t{64} << 20);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Four hosts have few outboxes to share: the gain needs many.
  CHECK(together.peak_host_bytes < alone.peak_host_bytes / 2);
#endif
  std::printf(
      "%u PEs on hosts of 16: %llu messages between hosts, by host %llu; at most %llu KiB "
      "of buffers to a host, by host %llu; %.3f ms, by host %.3f ms\n",
      pes, static_cast<unsigned long long>(alone.total.network_messages),
      static_cast<unsigned long long>(together.total.network_messages),
      static_cast<unsigned long long>(alone.peak_host_bytes >> 10),
      static_cast<unsigned long long>(together.peak_host_bytes >> 10),
      static_cast<double>(alone.total.time_ns) * 1e-6,
      static_cast<double>(together.total.time_ns) * 1e-6);
}
