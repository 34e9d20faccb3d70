// SPDX-License-Identifier: BSD-3-Clause
//
// darc_clone: what does it cost to put a clone of a handle into a message? Each PE sends
// handles of a distributed object to the next one, where a handler makes a handle of it again,
// uses the object and lets go. What bounds it is a plain send of a number.

#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <vector>

#include "support/job.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t messages = 1U << 22;  // of each PE, in a repetition
};

struct tally {
  std::uint64_t handles = 0;
  std::uint64_t numbers = 0;
};

struct take_number {
  void operator()(tally& here, std::uint64_t number) const { here.numbers += number; }
};
struct take_handle {
  void operator()(tally& here, const darc<tally>& got) const {
    here.handles += static_cast<std::uint64_t>(&got.local() == &here);
  }
};

template <class Send>
double seconds_of(world& w, Send send, std::uint64_t count) {
  w.barrier().get();
  const stopwatch watch;
  for (std::uint64_t k = 0; k < count; ++k) send();
  w.quiesce().get();
  return watch.seconds();
}

void measure(world& w, const settings& set, report* out) {
  const std::uint64_t count = set.messages;
  const std::uint64_t worked = count - (set.common.sabotage && w.me() == pe(0) ? 1 : 0);
  const darc<tally> object = darc<tally>::create(w).get();
  const pe to((w.me().index() + 1) % w.size());
  samples clones;
  samples plain;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    clones.add(seconds_of(
        w, [&] { object.send(to, take_handle{}, object); }, worked));
    plain.add(seconds_of(
        w, [&] { object.send(to, take_number{}, std::uint64_t{1}); }, count));
  }
  const std::vector<double> seconds = slowest(w, clones.counted());
  const std::vector<double> plain_seconds = slowest(w, plain.counted());
  const std::uint64_t expected = count * (set.common.repetitions + 1);
  const bool right = on_all(w, object->handles == expected && object->numbers == expected);
  if (out == nullptr) return;
  result r = job_result(w, "darc_clone", set.common);
  r.operations = static_cast<double>(count) * w.size();
  r.seconds = summarise(seconds);
  r.unit = "clones/s";
  r.verified = right;
  r.bound = {"plain_send", r.operations / summarise(plain_seconds).median};
  r.parameters = {{"messages_per_pe", static_cast<std::int64_t>(count)},
                  {"nanoseconds_per_clone", 1e9 * w.size() / r.rate()},
                  {"times_a_plain_send", 1 / r.fraction_of_limit()}};
  out->add(std::move(r));
}

constexpr const char* problem =
    "Each PE sends messages with a handle of a distributed object to the next PE. The handler\n"
    "gets a handle of its own, uses the object and lets go; every one must have come.";
constexpr const char* metric =
    "clones per second, all PEs together, from the first send to the end of quiesce. The "
    "limit\n"
    "is to send as many numbers of 8 bytes to the same object.";

int main(int argc, char** argv) {
  settings set;
  command_line command("darc_clone", problem, metric);
  command.add_size("--messages", set.messages, "Messages of each PE in a repetition", 2);
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
