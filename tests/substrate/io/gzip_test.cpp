// SPDX-License-Identifier: BSD-3-Clause
// Files that gzip has compressed: known by their first bytes, never cut, and read as what they
// hold.
#include "../../support/gzip.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/text.hpp>
#include <random>
#include <string>
#include <vector>

#include "../../support/scratch_directory.hpp"
#include "complaint.hpp"

namespace io = lamellar::io;
using lamellar::testing::complaint;
using lamellar::testing::contains;
using lamellar::testing::gzipped;
using lamellar::testing::scratch_directory;

namespace {

std::vector<std::string> lines_in(const io::file_range& range, io::read_options options = {}) {
  std::vector<std::string> lines;
  io::line_reader reader(range, options);
  while (const auto line = reader.next()) {
    lines.emplace_back(*line);
  }
  CHECK(!reader.next());
  return lines;
}

std::vector<std::string> words_in(const io::file_range& range, io::read_options options = {}) {
  std::vector<std::string> words;
  io::word_reader reader(range, io::not_blank, options);
  while (const auto word = reader.next()) {
    words.emplace_back(*word);
  }
  CHECK(!reader.next());
  return words;
}

/// Lines that do not compress well: about `bytes` of them.
std::string random_text(std::size_t bytes) {
  std::mt19937_64 random{7};
  std::string text;
  while (text.size() < bytes) {
    text += std::to_string(random()) + (random() % 3 == 0 ? "\r\n" : " ");
  }
  return text;
}

}  // namespace

TEST_CASE("lines and words of a compressed file are those of the plain one, in any chunks") {
  const scratch_directory scratch;
  // Empty, short, without a last line end, and larger than all buffers.
  for (const std::string& text : {std::string{}, std::string{"\n"}, std::string{"one\ntwo"},
                                  std::string{"a b  c\r\n\n"}, random_text(3 << 20)}) {
    const io::file_range plain = io::whole(io::inspect(scratch.write("plain", text)));
    const io::file_range packed =
        io::whole(io::inspect(scratch.write("packed", gzipped(text))));
    CHECK(!plain.compressed);
    CHECK(packed.compressed);
    for (const std::size_t chunk : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{3}}) {
      CHECK(lines_in(packed, {.chunk_bytes = chunk}) == lines_in(plain));
      CHECK(words_in(packed, {.chunk_bytes = chunk}) == words_in(plain));
    }
  }
}

TEST_CASE("compressed files that were put one behind the other are one") {
  const scratch_directory scratch;
  const std::string path =
      scratch.write("two.gz", gzipped("one\nt") + gzipped("") + gzipped("wo\nthree"));
  CHECK(lines_in(io::whole(io::inspect(path))) ==
        std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("compressed files are dealt out whole, in their order, each to one part") {
  const scratch_directory scratch;
  std::vector<io::input_file> files;
  std::vector<std::string> expected;
  for (std::size_t k = 0; k < 9; ++k) {
    const std::string name = "file" + std::to_string(k);
    const std::string text = name + "\nof\n" + std::string(10 * k * k, 'x') + "\n";
    files.push_back(io::inspect(scratch.write(name, k % 3 == 1 ? text : gzipped(text))));
    expected.insert(expected.end(), {name, "of", std::string(10 * k * k, 'x')});
  }
  for (std::uint64_t parts = 1; parts < 20; ++parts) {
    std::vector<std::string> lines;
    for (std::uint64_t part = 0; part < parts; ++part) {
      // Cutting into pieces leaves compressed files whole.
      for (const io::file_range& range : io::pieces(io::split(files, parts, part), 7)) {
        CHECK(range.path == files[range.file].path);
        CHECK((!range.compressed || range.size() == range.file_size));
        for (std::string& line : lines_in(range)) {
          lines.push_back(std::move(line));
        }
      }
    }
    CHECK(lines == expected);
  }
}

TEST_CASE("two compressed files of like sizes go to two parts") {
  const scratch_directory scratch;
  for (const std::size_t less : {0U, 400U}) {
    const std::vector<io::input_file> files{
        io::inspect(scratch.write("a", gzipped(random_text(1000 - less)))),
        io::inspect(scratch.write("b", gzipped(random_text(600 + less))))};
    CHECK(io::split(files, 2, 0).size() == 1);
    CHECK(io::split(files, 2, 1).size() == 1);
  }
}

TEST_CASE("a compressed file that was cut off anywhere is refused") {
  const scratch_directory scratch;
  const std::string packed = gzipped(random_text(2000));
  for (std::size_t bytes = 4; bytes < packed.size(); bytes += 1 + bytes / 50) {
    const auto range = io::whole(io::inspect(scratch.write("cut", packed.substr(0, bytes))));
    const std::string text = complaint([&] { lines_in(range); });
    CHECK(contains(text, "cut'"));
    CHECK(contains(text, "it was cut"));
  }
  CHECK(contains(complaint([&] { io::inspect(scratch.write("none.gz", "")); }), ".gz"));
}

TEST_CASE("a compressed file with a wrong byte anywhere behind its head is refused") {
  const scratch_directory scratch;
  const std::string packed = gzipped(random_text(2000));
  constexpr std::size_t head = 10;
  for (std::size_t at = head; at < packed.size(); at += 1 + at / 50) {
    std::string wrong = packed;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
    const auto range = io::whole(io::inspect(scratch.write("wrong", wrong)));
    const std::string text = complaint([&] { lines_in(range); });
    CHECK(contains(text, "wrong'"));
    CHECK((contains(text, "damaged") || contains(text, "it was cut")));
  }
  const auto more = io::whole(io::inspect(scratch.write("more", packed + "and more")));
  CHECK(contains(complaint([&] { lines_in(more); }), "damaged, after"));
}

TEST_CASE("what is named as if compressed must be") {
  const scratch_directory scratch;
  const std::string text =
      complaint([&] { io::inspect(scratch.write("plain.gz", "plain\n")); });
  CHECK(contains(text, "plain.gz"));
  CHECK(contains(text, "another name"));
  CHECK(io::inspect(scratch.write("packed.txt", gzipped("x"))).compressed);
  // The first bytes of such a file, and a method and flags that there are not.
  CHECK(!io::inspect(scratch.write("data", "\x1f\x8b")).compressed);
  CHECK(!io::inspect(scratch.write("data", "\x1f\x8b\x07 ")).compressed);
  CHECK(!io::inspect(scratch.write("data", "\x1f\x8b\x08\xff")).compressed);
}

TEST_CASE("a line of a compressed file that is longer than allowed is refused") {
  const scratch_directory scratch;
  const auto range =
      io::whole(io::inspect(scratch.write("long", gzipped(std::string(5000, 'x')))));
  const io::read_options options{.chunk_bytes = 100, .longest_bytes = 1000};
  CHECK(contains(complaint([&] { lines_in(range, options); }), "longer than 1000"));
}
