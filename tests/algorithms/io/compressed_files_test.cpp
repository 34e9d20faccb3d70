// SPDX-License-Identifier: BSD-3-Clause
// Files that gzip has compressed, read by all PEs: what the plain ones hold, in the same order.
#include <cstdint>
#include <lamellar/algorithms/io/read.hpp>
#include <string>
#include <vector>

#include "../../support/gzip.hpp"
#include "../distributed.hpp"
#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using namespace lamellar::testing;

namespace {

/// So many files, some of them compressed, of which the k-th holds content(k).
template <class Content>
std::vector<std::string> write_files(const shared_directory& here, std::size_t n,
                                     const Content& content) {
  std::vector<std::string> paths;
  for (std::size_t k = 0; k < n; ++k) {
    const std::string text = content(k);
    paths.push_back(k % 3 == 2 ? here.write("plain" + std::to_string(k), text)
                               : here.write(std::to_string(k) + ".gz", gzipped(text)));
  }
  return paths;
}

struct point {
  std::uint32_t x;
  std::uint16_t y[5];
  friend bool operator==(const point&, const point&) = default;
};

}  // namespace

TEST_CASE("lines of compressed and plain files, in order") {
  on_pes([](world& w) {
    const shared_directory here{w};
    std::vector<std::string> expected;
    const auto paths = write_files(here, 7, [&](std::size_t k) {
      std::string text;
      for (std::size_t i = 0; i < 300 * (k % 4); ++i) {
        expected.push_back(std::to_string(i * i * (k + 1)));
        text += expected.back() + (i % 2 == 0 ? "\n" : "\r\n");
      }
      expected.push_back("last of " + std::to_string(k));
      return text + expected.back();
    });
    CHECK(everything(io::read_lines(w, paths).get()) == expected);
    CHECK(everything(io::read_lines(w, paths, {.chunk_bytes = 5}).get()) == expected);
  });
}

TEST_CASE("rows of compressed and plain files, with line ends and quotes in them") {
  on_pes([](world& w) {
    const shared_directory here{w};
    std::vector<io::csv_row> expected;
    const auto paths = write_files(here, 6, [&](std::size_t k) {
      std::string text = "name,\"two\nlines\"\n";
      for (std::size_t i = 0; i < 100 + k; ++i) {
        expected.push_back({std::to_string(i), std::string(i % 7, i % 2 == 0 ? '\n' : '"')});
        io::append_csv(text, expected.back());
      }
      return text;
    });
    CHECK(everything(io::read_csv(w, paths, {.header = true}).get()) == expected);
  });
}

TEST_CASE("records of compressed and plain files") {
  on_pes([](world& w) {
    const shared_directory here{w};
    std::vector<point> expected;
    const auto paths = write_files(here, 5, [&](std::size_t k) {
      std::string bytes;
      for (std::uint32_t i = 0; i < 20'000 * (k % 3); ++i) {  // more than a buffer
        expected.push_back({i, {1, 2, static_cast<std::uint16_t>(k), 4, 5}});
        bytes.append(reinterpret_cast<const char*>(&expected.back()), sizeof(point));
      }
      return bytes;
    });
    CHECK(everything(io::read_records<point>(w, paths).get()) == expected);
  });
}

TEST_CASE(
    "a compressed file that is cut off, changed or of other records is refused on all PEs") {
  on_pes([](world& w) {
    const shared_directory here{w};
    std::string text;
    for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ",\"x\"\n";
    const std::string packed = gzipped(text);
    const std::string good = here.write("good.gz", packed);
    const std::string cut = here.write("cut.gz", packed.substr(0, packed.size() / 2));
    std::string wrong = packed;
    wrong[wrong.size() - 6] ^= 1;  // in the checksum
    const std::string changed = here.write("changed.gz", wrong);
    CHECK(refused(io::read_lines(w, {good, cut}), "cut.gz"));
    CHECK(refused(io::read_lines(w, {cut, good}), "it was cut"));
    CHECK(refused(io::read_csv(w, {good, changed}), "changed.gz"));
    CHECK(refused(io::read_csv(w, {good, changed}), "damaged"));
    CHECK(refused(io::read_records<point>(w, {changed}), "damaged"));
    const std::string odd = here.write("odd.gz", gzipped("12345"));
    CHECK(refused(io::read_records<point>(w, {odd}), "5 bytes are no multiple"));
  });
}
