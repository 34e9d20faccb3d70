// SPDX-License-Identifier: BSD-3-Clause
// Rows of comma-separated values, however a file is cut: against a reader that sees it whole.
#include <doctest/doctest.h>

#include <cstdint>
#include <lamellar/algorithms/io/csv.hpp>
#include <random>
#include <string>
#include <vector>

#include "../../support/scratch_directory.hpp"

namespace io = lamellar::io;
using lamellar::testing::scratch_directory;

namespace {

using rows = std::vector<io::csv_row>;

/// All rows, read in `parts` ranges with windows of `chunk` bytes.
rows read_in_parts(const std::string& path, std::uint64_t parts, std::size_t chunk) {
  const std::vector<io::input_file> files{io::inspect(path)};
  const io::read_options options{chunk};
  rows all;
  std::uint64_t quotes = 0;
  for (std::uint64_t part = 0; part < parts; ++part) {
    for (const io::file_range& range : io::split(files, parts, part)) {
      io::csv_reader reader{range, quotes % 2 == 1, {}, options};
      for (io::csv_row row; reader.next(row);) all.push_back(row);
      quotes += io::count_quotes(range, {}, options);
    }
  }
  return all;
}

void check(const scratch_directory& in, const std::string& text, const rows& expected) {
  const std::string path = in.write("table.csv", text);
  CAPTURE(text);
  for (std::uint64_t parts = 1; parts <= text.size() + 2; ++parts) {
    CAPTURE(parts);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{4096}}) {
      CHECK(read_in_parts(path, parts, chunk) == expected);
    }
  }
}

}  // namespace

TEST_CASE("rows and fields are found wherever a file is cut") {
  const scratch_directory here;
  check(here, "", {});
  check(here, "a", {{"a"}});
  check(here, "a,b\nc,d\n", {{"a", "b"}, {"c", "d"}});
  check(here, "a,b\r\nc,d", {{"a", "b"}, {"c", "d"}});
  check(here, ",\n\n,,x\n", {{"", ""}, {""}, {"", "", "x"}});
  check(here, "\"a,b\",\"c\"\"d\"\n\"\",e\n", {{"a,b", "c\"d"}, {"", "e"}});
  check(here, "1,\"two\nlines\"\n2,\"\"\"\"\r\n3,\"\n\n\"",
        {{"1", "two\nlines"}, {"2", "\""}, {"3", "\n\n"}});
  check(here, "\xc3\xa4,\xe2\x82\xac\n", {{"\xc3\xa4", "\xe2\x82\xac"}});
}

TEST_CASE("what is written is read again") {
  const scratch_directory here;
  std::mt19937 random{7};
  const std::string letters = "ab,\"\n\r x";
  for (int k = 0; k < 30; ++k) {
    rows all;
    std::string text;
    for (std::size_t r = random() % 6; r > 0; --r) {
      io::csv_row row(1 + random() % 3);
      for (std::string& field : row) {
        for (std::size_t n = random() % 5; n > 0; --n)
          field += letters[random() % letters.size()];
      }
      io::append_csv(text, row);
      all.push_back(row);
    }
    check(here, text, all);
  }
}

TEST_CASE("what is no table is refused, by the name of the file") {
  const scratch_directory here;
  for (const char* text : {"a,\"b\nc\n", "\"a\"b,c\n"}) {
    const std::string path = here.write("bad.csv", text);
    try {
      read_in_parts(path, 1, 4096);
      FAIL("nothing was thrown");
    } catch (const io::file_error& e) {
      CHECK(e.path() == path);
      CHECK(std::string{e.what()}.find("quoted field") != std::string::npos);
    }
  }
}
