// SPDX-License-Identifier: BSD-3-Clause
// An inverted index over text files: which files have a word, and how often? Every PE reads its
// share of the bytes; what it has found goes to the PE that owns the word, whose entry of the
// map has the files. A query looks its words up and keeps the files that have all of them. The
// answer is the same on any number of PEs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <lamellar/lamellar.hpp>
#include <unordered_map>

#include "support/progress.hpp"

namespace io = lamellar::io;

constexpr const char* usage = R"(Usage: inverted_index [--query WORDS] [FILE...]
Index the words of FILEs. Print the files that have all of WORDS ("free software"), those first in which they come
most often; then how many different words there are, and pairs of a word and a file.
Without FILE: the licences in /usr/share/common-licenses.

A word is a run of the letters A-Z and a-z, in lower case; the end of a file ends it too.
)";

// Where a word is: files, by their numbers, and how often it comes in each.
using word_places = std::map<std::uint32_t, std::uint64_t>;
using word_index = lamellar::unordered_map<std::string, word_places>;

// Runs on the owner of a word.
struct add_places {
  void operator()(word_places& known, std::uint32_t file, std::uint64_t times) const {
    known[file] += times;
  }
};

// Index this PE's share of the files.
void index_words(lamellar::world& world, const word_index& index,
                 const std::vector<io::input_file>& files) {
  const auto mine = io::pieces(io::split(files, world.size(), world.me().index()), 1 << 18);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    std::unordered_map<std::string, std::uint64_t> found;
    io::for_each_word(mine[i], io::ascii_letters,
                      [&](std::string_view word) { ++found[std::string(word)]; });
    const auto file = static_cast<std::uint32_t>(mine[i].file);
    for (const auto& [word, times] : found) index.update(word, add_places(), file, times);
    if (world.me().index() == 0) show_progress(i + 1, mine.size());  // others have as much
  }
  world.quiesce().get();
}

// The files that have all words, and how often these come in them together.
std::vector<std::pair<std::uint32_t, std::uint64_t>> find_files(
    const word_index& index, const std::vector<std::string>& words) {
  word_places all;
  bool first = true;
  for (const auto& found : index.find_many(words).get()) {
    const word_places here = found.value_or(word_places());
    if (first) all = here;
    first = false;
    std::erase_if(all, [&](const auto& each) { return !here.contains(each.first); });
  }
  std::vector<std::pair<std::uint32_t, std::uint64_t>> files;
  for (const auto& [file, times] : all) files.emplace_back(file, 0);
  for (const auto& found : index.find_many(words).get()) {
    for (auto& [file, times] : files) times += found->at(file);
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return files;
}

void answer(lamellar::world& world, const std::vector<std::string>& paths,
            const std::vector<std::string>& query) {
  const auto files = io::inspect(paths);
  const auto index = word_index::create(world).get();
  index_words(world, index, files);

  const std::uint64_t words = size(index).get();
  const auto pairs =
      reduce(
          index, [](const auto& entry) { return entry.second.size(); }, std::plus<>())
          .get();
  if (world.me().index() == 0) {
    for (const auto& [file, times] : find_files(index, query)) {
      fmt::print("{:7} {}\n", times, files[file].path);
    }
    fmt::print("{} words, {} in a file, {} files\n", words, pairs.value_or(0), files.size());
  }
  world.barrier().get();  // PE 0 may still ask the others
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char byte : text) {
    if (const char letter = io::ascii_letters[byte]; letter != 0) {
      words.back() += letter;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

int main(int argc, char** argv) {
  std::vector<std::string> query{"free", "software"};
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--query" && i + 1 < argc) {
      query = words_of(argv[++i]);
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      files.emplace_back(argument);
    }
  }
  if (files.empty()) {
    for (const auto& each : std::filesystem::directory_iterator("/usr/share/common-licenses")) {
      if (!each.is_symlink()) files.push_back(each.path());
    }
    std::sort(files.begin(), files.end());
  }
  return lamellar::run(argc, argv,
                       [&](lamellar::world& world) { answer(world, files, query); });
}
