// SPDX-License-Identifier: BSD-3-Clause
//
// fabric_limits: what does the network do by itself? PE 0 and the last PE exchange messages and
// read and write each other's memory by libfabric's own calls, pinned as all PEs are. Nothing
// that goes over this network can be faster.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/raw_fabric.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t round_trips = 2000;                 // in a repetition
  std::uint64_t messages = std::uint64_t{1} << 16;  // of 8 bytes, in each direction
  std::uint64_t volume = std::uint64_t{1} << 26;    // bytes, in each direction
};

struct row {
  std::string name;
  std::uint64_t bytes;
  std::uint64_t operations;  // in a repetition, both directions together
  std::string unit;
  std::function<double(const row& of, bool lose_one)> once;
  samples seconds = {};
};

std::vector<row> all_rows(raw_fabric& raw, const settings& set) {
  std::vector<row> rows;
  for (const std::uint64_t bytes : {8, 64, 512, 4096}) {
    rows.push_back(
        {"round_trip", bytes, set.round_trips, "round trips/s",
         [&raw](const row& of, bool) { return raw.round_trips(of.bytes, of.operations); }});
  }
  for (const std::uint64_t bytes : {1u << 12, 1u << 16, 1u << 20}) {
    const std::uint64_t count = std::max<std::uint64_t>(2, set.volume / bytes);
    rows.push_back({"put", bytes, count, "bytes/s", [&raw](const row& of, bool lose_one) {
                      return raw.puts(of.bytes, of.operations, lose_one);
                    }});
    rows.push_back({"get", bytes, count, "bytes/s", [&raw](const row& of, bool lose_one) {
                      return raw.gets(of.bytes, of.operations, lose_one);
                    }});
  }
  for (const std::uint64_t bytes : {std::uint64_t{8}, raw_fabric::longest_message}) {
    const std::uint64_t count =
        bytes == 8 ? set.messages : std::max<std::uint64_t>(2, set.volume / bytes);
    rows.push_back({"stream", bytes, count, "messages/s", [&raw](const row& of, bool) {
                      return raw.stream(of.bytes, of.operations, false);
                    }});
    rows.push_back(
        {"stream_both_ways", bytes, 2 * count, "messages/s", [&raw](const row& of, bool) {
           return raw.stream(of.bytes, of.operations / 2, true);
         }});
  }
  return rows;
}

void measure(world& w, const settings& set, report* out) {
  raw_fabric raw{w};
  if (out != nullptr) out->state("provider", raw.provider());
  std::vector<row> rows = all_rows(raw, set);
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) r.seconds.add(r.once(r, set.common.sabotage));
  }
  const bool right = on_all(w, raw.right());
  if (out == nullptr) return;
  for (const row& each : rows) {
    const bool counts_bytes = each.unit == "bytes/s";
    result r = job_result(w, "fabric_limits/" + each.name + "_" + std::to_string(each.bytes),
                          set.common);
    r.operations = static_cast<double>(each.operations) *
                   (counts_bytes ? static_cast<double>(each.bytes) : 1.0);
    r.seconds = summarise(each.seconds.counted());
    r.unit = each.unit;
    r.verified = right;
    r.parameters = {
        {"provider", raw.provider()},
        {"bytes", static_cast<std::int64_t>(each.bytes)},
        {"microseconds_each", 1e6 * r.seconds.median / static_cast<double>(each.operations)}};
    if (counts_bytes) {
      r.parameters.emplace_back("window", static_cast<std::int64_t>(raw_fabric::window));
    }
    out->add(as_its_own_limit(std::move(r)));
  }
}

constexpr const char* problem =
    "PE 0 and the last PE use the network by libfabric's own calls, with the provider that\n"
    "LAMELLAR_ROFI_PROVIDER names, or tcp, whatever the lamella of the job is.\n"
    "  round_trip        a message to and fro\n"
    "  put, get          writes and reads of the peer's memory, 16 under way at once\n"
    "  stream            messages one after the other, from PE 0\n"
    "  stream_both_ways  the same from both at once";
constexpr const char* metric =
    "round trips, bytes, messages per second. A put counts when its bytes can be loaded by "
    "the\n"
    "peer.";

int main(int argc, char** argv) {
  settings set;
  command_line command("fabric_limits", problem, metric);
  command.add_size("--round-trips", set.round_trips, "Round trips in a repetition", 2);
  command.add_size("--messages", set.messages, "Messages of 8 bytes each way in a repetition",
                   2);
  command.add_size("--volume", set.volume, "Bytes each way in a repetition, otherwise", 8);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
