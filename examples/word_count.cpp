// SPDX-License-Identifier: BSD-3-Clause
// Counts the words of text files. Every PE reads its share of the bytes and sends each word to
// the PE that owns it, whose table counts it. The answer is the same on any number of PEs.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <lamellar/lamellar.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace io = lamellar::io;

constexpr const char* about =
    R"(Count the words of FILEs; print the most frequent ones and totals.

A word is a run of the letters A-Z and a-z, in lower case; every other byte separates words,
and so does the end of a file. The counts are what this gives for one file:
  tr -cs A-Za-z '\n' < FILE | tr A-Z a-z | grep . | LC_ALL=C sort | uniq -c)";

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
    if (const auto known = table.find(word); known != table.end()) {
      ++known->second;
    } else {
      table.emplace(word, 1);
    }
  }
};

// What is told about one table, or about all of them together.
struct summary {
  std::uint64_t words = 0;
  std::uint64_t distinct = 0;
  std::vector<std::pair<std::string, std::uint64_t>> top;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(words, distinct, top);
  }

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

// Every Debian has these texts. Links are followed and no file comes twice.
std::vector<std::string> texts_of_this_system() {
  namespace fs = std::filesystem;
  std::set<std::string> texts;
  for (const auto& licence : fs::directory_iterator("/usr/share/common-licenses")) {
    texts.insert(fs::canonical(licence.path()));
  }
  for (const auto& package : fs::directory_iterator("/usr/share/doc")) {
    if (const fs::path notice = package.path() / "copyright"; fs::is_regular_file(notice)) {
      texts.insert(fs::canonical(notice));
    }
  }
  return {texts.begin(), texts.end()};
}

void show_progress(std::size_t done, std::size_t all) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r[{:<40}] {:3}%{}", std::string(done * 40 / all, '#'),
               done * 100 / all, done == all ? "\n" : "");
  }
}

// Reads the share of this PE and sends every word to its owner.
void send_my_words(lamellar::world& world, const std::vector<io::input_file>& files,
                   const lamellar::darc<word_table>& table) {
  const auto mine = io::pieces(io::split(files, world.size(), world.me().index()), 1 << 18);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    io::for_each_word(mine[i], io::ascii_letters, [&](std::string_view word) {
      const auto owner = static_cast<std::uint32_t>(word_hash()(word) >> 32) % world.size();
      table.send(world.at(owner), count_word(), word);
    });
    if (world.me() == world.at(0)) {
      show_progress(i + 1, mine.size());  // the others have as much to do
    }
  }
}

// Asks every PE for what it holds.
summary gather(lamellar::world& world, const lamellar::darc<word_table>& table,
               std::uint64_t top) {
  std::vector<lamellar::reply<summary>> replies;
  for (std::uint32_t i = 0; i < world.size(); ++i) {
    replies.push_back(table.call(world.at(i), summarise(), top));
  }
  summary total;
  for (auto& reply : replies) {
    const summary part = reply.get();
    total.words += part.words;
    total.distinct += part.distinct;
    total.top.insert(total.top.end(), part.top.begin(), part.top.end());
  }
  total.keep_top(top);
  return total;
}

void count_words(lamellar::world& world, const std::vector<std::string>& paths,
                 std::uint64_t top) {
  const auto files = io::inspect(paths);
  const auto table = lamellar::darc<word_table>::create(world).get();
  const auto begin = std::chrono::steady_clock::now();
  send_my_words(world, files, table);
  world.quiesce().get();  // now every word of every PE has been counted
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;

  if (world.me() == world.at(0)) {
    const summary total = gather(world, table, top);
    for (const auto& [word, count] : total.top) {
      fmt::print("{:7} {}\n", count, word);
    }
    const double megabytes = static_cast<double>(io::total_bytes(files)) / 1e6;
    const double millions = static_cast<double>(total.words) / 1e6;
    fmt::print("{} words, {} of them distinct, in {} files of {:.2f} MB\n", total.words,
               total.distinct, files.size(), megabytes);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million words/s, {:.0f} MB/s\n",
               world.size(), time.count(), millions / time.count(), megabytes / time.count());
  }
}

int main(int argc, char** argv) {
  CLI::App app(about);
  std::uint64_t top = 10;
  std::vector<std::string> files;
  app.add_option("--top", top, "How many words to print")->capture_default_str();
  app.add_option("FILE", files, "Texts; when not given, the licences of this Debian system");
  CLI11_PARSE(app, argc, argv);
  if (files.empty()) {
    files = texts_of_this_system();
  }
  return lamellar::run(argc, argv,
                       [&](lamellar::world& world) { count_words(world, files, top); });
}
