// SPDX-License-Identifier: BSD-3-Clause
//
// kmer_count: how fast do all PEs count the k-mers of reads of DNA? Beside it stands one thread
// that counts those of all reads.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "support/count_benchmark.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t reads = 20'000;  // of each PE
  std::uint64_t read = 150;
  std::uint64_t depth = 10;
  unsigned k = 21;
  double errors = 0.005;
};

/// Reads of a random genome, from anywhere and either strand, with single letters wrong. A
/// letter is a number below 4; that of the other strand is 3 minus it.
class sequences {
 public:
  sequences() = default;
  sequences(const settings& set, std::uint32_t pe, std::uint32_t pes)
      : read_{set.read}, k_{set.k} {
    const std::uint64_t genome = set.reads * set.read * pes / set.depth + set.read;
    const auto letter_at = [](std::uint64_t place) {
      return static_cast<std::uint8_t>(mixed(place) & 3U);
    };
    std::mt19937_64 random{pe + 1U};
    std::bernoulli_distribution is_wrong{set.errors};
    letters_.reserve(set.reads * set.read);
    for (std::uint64_t r = 0; r < set.reads; ++r) {
      const std::uint64_t first = random() % (genome - set.read + 1);
      const bool turned = random() % 2 == 0;
      for (std::uint64_t i = 0; i < set.read; ++i) {
        const auto letter =
            turned ? static_cast<std::uint8_t>(3 - letter_at(first + set.read - 1 - i))
                   : letter_at(first + i);
        letters_.push_back(is_wrong(random) ? letter ^ 1U : letter);
      }
    }
  }

  /// f(k-mer) of each stretch of k letters in a read: it or its reverse complement, whichever
  /// is less, two bits a letter.
  template <class F>
  void for_each(F f) const {
    const std::uint64_t mask = (std::uint64_t{1} << (2 * k_)) - 1;
    for (std::size_t first = 0; first < letters_.size(); first += read_) {
      std::uint64_t forward = 0;
      std::uint64_t backward = 0;
      for (std::size_t i = 0; i < read_; ++i) {
        const std::uint64_t letter = letters_[first + i];
        forward = (forward << 2 | letter) & mask;
        backward = backward >> 2 | (3 - letter) << (2 * (k_ - 1));
        if (i + 1 >= k_) f(std::min(forward, backward));
      }
    }
  }

 private:
  std::uint64_t read_ = 0;
  unsigned k_ = 1;
  std::vector<std::uint8_t> letters_;
};

void measure(world& w, const settings& set, report* out) {
  countings<std::uint64_t, sequences> work{
      w, [&](std::uint32_t pe) { return sequences(set, pe, w.size()); }, set.common.sabotage};
  measure_turns(w, set.common, out, "kmer_count", local_table_name, work, [&](result& r) {
    r.operations = static_cast<double>(work.total());
    r.unit = "kmers/s";
    r.parameters = {{"reads_per_pe", static_cast<std::int64_t>(set.reads)},
                    {"k", static_cast<std::int64_t>(set.k)},
                    {"depth", static_cast<std::int64_t>(set.depth)},
                    {"distinct", static_cast<std::int64_t>(work.distinct())}};
  });
}

constexpr const char* problem =
    "The k-mers, all stretches of k letters, of reads of a random genome, in a counting_map.\n"
    "Reads come from anywhere and from either strand; a k-mer and its reverse complement are\n"
    "one. Each PE has its reads in memory. Letters are wrong at times, so that many k-mers\n"
    "come once.";
constexpr const char* metric =
    "k-mers per second, all PEs together, from the letters to the end of quiesce. The limit "
    "is\n"
    "one thread that counts those of all reads in a boost::unordered_flat_map, not reserved\n"
    "(std::unordered_map, where Boost is older than 1.81). The counts of all k-mers are\n"
    "compared.";

int main(int argc, char** argv) {
  settings set;
  command_line command("kmer_count", problem, metric);
  command.add_size("--reads", set.reads, "Reads of each PE");
  command.add_size("--read", set.read, "Letters of a read", 31);
  command.add_size("--depth", set.depth, "How many reads cover a letter, on average");
  command.parser()
      .add_option("--k", set.k, "Letters of a k-mer")
      ->capture_default_str()
      ->check(CLI::Range(1, 31));
  command.parser()
      .add_option("--errors", set.errors, "Probability of a wrong letter")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
