// SPDX-License-Identifier: BSD-3-Clause
// Counts the words of text files. Every PE reads its share of the bytes and adds each word to a
// counting_map, which counts it on the PE that owns it; words that come often are added up
// before they are sent. The answer is the same on any number of PEs.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <lamellar/lamellar.hpp>
#include <set>

#include "support/progress.hpp"

namespace io = lamellar::io;

constexpr const char* usage = R"(Usage: word_count [--top N] [FILE...]
Count the words of FILEs; print the N most frequent ones (10) and totals.
Without FILE: the licences and copyright notices of this Debian system.

A word is a run of the letters A-Z and a-z, in lower case; the end of a file ends it too.
The counts are those of: tr -cs A-Za-z '\n' < FILE | tr A-Z a-z | grep . | sort | uniq -c
)";

void count_words(lamellar::world& world, const std::vector<std::string>& paths,
                 std::uint64_t top) {
  const bool reports = world.me().index() == 0;
  const auto files = io::inspect(paths);
  const auto counts = lamellar::counting_map<std::string>::create(world).get();
  const auto begin = std::chrono::steady_clock::now();

  const auto mine = io::pieces(io::split(files, world.size(), world.me().index()), 1 << 18);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    io::for_each_word(mine[i], io::ascii_letters,
                      [&](std::string_view word) { counts.add(word); });
    if (reports) {
      show_progress(i + 1, mine.size());  // the others have as much to do
    }
  }
  world.quiesce().get();  // now every word of every PE has been counted
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;

  const auto most_frequent = counts.top_k(top).get();
  const std::uint64_t words = counts.total().get();
  const std::uint64_t distinct = size(counts).get();
  if (reports) {
    for (const auto& [word, count] : most_frequent) {
      fmt::print("{:7} {}\n", count, word);
    }
    const double megabytes = static_cast<double>(io::total_bytes(files)) / 1e6;
    fmt::print("{} words, {} of them distinct, in {} files of {:.2f} MB\n", words, distinct,
               files.size(), megabytes);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million words/s, {:.0f} MB/s\n",
               world.size(), time.count(), static_cast<double>(words) / 1e6 / time.count(),
               megabytes / time.count());
  }
}

// Every Debian has these. What is longer is a list of files rather than a text.
std::vector<std::string> texts_of_this_system() {
  namespace fs = std::filesystem;
  std::set<std::string> texts;  // links are followed, and no file comes twice
  const auto add = [&](const fs::path& path) {
    if (fs::is_regular_file(path) && fs::file_size(path) <= 256 << 10) {
      texts.insert(fs::canonical(path));
    }
  };
  for (const auto& licence : fs::directory_iterator("/usr/share/common-licenses")) add(licence);
  for (const auto& package : fs::directory_iterator("/usr/share/doc"))
    add(package.path() / "copyright");
  return {texts.begin(), texts.end()};
}

int main(int argc, char** argv) {
  std::uint64_t top = 10;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--top" && i + 1 < argc) {
      top = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      files.emplace_back(argument);
    }
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) {
    count_words(world, files.empty() ? texts_of_this_system() : files, top);
  });
}
