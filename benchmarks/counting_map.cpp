// SPDX-License-Identifier: BSD-3-Clause
//
// counting_map: what does it cost to count words? Those that come often are added up by the PE
// that meets them, so that Zipf's law, which text follows, should make it cheaper than words
// that come evenly, not dearer. The limit of each is one thread that counts all of them in a
// boost::unordered_flat_map.

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <lamellar/containers/counting_map.hpp>
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/index_list.hpp"
#include "support/job.hpp"
#include "support/local_table.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t words = 4'000'000;     // of each PE
  std::uint64_t distinct = 1'000'000;  // of all
  double zipf = 1.0;
  std::vector<std::string> inputs{"uniform", "zipf", "one"};
};

std::string word_number(std::uint64_t rank) {
  return fmt::format("word{:x}", rank * 0x9e3779b97f4a7c15U >> 24);
}

class measurement {
 public:
  measurement(world& w, const settings& set, const std::string& input) : world_{w}, set_{set} {
    for (std::uint64_t k = 0; k < set.distinct; ++k) words_.push_back(word_number(k));
    std::mt19937_64 random{w.me().index() + 1U};
    zipf_distribution rank{set.distinct, set.zipf};
    for (std::uint64_t k = 0; k < set.words; ++k) {
      const std::uint64_t r = input == "one"    ? 0
                              : input == "zipf" ? rank(random) % set.distinct
                                                : random() % set.distinct;
      text_.push_back(static_cast<std::uint32_t>(r));
    }
  }

  /// Seconds of a repetition with the map.
  double together() {
    const auto counts = counting_map<std::string>::create(world_).get();
    world_.barrier().get();
    const stopwatch watch;
    for (const std::uint32_t word : text_) counts.add(std::string_view{words_[word]});
    world_.quiesce().get();
    const double seconds = watch.seconds();
    if (set_.common.sabotage && world_.me() == pe(0)) counts.add("word");
    check(counts);
    return seconds;
  }
  /// Seconds of one thread that counts what all PEs have, whose shares are as long as this one.
  double alone() {
    double seconds = 1e-9;
    if (world_.me() == pe(0)) {
      local_table<std::string> counts;
      const stopwatch watch;
      for (std::uint32_t k = 0; k < world_.size(); ++k) {
        for (const std::uint32_t word : text_) ++counts[words_[word]];
      }
      seconds = watch.seconds();
      right_ = right_ && !counts.empty();
    }
    world_.barrier().get();
    return seconds;
  }
  bool right() const { return on_all(world_, right_); }

 private:
  void check(const counting_map<std::string>& counts) {
    right_ = right_ && counts.total().get() == set_.words * world_.size();
    // The first few words are the most frequent ones.
    constexpr std::uint64_t few = 16;
    std::vector<std::uint64_t> mine(few);
    for (const std::uint32_t word : text_) {
      if (word < few) ++mine[word];
    }
    for (std::uint64_t k = 0; k < std::min(few, set_.distinct); ++k) {
      const std::uint64_t wanted = all_reduce(world_, mine[k]).get();
      right_ = right_ && counts.count(words_[k]).get() == wanted;
    }
    world_.barrier().get();
  }

  world& world_;
  const settings& set_;
  std::vector<std::string> words_;
  std::vector<std::uint32_t> text_;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  double uniform = 0;
  for (const std::string& input : set.inputs) {
    measurement of{w, set, input};
    samples together;
    samples alone;
    for (unsigned k = 0; k <= set.common.repetitions; ++k) {
      together.add(of.together());
      alone.add(of.alone());
    }
    const bool right = of.right();
    const std::vector<double> seconds = slowest(w, together.counted());
    const std::vector<double> bare = slowest(w, alone.counted());
    if (out == nullptr) continue;
    result r = job_result(w, fmt::format("counting_map/{}", input), set.common);
    r.operations = static_cast<double>(set.words) * w.size();
    r.seconds = summarise(seconds);
    r.unit = "words/s";
    r.verified = right;
    r.bound = {local_table_name, r.operations / summarise(bare).median};
    r.parameters = {{"words_per_pe", static_cast<std::int64_t>(set.words)},
                    {"distinct", static_cast<std::int64_t>(set.distinct)}};
    if (input == "uniform") uniform = r.rate();
    if (input == "zipf") r.parameters.emplace_back("zipf", set.zipf);
    if (uniform != 0) r.parameters.emplace_back("against_uniform", r.rate() / uniform);
    out->add(std::move(r));
  }
}

constexpr const char* problem =
    "Count words that each PE has in memory, by a plain loop of counts.add(word). Row "
    "`uniform`:\n"
    "all words come equally often; `zipf`: by Zipf's law; `one`: one word only.";
constexpr const char* metric =
    "words per second, all PEs together, to the end of quiesce, which is inside. The limit is "
    "one\n"
    "thread that counts as many words in a boost::unordered_flat_map, not reserved\n"
    "(std::unordered_map, where Boost is older than 1.81).";

int main(int argc, char** argv) {
  settings set;
  command_line command("counting_map", problem, metric);
  command.add_size("--words", set.words, "words of each PE");
  command.add_size("--distinct", set.distinct, "different words");
  command.parser().add_option("--zipf", set.zipf, "exponent")->capture_default_str();
  command.parser()
      .add_option("--input", set.inputs, "how words are spread")
      ->delimiter(',')
      ->check(CLI::IsMember({"uniform", "zipf", "one"}))
      ->capture_default_str();
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
