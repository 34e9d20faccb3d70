// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <random>
#include <string>
#include <vector>

#include "../../support/scratch_directory.hpp"
#include "complaint.hpp"

namespace io = lamellar::io;
using lamellar::testing::complaint;
using lamellar::testing::contains;
using lamellar::testing::scratch_directory;

namespace {

// All parts, one behind the other, must be all files from beginning to end.
void check_partition(const std::vector<io::input_file>& files, std::uint64_t parts) {
  std::vector<io::file_range> all;
  std::uint64_t smallest = ~std::uint64_t{0};
  std::uint64_t largest = 0;
  for (std::uint64_t part = 0; part < parts; ++part) {
    std::uint64_t size = 0;
    for (const io::file_range& range : io::split(files, parts, part)) {
      REQUIRE(range.begin < range.end);
      size += range.size();
      all.push_back(range);
    }
    if (part != 0) {
      REQUIRE(size <= smallest);
    }
    smallest = std::min(smallest, size);
    largest = std::max(largest, size);
  }
  CHECK(largest - smallest <= 1);

  std::size_t next = 0;
  for (const io::input_file& file : files) {
    std::uint64_t reached = 0;
    while (reached != file.size) {
      REQUIRE(next < all.size());
      REQUIRE(all[next].path == file.path);
      REQUIRE(all[next].file_size == file.size);
      REQUIRE(all[next].begin == reached);
      reached = all[next].end;
      ++next;
    }
  }
  CHECK(next == all.size());
}

}  // namespace

TEST_CASE("the parts are all bytes of all files, in order, each once, and equally many") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<io::input_file> files;
    for (std::uint64_t count = random() % 12, i = 0; i < count; ++i) {
      const std::uint64_t limit = random() % 3 == 0 ? 2 : random() % 2 == 0 ? 100 : 100'000;
      files.push_back({"file" + std::to_string(i), random() % limit});
    }
    for (std::uint64_t parts = 1; parts <= 17; ++parts) {
      CAPTURE(parts);
      check_partition(files, parts);
    }
    check_partition(files, 1000);
  }
}

TEST_CASE("sizes and offsets beyond 32 bits are divided without loss") {
  const std::uint64_t giga = std::uint64_t{1} << 30;
  const std::vector<io::input_file> files{
      {"a", 5 * giga + 3}, {"b", 0}, {"c", 700'000 * giga + 1}, {"d", 1}};
  for (std::uint64_t parts : {1, 2, 3, 7, 64, 1000}) {
    check_partition(files, parts);
  }
  // Here total * part does not fit into 64 bits.
  const std::vector<io::input_file> huge{{"huge", ~std::uint64_t{0}}};
  check_partition(huge, 1000);
}

TEST_CASE("2^64 bytes are refused") {
  const std::vector<io::input_file> files{{"huge", ~std::uint64_t{0}}, {"last", 1}};
  CHECK(contains(complaint([&] { io::split(files, 4, 0); }), "'last'"));
}

TEST_CASE("no files, and files without bytes, give empty parts") {
  CHECK(io::split({}, 3, 2).empty());
  const std::vector<io::input_file> empty{{"a", 0}, {"b", 0}};
  CHECK(io::split(empty, 1, 0).empty());
}

TEST_CASE("a part that does not exist is refused") {
  CHECK_THROWS_AS(io::split({}, 3, 3), lamellar::error);
  CHECK_THROWS_AS(io::split({}, 0, 0), lamellar::error);
}

TEST_CASE("pieces are the range again, in order") {
  const io::file_range range{"f", 1000, 1100, 5000};
  for (std::uint64_t piece : {1, 7, 50, 99, 100, 101, 100'000}) {
    std::uint64_t reached = range.begin;
    for (const io::file_range& part : io::pieces(range, piece)) {
      CHECK(part.begin == reached);
      CHECK(part.size() > 0);
      CHECK(part.size() <= piece);
      CHECK(part.path == range.path);
      CHECK(part.file_size == range.file_size);
      reached = part.end;
    }
    CHECK(reached == range.end);
  }
  CHECK(io::pieces(io::file_range{"f", 9, 9, 10}, 4).empty());
  const std::vector<io::file_range> two{{"f", 3, 8, 10}, {"g", 0, 2, 2}};
  CHECK(io::pieces(two, 4) ==
        std::vector<io::file_range>{{"f", 3, 7, 10}, {"f", 7, 8, 10}, {"g", 0, 2, 2}});
  CHECK_THROWS_AS(io::pieces(range, 0), lamellar::error);
}

TEST_CASE("inspect tells the size, through symbolic links too") {
  const scratch_directory scratch;
  const std::string file = scratch.write("file", "seven b");
  std::filesystem::create_symlink(file, scratch / "link");
  CHECK(io::inspect(file).size == 7);
  CHECK(io::inspect(scratch / "link") == io::input_file{scratch / "link", 7});
  CHECK(io::inspect(scratch.write("empty", "")).size == 0);
  const std::vector<std::string> twice{file, file};
  CHECK(io::total_bytes(io::inspect(twice)) == 14);
}

TEST_CASE("what cannot be input is refused by name and reason") {
  const scratch_directory scratch;
  const std::string missing = scratch / "missing";
  CHECK(contains(complaint([&] { io::inspect(missing); }), "'" + missing + "'"));
  CHECK(contains(complaint([&] { io::inspect(missing); }), "No such file"));
  CHECK(contains(complaint([&] { io::inspect(scratch / ""); }), "directory"));
  CHECK(contains(complaint([&] { io::inspect("/dev/null"); }), "device"));
  CHECK(contains(complaint([&] { io::inspect("/proc/self/status"); }), "size is 0"));

  const std::string pipe = scratch / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(complaint([&] { io::inspect(pipe); }), "pipe"));

  std::filesystem::create_symlink(missing, scratch / "dangling");
  CHECK(contains(complaint([&] { io::inspect(scratch / "dangling"); }), "No such file"));
}

TEST_CASE("a file that may not be read is refused") {
  const scratch_directory scratch;
  const std::string secret = scratch.write("secret", "text");
  REQUIRE(::chmod(secret.c_str(), 0) == 0);
  const uid_t user = ::geteuid();
  const bool changed = user == 0 && ::seteuid(65534) == 0;  // root may read everything
  const std::string text = complaint([&] { io::inspect(secret); });
  if (changed) {
    REQUIRE(::seteuid(user) == 0);
  }
  CHECK(contains(text, "Permission denied"));
}
