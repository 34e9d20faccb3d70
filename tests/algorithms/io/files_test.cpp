// SPDX-License-Identifier: BSD-3-Clause
// Files read and written by all PEs: the same for any number of them.
#include <cereal/types/string.hpp>
#include <cstdint>
#include <lamellar/algorithms/io/read.hpp>
#include <lamellar/algorithms/io/write.hpp>
#include <lamellar/containers/array.hpp>
#include <string>
#include <vector>

#include "../distributed.hpp"
#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

struct point {
  std::uint32_t x;
  std::uint16_t y[3];
  friend bool operator==(const point&, const point&) = default;
};

}  // namespace

TEST_CASE("lines of several files, in order") {
  on_pes([](world& w) {
    const shared_directory here{w};
    const std::string one = here.write("one", "a\r\nbb\n\nlast without an end");
    const std::string none = here.write("none", "");
    std::string many;
    std::vector<std::string> expected{"a", "bb", "", "last without an end"};
    for (int i = 0; i < 1000; ++i) {
      expected.push_back(std::to_string(i * i));
      many += expected.back() + "\n";
    }
    const std::string two = here.write("two", many);
    const auto lines = io::read_lines(w, {one, none, two}).get();
    CHECK(everything(lines) == expected);
    const auto tiny = io::read_lines(w, {one, two}, {.chunk_bytes = 2}).get();
    CHECK(everything(tiny) == expected);
    CHECK(io::read_lines(w, {none}).get().size() == 0);
  });
}

TEST_CASE("rows whose fields have line ends, and headers") {
  on_pes([](world& w) {
    const shared_directory here{w};
    std::string text = "name,\"two\nlines\"\n";
    std::vector<io::csv_row> expected;
    for (int i = 0; i < 200; ++i) {
      expected.push_back(
          {std::to_string(i), std::string(static_cast<std::size_t>(i) % 7, '\n')});
      io::append_csv(text, expected.back());
    }
    const std::string path = here.write("table.csv", text);
    auto twice = expected;
    twice.insert(twice.end(), expected.begin(), expected.end());
    const auto rows = io::read_csv(w, {path, path}, {.header = true}).get();
    CHECK(everything(rows) == twice);
    io::write_csv(rows, here / "again.csv").get();
    CHECK(everything(io::read_csv(w, {here / "again.csv"}).get()) == twice);
  });
}

TEST_CASE("what is written in one file or in many is what was there, in the order of indices") {
  on_pes([](world& w) {
    const shared_directory here{w};
    for (const std::size_t n : sizes(w)) {
      const auto a = atomic_array<std::string, layout::cyclic>::create(w, n).get();
      testing::fill(a, [](std::size_t i) { return element<std::string>("uniform", i, 9); });
      std::string text;
      for (const std::string& each : everything(a)) text += each + "\n";
      io::write_lines(a, here / "lines").get();
      CHECK(content_of(here / "lines") == text);
      CHECK(everything(io::read_lines(w, {here / "lines"}).get()) == everything(a));
      w.barrier().get();
      io::write_lines(a, here / "part", io::output::file_per_member).get();
      std::string joined;
      for (std::uint32_t k = 0; k < w.size(); ++k) {
        joined += content_of((here / "part.0000") + std::to_string(k));
      }
      CHECK(joined == text);

      const auto points = unsafe_array<point>::create(w, n).get();
      testing::fill(points, [](std::size_t i) {
        return point{static_cast<std::uint32_t>(i), {1, static_cast<std::uint16_t>(2 * i), 3}};
      });
      io::write_records(points, here / "points").get();
      CHECK(content_of(here / "points").size() == n * sizeof(point));
      const auto again = io::read_records<point>(w, {here / "points"}).get();
      CHECK(everything(again) == everything(points));
      w.barrier().get();
    }
  });
}

TEST_CASE("what cannot be read or written is said on all PEs") {
  on_pes([](world& w) {
    const shared_directory here{w};
    const std::string odd = here.write("odd", "12345");
    CHECK(refused(io::read_lines(w, {here / "nowhere"}), "nowhere"));
    CHECK(refused(io::read_records<point>(w, {odd}), "no multiple"));
    const auto a = unsafe_array<point>::create(w, 3).get();
    CHECK(refused(io::write_records(a, here / "no_such_folder/x"), "no_such_folder"));
    const std::string open = here.write("open.csv", "1,2\n3,\"4\n5,6\n");
    CHECK(refused(io::read_csv(w, {open}), "does not end"));
  });
}
