// SPDX-License-Identifier: BSD-3-Clause
//
// am_rate: how many small messages does a PE send and handle? All PEs send 8-byte arguments to
// a distributed object and handle what arrives, at the same time. What bounds it is a stream of
// 64-bit words by bare stores and loads between the same cores, both ways at once.

#include <fmt/core.h>

#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/core_pairs.hpp"
#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t messages = 1U << 25;  // in a repetition, over all PEs
  std::string to = "next";
};

// What a PE has handled.
struct tally {
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
};

struct note {
  void operator()(tally& here, std::uint64_t value) const {
    here.sum += value;
    ++here.count;
  }
};

struct note_many {
  void operator()(tally& here, std::span<const std::uint64_t> values) const {
    for (const std::uint64_t value : values) here.sum += value;
    here.count += values.size();
  }
};

std::vector<pe> receivers(const world& w, const std::string& to) {
  std::vector<pe> chosen;
  for (std::uint32_t k = 1; k < w.size(); ++k) {
    chosen.push_back(pe((w.me().index() + k) % w.size()));
    if (to == "next") break;
  }
  return chosen;
}

// Send 0, 1, 2, ... `each - 1` to every receiver by turns, and wait for everybody.
template <class Handler>
double send_seconds(world& w, const darc<tally>& tallies, const std::vector<pe>& to,
                    std::uint64_t each) {
  w.barrier().get();
  const stopwatch watch;
  if (to.size() == 1) {
    const pe only = to[0];
    for (std::uint64_t value = 0; value < each; ++value) {
      tallies.send(only, Handler{}, value);
    }
  } else {
    for (std::uint64_t value = 0; value < each; ++value) {
      for (const pe one : to) tallies.send(one, Handler{}, value);
    }
  }
  w.quiesce().get();
  return watch.seconds();
}

struct row {
  std::string handler;
  double (*once)(world& w, const darc<tally>& tallies, const std::vector<pe>& to,
                 std::uint64_t each);
  darc<tally> tallies;
  samples seconds = {};
};

void measure(world& w, const settings& set, report* out) {
  core_pairs bare(w);
  const std::vector<pe> to = receivers(w, set.to);
  const std::uint64_t each = set.messages / w.size() / to.size();
  if (each < 2) {
    throw std::invalid_argument(fmt::format("--messages {}: choose {} or more", set.messages,
                                            2 * w.size() * to.size()));
  }
  const std::uint64_t worked = each - (set.common.sabotage && w.me() == pe(0) ? 1 : 0);
  row rows[] = {{"record", send_seconds<note>, darc<tally>::create(w).get()},
                {"span", send_seconds<note_many>, darc<tally>::create(w).get()}};
  samples streams;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    for (row& r : rows) r.seconds.add(r.once(w, r.tallies, to, worked));
    streams.add(bare.stream(each * to.size()));
  }

  const bool stream_right = on_all(w, bare.right());
  const std::uint64_t senders = to.size();  // to each PE: all send alike
  const std::uint64_t passes = set.common.repetitions + 1;
  for (row& each_row : rows) {
    const tally& here = *each_row.tallies;
    const bool right = on_all(w, here.count == passes * senders * each &&
                                     here.sum == passes * senders * (each * (each - 1) / 2));
    const std::vector<double> seconds = slowest(w, each_row.seconds.counted());
    if (out == nullptr) continue;
    const std::uint64_t per_pe = each * to.size();
    result r = job_result(w, "am_rate/" + each_row.handler, set.common);
    r.operations = static_cast<double>(per_pe) * w.size();
    r.seconds = summarise(seconds);
    r.unit = "messages/s";
    r.verified = right && stream_right;
    r.bound = {"stream_both_ways", static_cast<double>(core_pairs::streamed(per_pe)) *
                                       bare.streaming() / streams.median()};
    r.parameters = {{"argument_bytes", std::int64_t{8}},
                    {"handler", each_row.handler},
                    {"to", set.to},
                    {"messages_per_pe", static_cast<std::int64_t>(per_pe)},
                    {"million_per_second_and_pe", r.rate() / 1e6 / w.size()}};
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "All PEs send messages with an argument of 8 bytes to a distributed object, and handle "
    "what\n"
    "arrives, at the same time. A handler adds its argument to a sum, which must come out "
    "right.\n"
    "Two ways to write it: for one record, and for a span of records.";
constexpr const char* metric =
    "messages per second, all PEs together, from the first send to the end of quiesce, which "
    "is\n"
    "inside. The limit are 64-bit words per second that pairs of PEs on different cores "
    "stream\n"
    "to each other by bare stores and loads.";

int main(int argc, char** argv) {
  settings set;
  command_line command("am_rate", problem, metric);
  command.add_size("--messages", set.messages, "Messages in a repetition, all PEs together");
  command.parser()
      .add_option("--to", set.to, "next: all to the next PE; others: to all others by turns")
      ->capture_default_str()
      ->check(CLI::IsMember({"next", "others"}));
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
