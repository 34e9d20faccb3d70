// SPDX-License-Identifier: BSD-3-Clause
// Counts the words of text files. Every PE reads its share of the bytes and sends each word to
// the PE that owns it, whose table counts it. The answer is the same on any number of PEs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <lamellar/lamellar.hpp>
#include <set>
#include <unordered_map>

namespace io = lamellar::io;

constexpr const char* usage = R"(Usage: word_count [--top N] [FILE...]
Count the words of FILEs; print the N most frequent ones (10) and totals.
Without FILE: the licences and copyright notices of this Debian system.

A word is a run of the letters A-Z and a-z, in lower case; the end of a file ends it too.
The counts are those of: tr -cs A-Za-z '\n' < FILE | tr A-Z a-z | grep . | sort | uniq -c
)";

struct word_hash {
  using is_transparent = void;  // a table of strings can be asked for a view
  std::size_t operator()(std::string_view word) const {
    return std::hash<std::string_view>()(word);
  }
};

// The words that one PE owns, and how often each has come.
using word_table = std::unordered_map<std::string, std::uint64_t, word_hash, std::equal_to<>>;

// Runs on the owner. The word is read where it arrived; only a new one is copied.
struct count_word {
  void operator()(word_table& table, std::string_view word) const {
    auto place = table.find(word);
    if (place == table.end()) {
      place = table.emplace(word, 0).first;
    }
    ++place->second;
  }
};

// What is told about one table, or about all of them together.
struct summary {
  std::uint64_t words = 0;
  std::uint64_t distinct = 0;
  std::vector<std::pair<std::string, std::uint64_t>> top;

  void keep_top(std::size_t wanted) {
    std::sort(top.begin(), top.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    top.resize(std::min(wanted, top.size()));
  }
};

struct summarise {
  summary operator()(const word_table& table, std::uint64_t wanted) const {
    summary result{.distinct = table.size(), .top = {table.begin(), table.end()}};
    for (const auto& [word, count] : table) {
      result.words += count;
    }
    result.keep_top(wanted);
    return result;
  }
};

void show_progress(std::size_t done, std::size_t all) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r[{:<40}] {:3}%{}", std::string(done * 40 / all, '#'),
               done * 100 / all, done == all ? "\n" : "");
  }
}

void count_words(lamellar::world& world, const std::vector<std::string>& paths,
                 std::uint64_t top) {
  const bool reports = world.me().index() == 0;
  const auto files = io::inspect(paths);
  const auto table = lamellar::darc<word_table>::create(world).get();
  const auto begin = std::chrono::steady_clock::now();

  const auto mine = io::pieces(io::split(files, world.size(), world.me().index()), 1 << 18);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    io::for_each_word(mine[i], io::ascii_letters, [&](std::string_view word) {
      const auto owner = static_cast<std::uint32_t>(word_hash()(word) >> 32) % world.size();
      table.send(world.at(owner), count_word(), word);
    });
    if (reports) {
      show_progress(i + 1, mine.size());  // the others have as much to do
    }
  }
  world.quiesce().get();  // now every word of every PE has been counted
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;

  if (reports) {
    summary total;
    for (const summary& part : table.call_all(summarise(), top).get()) {
      total.words += part.words;
      total.distinct += part.distinct;
      total.top.insert(total.top.end(), part.top.begin(), part.top.end());
    }
    total.keep_top(top);
    for (const auto& [word, count] : total.top) {
      fmt::print("{:7} {}\n", count, word);
    }
    const double megabytes = static_cast<double>(io::total_bytes(files)) / 1e6;
    fmt::print("{} words, {} of them distinct, in {} files of {:.2f} MB\n", total.words,
               total.distinct, files.size(), megabytes);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million words/s, {:.0f} MB/s\n",
               world.size(), time.count(),
               static_cast<double>(total.words) / 1e6 / time.count(), megabytes / time.count());
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
