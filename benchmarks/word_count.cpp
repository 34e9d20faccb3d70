// SPDX-License-Identifier: BSD-3-Clause
//
// word_count: how fast do all PEs count the words of a text? Beside it stands one thread that
// counts those of all of it.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "support/count_benchmark.hpp"
#include "support/index_list.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t bytes = 16'000'000;  // of each PE
  std::uint64_t distinct = 200'000;
};

/// Words of letters, of which one comes the oftener the shorter it is, and marks between them.
class text {
 public:
  text() = default;
  text(const settings& set, std::uint32_t pe) {
    std::mt19937_64 random{pe + 1U};
    zipf_distribution ranks{set.distinct, 1.0};
    while (bytes_.size() < set.bytes) {
      for (std::uint64_t rank = ranks(random) + 1; rank != 0; rank /= 16) {
        bytes_ += static_cast<char>('a' + rank % 16);
        if (rank % 3 == 0) bytes_ += static_cast<char>('q' + rank % 10);
      }
      bytes_ += random() % 8 == 0 ? ".\n" : " ";
    }
  }
  std::size_t size() const { return bytes_.size(); }

  /// f(word) of each run of letters.
  template <class F>
  void for_each(F f) const {
    const auto is_letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    const char* at = bytes_.data();
    const char* const end = at + bytes_.size();
    while (at != end) {
      while (at != end && !is_letter(*at)) ++at;
      const char* const begin = at;
      while (at != end && is_letter(*at)) ++at;
      if (at != begin) f(std::string_view{begin, static_cast<std::size_t>(at - begin)});
    }
  }

 private:
  std::string bytes_;
};

void measure(world& w, const settings& set, report* out) {
  countings<std::string, text> work{w, [&](std::uint32_t pe) { return text(set, pe); },
                                    set.common.sabotage};
  measure_turns(w, set.common, out, "word_count", local_table_name, work, [&](result& r) {
    r.operations = static_cast<double>(work.total());
    r.unit = "words/s";
    const double bytes = static_cast<double>(set.bytes) * w.size();
    r.parameters = {{"bytes_per_pe", static_cast<std::int64_t>(set.bytes)},
                    {"distinct", static_cast<std::int64_t>(work.distinct())},
                    {"megabytes_per_second", 1e-6 * bytes / r.seconds.median}};
  });
}

constexpr const char* problem =
    "The words of a text that each PE has in memory, which come by Zipf's law, in a\n"
    "counting_map: runs of letters, found by a plain loop.";
constexpr const char* metric =
    "words per second, all PEs together, from the bytes to the end of quiesce. The limit is "
    "one\n"
    "thread that counts the words of all texts in a boost::unordered_flat_map, not reserved\n"
    "(std::unordered_map, where Boost is older than 1.81). The counts of all words are "
    "compared.";

int main(int argc, char** argv) {
  settings set;
  command_line command("word_count", problem, metric);
  command.add_size("--bytes", set.bytes, "Bytes of each PE's text");
  command.add_size("--distinct", set.distinct, "Different words, at most");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
