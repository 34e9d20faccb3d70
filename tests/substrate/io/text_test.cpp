// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <lamellar/substrate/io/text.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "../../support/scratch_directory.hpp"
#include "complaint.hpp"

namespace io = lamellar::io;
using lamellar::testing::complaint;
using lamellar::testing::contains;
using lamellar::testing::scratch_directory;

namespace {

using strings = std::vector<std::string>;

// The definitions, written down without any thought of ranges and windows.

strings lines_of(const std::string& text) {
  strings lines;
  std::string line;
  for (char c : text) {
    line += c;
    if (c == '\n') {
      line.pop_back();
      if (!line.empty() && line.back() == '\r') {
        line.pop_back();
      }
      lines.push_back(line);
      line.clear();
    }
  }
  if (!text.empty() && text.back() != '\n') {
    lines.push_back(line);
  }
  return lines;
}

strings words_of(const std::string& text, const io::alphabet& letters) {
  strings words;
  bool inside = false;
  for (char c : text) {
    const char letter = letters[c];
    if (letter != 0) {
      if (!inside) {
        words.emplace_back();
      }
      words.back() += letter;
    }
    inside = letter != 0;
  }
  return words;
}

template <class Reader>
void read_all(Reader reader, strings& to) {
  while (auto next = reader.next()) {
    to.emplace_back(*next);
  }
  CHECK_FALSE(reader.next());  // and it stays so
}

strings lines_by_parts(const std::vector<io::input_file>& files, std::uint64_t parts,
                       const io::read_options& options) {
  strings lines;
  for (std::uint64_t part = 0; part < parts; ++part) {
    for (const io::file_range& range : io::split(files, parts, part)) {
      read_all(io::line_reader(range, options), lines);
    }
  }
  return lines;
}

strings words_by_parts(const std::vector<io::input_file>& files, std::uint64_t parts,
                       const io::alphabet& letters, const io::read_options& options) {
  strings words;
  for (std::uint64_t part = 0; part < parts; ++part) {
    for (const io::file_range& range : io::split(files, parts, part)) {
      read_all(io::word_reader(range, letters, options), words);
    }
  }
  return words;
}

io::file_range whole(const std::string& path) {
  const io::input_file file = io::inspect(path);
  return {path, 0, file.size, file.size};
}

// Texts of every temper: from single letters to long words, blank lines, LF and CR LF mixed,
// lone CR, junk bytes.
std::string random_text(std::mt19937_64& random) {
  const strings pools[] = {
      {"a", "B", " ", "\n"},
      {"word", "Longer", "\r\n", "\n", " ", ", "},
      {"\n", "\r\n", "\r", ""},
      {"x", "yy", "zzz"},
      {"a", std::string(1, '\0'), "\xff", "\x80", "Z", "\n", "\t", "\v", "@", "[", "`", "{"},
      {"several words in one piece ", "and\r\nmore\n", "end"},
  };
  const strings& pool = pools[random() % std::size(pools)];
  std::string text;
  for (std::uint64_t count = random() % 60, i = 0; i < count; ++i) {
    text += pool[random() % pool.size()];
  }
  return text;
}

}  // namespace

TEST_CASE("lines and words are the same for any number of parts and any window") {
  const scratch_directory scratch;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<io::input_file> files;
    strings lines;
    strings letter_words;
    strings blank_words;
    std::uint64_t bytes = 0;
    for (std::uint64_t count = 1 + random() % 4, i = 0; i < count; ++i) {
      const std::string text = random_text(random);
      bytes += text.size();
      files.push_back(io::inspect(scratch.write("text" + std::to_string(i), text)));
      for (std::string& line : lines_of(text)) {
        lines.push_back(std::move(line));
      }
      for (std::string& word : words_of(text, io::ascii_letters)) {
        letter_words.push_back(std::move(word));
      }
      for (std::string& word : words_of(text, io::not_blank)) {
        blank_words.push_back(std::move(word));
      }
    }
    std::vector<std::uint64_t> part_counts{bytes + 3};  // more parts than bytes
    for (std::uint64_t parts = 1; parts <= 17; ++parts) {
      part_counts.push_back(parts);
    }
    for (std::uint64_t parts : part_counts) {
      CAPTURE(parts);
      for (std::size_t chunk :
           {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20}) {
        CAPTURE(chunk);
        const io::read_options options{.chunk_bytes = chunk};
        REQUIRE(lines_by_parts(files, parts, options) == lines);
        REQUIRE(words_by_parts(files, parts, io::ascii_letters, options) == letter_words);
        REQUIRE(words_by_parts(files, parts, io::not_blank, options) == blank_words);
      }
    }
  }
}

TEST_CASE("every cut of a small text leaves its lines and words whole") {
  const scratch_directory scratch;
  const std::string text = "one\r\n\r\ntwo three\n\n\r four\rfive\nsix";
  const io::file_range all = whole(scratch.write("text", text));
  for (std::uint64_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    strings lines;
    strings words;
    for (const io::file_range& range :
         {io::file_range{all.path, 0, cut, all.file_size},
          io::file_range{all.path, cut, all.end, all.file_size}}) {
      io::for_each_line(range, [&](std::string_view line) { lines.emplace_back(line); });
      io::for_each_word(range, io::not_blank,
                        [&](std::string_view word) { words.emplace_back(word); });
    }
    CHECK(lines == strings{"one", "", "two three", "", "\r four\rfive", "six"});
    CHECK(words == strings{"one", "two", "three", "four", "five", "six"});
  }
}

TEST_CASE("ranges may be cut into pieces without changing what they hold") {
  const scratch_directory scratch;
  std::mt19937_64 random(7);
  std::string text;
  while (text.size() < 20'000) {
    text += random_text(random);
  }
  const io::file_range all = whole(scratch.write("text", text));
  for (std::uint64_t piece : {1, 3, 1000, 4096, 30'000}) {
    CAPTURE(piece);
    strings words;
    for (const io::file_range& range : io::pieces(all, piece)) {
      read_all(io::word_reader(range, io::ascii_letters), words);
    }
    CHECK(words == words_of(text, io::ascii_letters));
  }
}

TEST_CASE("one line longer than every part and window still divides by words") {
  const scratch_directory scratch;
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    text += "word" + std::string(static_cast<std::size_t>(i % 5), 'x') + ' ';
  }
  const std::vector<io::input_file> files{io::inspect(scratch.write("line", text))};
  CHECK(lines_by_parts(files, 8, {.chunk_bytes = 1000}) == strings{text});
  CHECK(words_by_parts(files, 8, io::ascii_letters, {.chunk_bytes = 1000}) ==
        words_of(text, io::ascii_letters));
  for (std::uint64_t part = 0; part < 8; ++part) {
    std::uint64_t words = 0;
    for (const io::file_range& range : io::split(files, 8, part)) {
      io::for_each_word(range, io::not_blank, [&](std::string_view) { ++words; });
    }
    CHECK(words > 50'000 / 8 - 10);
    CHECK(words < 50'000 / 8 + 10);
  }
}

TEST_CASE("words of letters are what tr makes of them") {
  const scratch_directory scratch;
  std::string text;
  for (int byte = 0; byte < 256; ++byte) {
    text += "Ab";
    text += static_cast<char>(byte);
  }
  strings words;
  read_all(io::word_reader(whole(scratch.write("bytes", text)), io::ascii_letters), words);
  strings expected;
  std::string run;
  for (int byte = 0; byte < 256; ++byte) {
    run += "ab";
    if (byte >= 'A' && byte <= 'Z') {
      run += static_cast<char>(byte - 'A' + 'a');
    } else if (byte >= 'a' && byte <= 'z') {
      run += static_cast<char>(byte);
    } else {
      expected.push_back(run);
      run.clear();
    }
  }
  CHECK(run.empty());
  CHECK(words == expected);
}

TEST_CASE("the end of a file of 5 GiB is found where it is") {
  const scratch_directory scratch;
  const std::string path = scratch.write("sparse", "first\n");
  const std::uint64_t far = std::uint64_t{5} << 30;
  const std::string tail = "\nfar away\nlast";
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  const ssize_t written =
      ::pwrite(descriptor, tail.data(), tail.size(), static_cast<off_t>(far));
  ::close(descriptor);
  REQUIRE(written == static_cast<ssize_t>(tail.size()));

  const io::input_file file = io::inspect(path);
  REQUIRE(file.size == far + tail.size());
  strings lines;
  read_all(io::line_reader({path, far - 1000, file.size, file.size}), lines);
  CHECK(lines == strings{"far away", "last"});
  strings words;
  read_all(io::word_reader({path, far - 1000, far + 6, file.size}, io::ascii_letters), words);
  CHECK(words == strings{"far", "away"});
}

TEST_CASE("a file that changes between inspection and reading is refused") {
  const scratch_directory scratch;
  const io::file_range range = whole(scratch.write("text", "one two three"));
  scratch.write("text", "one two");
  const std::string shorter = complaint([&] { io::line_reader reader(range); });
  CHECK(contains(shorter, range.path));
  CHECK(contains(shorter, "13 bytes"));
  scratch.write("text", "one two three four");
  CHECK(contains(complaint([&] { io::word_reader reader(range, io::not_blank); }), "18"));
  REQUIRE(::unlink(range.path.c_str()) == 0);
  CHECK(contains(complaint([&] { io::line_reader reader(range); }), "No such file"));
}

TEST_CASE("a file that is cut short while it is being read ends in an error, not in a signal") {
  const scratch_directory scratch;
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "a line of words\n";
  }
  const io::file_range range = whole(scratch.write("text", text));
  io::line_reader reader(range, {.chunk_bytes = 100});
  REQUIRE(reader.next() == "a line of words");
  REQUIRE(::truncate(range.path.c_str(), 4000) == 0);
  int lines = 1;
  const std::string text_of_error = complaint([&] {
    while (reader.next()) {
      ++lines;
    }
  });
  CHECK(lines == 4000 / 16);
  CHECK(contains(text_of_error, "it ends at byte 4000"));
  CHECK(contains(text_of_error, range.path));
}

TEST_CASE("a word or line beyond the longest is refused with its place") {
  const scratch_directory scratch;
  const io::file_range range = whole(scratch.write("text", "short\n" + std::string(5000, 'x')));
  const io::read_options options{.chunk_bytes = 16, .longest_bytes = 1000};
  strings ignored;
  CHECK(contains(complaint([&] { read_all(io::line_reader(range, options), ignored); }),
                 "at byte 6 is longer than 1000 bytes"));
  CHECK(contains(
      complaint([&] { read_all(io::word_reader(range, io::not_blank, options), ignored); }),
      "at byte 6"));
  CHECK(ignored == strings{"short", "short"});
}
