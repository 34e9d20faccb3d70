// SPDX-License-Identifier: BSD-3-Clause
// sort_file [--records] INPUT... OUTPUT: the lines of files, or binary records of 100 bytes by
// their first 10, sorted into one file as sort(1) does in the C locale. No PE needs room for
// more than its share. Without files it sorts some lines that it makes itself.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <lamellar/lamellar.hpp>
#include <string>
#include <vector>

namespace io = lamellar::io;

struct record {
  std::array<unsigned char, 10> key;
  std::array<unsigned char, 90> rest;
};

lamellar::task<> sort_lines(lamellar::world& world, std::vector<std::string> inputs,
                            std::string output) {
  // What each PE reads is an equal part of the bytes; so it stays while lines move.
  auto reading = io::read_lines(world, std::move(inputs));
  const auto lines = co_await reading;
  co_await lamellar::sort(lines);
  co_await io::write_lines(lines, output);
  if (world.me().index() == 0) fmt::print("{} lines sorted\n", lines.size());
}

lamellar::task<> sort_records(lamellar::world& world, std::vector<std::string> inputs,
                              std::string output) {
  auto reading = io::read_records<record>(world, std::move(inputs));
  const auto records = co_await reading;
  co_await lamellar::stable_sort(records, std::less<>{}, &record::key);
  co_await io::write_records(records, output);
  if (world.me().index() == 0) fmt::print("{} records sorted\n", records.size());
}

/// Some lines of each PE, sorted into a file that only this run has.
lamellar::task<int> sort_own_lines(lamellar::world& world) {
  std::string path = std::filesystem::temp_directory_path() / "lamellar-sort-file-XXXXXX";
  if (world.me().index() == 0) {
    std::fclose(fdopen(mkstemp(path.data()), "w"));
  }
  path = co_await lamellar::broadcast(world, path);
  std::vector<std::string> own;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    own.push_back(fmt::format("{:x}", (k * world.size() + world.me().index()) * 7919 % 65537));
  }
  const auto lines = co_await lamellar::segments<std::string>::create(world, std::move(own));
  co_await io::write_lines(lines, path);
  auto sorting = sort_lines(world, {path}, path);
  co_await sorting;
  auto reading = io::read_lines(world, {path});
  const auto sorted = co_await reading;
  const bool right = sorted.size() == lines.size() && co_await lamellar::is_sorted(sorted);
  co_await world.barrier();
  if (world.me().index() == 0) std::filesystem::remove(path);
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) {
  std::vector<std::string> files(argv + 1, argv + argc);
  const bool by_record = !files.empty() && files.front() == "--records";
  if (by_record) files.erase(files.begin());
  if (files.size() == 1 || (by_record && files.empty())) {
    fmt::print(stderr, "usage: sort_file [--records] INPUT... OUTPUT\n");
    return 2;
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) -> lamellar::task<int> {
    if (files.empty()) {
      co_return co_await sort_own_lines(world);
    }
    std::vector<std::string> inputs(files.begin(), files.end() - 1);
    if (by_record) {
      co_await sort_records(world, std::move(inputs), files.back());
    } else {
      co_await sort_lines(world, std::move(inputs), files.back());
    }
    co_return 0;
  });
}
