// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <lamellar/algorithms/explain.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>

namespace lamellar {

namespace {

// What a buffer with one letter of a collective takes beside the letter.
constexpr std::uint64_t letter_overhead = 72;
// What is kept of an element of a sample: key, position and index.
constexpr std::uint64_t mark_bytes = 24;
// A number and where its buffer begins, as every pair of members tells each other.
constexpr std::uint64_t count_bytes = 8;
constexpr std::uint64_t place_bytes = 32;
// Buffers that may be under way from one PE to another; for more there is room again when word
// of their release has come back.
constexpr std::uint64_t window = 6;

/// Adds up what collectives cost that follow each other.
class adding {
 public:
  explicit adding(const job_shape& job)
      : job_{job}, p_{job.pes}, depth_{static_cast<std::uint64_t>(std::bit_width(p_ - 1))} {}

  /// A wave, of which barriers and quiesces are made, is carried by the transport.
  void wave() { cost_.rounds += depth_; }
  void all_reduce(std::uint64_t bytes) {
    letters(2 * (p_ - 1), bytes);
    cost_.rounds += 2 * depth_ * steps_of(bytes);
  }
  /// `bytes` of all members together.
  void all_gather(std::uint64_t bytes) {
    letters(p_ - 1, bytes / p_);
    letters(p_ - 1, bytes);
    cost_.rounds += steps_of(bytes / p_) + depth_ * steps_of(bytes);
  }
  void exclusive_scan(std::uint64_t bytes) {
    for (std::uint64_t reach = 1; reach < p_; reach <<= 1) {
      letters(p_ - reach, bytes);
    }
    letters(p_ - 1, bytes);
    // The last letter travels beside those of members further on.
    cost_.rounds += depth_ * steps_of(bytes);
  }
  void all_to_all(std::uint64_t bytes) {
    letters(p_ * (p_ - 1), bytes);
    cost_.rounds += p_ > 1 ? 1 : 0;
  }
  /// Elements, as many to each member, whose numbers are told before.
  void counted_exchange() {
    all_to_all(count_bytes);
    all_to_all(place_bytes);
    const std::uint64_t pairs = p_ * (p_ - 1);
    if (pairs != 0) {
      const std::uint64_t bytes = job_.elements * job_.element_bytes / (p_ * p_);
      letters(pairs, bytes);
      cost_.rounds += steps_of(bytes);
    }
    wave();
    all_reduce(count_bytes);
    hold(job_.elements / p_ * job_.element_bytes);
  }
  void hold(std::uint64_t bytes) { cost_.memory_bytes = std::max(cost_.memory_bytes, bytes); }

  const algorithm_cost& cost() const { return cost_; }

 private:
  std::uint64_t buffers_of(std::uint64_t bytes) const {
    const std::uint64_t room = job_.buffer_bytes - letter_overhead;
    return std::max<std::uint64_t>(1, (bytes + room - 1) / room);
  }
  /// Rounds that so many bytes take from one member to another.
  std::uint64_t steps_of(std::uint64_t bytes) const {
    return p_ == 1 ? 0 : 1 + 2 * ((buffers_of(bytes) - 1) / window);
  }
  /// As many letters, of so many bytes each, in as many buffers as they need.
  void letters(std::uint64_t number, std::uint64_t bytes) {
    const std::uint64_t buffers = buffers_of(bytes);
    cost_.messages += number * buffers;
    cost_.bytes += number * (bytes + buffers * letter_overhead);
  }

  job_shape job_;
  std::uint64_t p_;
  std::uint64_t depth_;  // of a tree of the members
  algorithm_cost cost_;
};

/// The search for the elements that divide a range, as find_splitters() goes about it.
void search(adding& steps, const job_shape& job) {
  const std::uint64_t ranks = job.pes - 1;
  if (ranks == 0 || job.elements == 0) {
    return;
  }
  std::uint64_t open = 1;  // intervals
  double size = static_cast<double>(job.elements);
  for (;;) {
    const auto sample = static_cast<double>(std::clamp<std::uint64_t>(65536 / open, 128, 4096));
    const auto intervals = static_cast<double>(open);
    const double taken = std::min(size, sample) * intervals;
    steps.all_gather(static_cast<std::uint64_t>(taken) * mark_bytes);
    steps.hold(static_cast<std::uint64_t>(taken) * 2 * mark_bytes);
    if (size <= sample) {
      return;
    }
    // Two marks for each rank, and what lies beside and between them.
    steps.all_reduce((2 * ranks + open) * sizeof(std::uint64_t));
    // Ranks in one interval lie, on average, at all its shares s from 0 to 1; what remains of
    // it for each is 4 sqrt(s (1 - s) / sample), and a little. The mean of the root is pi / 8.
    // Where these stretches of several ranks overlap, their ends cut each other.
    const double share = (4 * std::sqrt(sample) * 0.3927 + 2) / sample;
    size *= std::min(share, intervals / (2 * static_cast<double>(ranks)));
    open = ranks;
  }
}

struct add_costs {
  algorithm_cost operator()(const algorithm_cost& a, const algorithm_cost& b) const {
    return {a.messages + b.messages, a.bytes + b.bytes, a.rounds + b.rounds,
            a.memory_bytes + b.memory_bytes};
  }
};

/// What this PE has sent to others so far.
algorithm_cost sent_by(const world& here) {
  const statistics all = here.statistics();
  return {all.to_host.buffers + all.to_network.buffers,
          all.to_host.bytes + all.to_network.bytes, 0, 0};
}

}  // namespace

algorithm_cost explain_scan(const job_shape& job) {
  adding steps{job};
  steps.wave();
  steps.exclusive_scan(2 * job.element_bytes);  // a sum, and whether there is one
  steps.wave();
  return steps.cost();
}

algorithm_cost explain_exchange(const job_shape& job) {
  adding steps{job};
  steps.counted_exchange();
  return steps.cost();
}

algorithm_cost explain_sort(const job_shape& job) {
  adding steps{job};
  steps.wave();
  search(steps, job);
  if (job.pes > 1) {
    steps.counted_exchange();
  }
  steps.wave();
  return steps.cost();
}

std::string text_of(const algorithm_cost& cost) {
  return fmt::format("{} messages, {} bytes, {} rounds, {} bytes of memory on a PE",
                     cost.messages, cost.bytes, cost.rounds, cost.memory_bytes);
}

task<algorithm_cost> counted_cost(detail::located_team of, task<> work) {
  world& here = of.value.where();
  auto settling = of.value.quiesce(of.where);
  co_await settling;
  const algorithm_cost before = sent_by(here);
  co_await work;
  auto finishing = of.value.quiesce(of.where);
  co_await finishing;
  algorithm_cost own = sent_by(here);
  own.messages -= before.messages;
  own.bytes -= before.bytes;
  auto adding_up = all_reduce(of, own, add_costs{});
  co_return co_await adding_up;
}

}  // namespace lamellar
