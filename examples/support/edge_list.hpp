// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <lamellar/lamellar.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "progress.hpp"

// Graphs in files of edges, for the examples: every PE reads its share of the bytes.
//
// A line is an edge: the numbers of two vertices, below 4294967295, between blanks, commas or
// semicolons; what follows them is passed over. Empty lines and lines that begin with #, % or
// // are comments. Others are bad, and are reported with file and line.
namespace edge_list {

namespace io = lamellar::io;

using vertex = std::uint32_t;
using edge = std::pair<vertex, vertex>;

inline constexpr std::string_view blanks = " \t\r,;";

enum class line_kind { good, comment, bad };

inline line_kind parse(std::string_view line, edge& result) {
  const auto skip_blanks = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  };
  const auto number = [&](vertex& value) {
    skip_blanks();
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    // A number ends where a blank or the line does; the greatest leaves no room for the count.
    return error == std::errc{} && value != ~vertex{0} &&
           (line.empty() || blanks.find(line.front()) != std::string_view::npos);
  };
  skip_blanks();
  if (line.empty() || line.front() == '#' || line.front() == '%' || line.starts_with("//")) {
    return line_kind::comment;
  }
  return number(result.first) && number(result.second) ? line_kind::good : line_kind::bad;
}

// What one PE has read.
struct share {
  std::vector<edge> edges;
  std::vector<std::uint64_t> lines;  // of each file
  struct bad_line {
    std::uint64_t file;
    std::uint64_t line;  // in this PE's part of the file, from 0 on
    std::string text;
  };
  std::vector<bad_line> bad;
  std::uint64_t bad_lines = 0;
};

inline share read_share(lamellar::world& world, const std::vector<io::input_file>& files) {
  share mine;
  mine.lines.resize(files.size());
  const auto pieces = io::pieces(io::split(files, world.size(), world.me().index()), 1 << 18);
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const std::size_t file = pieces[k].file;
    io::for_each_line(pieces[k], [&](std::string_view line) {
      edge ends;
      switch (parse(line, ends)) {
        case line_kind::good:
          mine.edges.push_back(ends);
          break;
        case line_kind::bad:
          if (mine.bad_lines++ < 10) {
            mine.bad.push_back({file, mine.lines[file], std::string{line.substr(0, 40)}});
          }
          break;
        case line_kind::comment:
          break;
      }
      ++mine.lines[file];
    });
    if (world.me().index() == 0) show_progress(k + 1, pieces.size());
  }
  return mine;
}

// Say what is wrong with which lines, on PE 0; return how many there are, on all.
inline std::uint64_t report_bad_lines(lamellar::world& world, const share& mine,
                                      const std::vector<io::input_file>& files) {
  const auto all = lamellar::all_reduce(world, mine.bad_lines).get();
  if (all == 0) return 0;
  const auto lines = lamellar::all_gather(world, mine.lines).get();
  std::vector<std::string> texts;
  for (const share::bad_line& bad : mine.bad) {
    std::uint64_t number = bad.line + 1;
    for (std::uint32_t pe = 0; pe < world.me().index(); ++pe) number += lines[pe][bad.file];
    texts.push_back(fmt::format("{}:{}: this is not an edge: {}\n", files[bad.file].path,
                                number, bad.text));
  }
  std::uint64_t told = 0;
  for (const auto& some : lamellar::gather(world, texts).get()) {
    for (const std::string& text : some) {
      if (told++ < 10) fmt::print(stderr, "{}", text);
    }
  }
  if (world.me().index() == 0) fmt::print(stderr, "{} bad lines in all\n", all);
  return all;
}

/// The edges of this PE's share of the files. Nothing, on all PEs, if there are bad lines that
/// are not to be skipped: PE 0 has then said so. Collective.
inline std::optional<std::vector<edge>> read(lamellar::world& world,
                                             const std::vector<std::string>& paths,
                                             const char* program, bool skips_bad_lines) {
  const auto files = io::inspect(paths);
  share mine = read_share(world, files);
  if (report_bad_lines(world, mine, files) != 0 && !skips_bad_lines) {
    if (world.me().index() == 0) {
      fmt::print(stderr, "{}: correct them, or use --skip-bad-lines\n", program);
    }
    return std::nullopt;
  }
  return std::move(mine.edges);
}

/// One more than the greatest number of a vertex; 0 if there are no edges. Collective.
inline std::uint64_t count_vertices(lamellar::world& world, const std::vector<edge>& edges) {
  std::uint64_t n = 0;
  for (const auto& [a, b] : edges)
    n = std::max({n, a + std::uint64_t{1}, b + std::uint64_t{1}});
  const auto larger = [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); };
  return lamellar::all_reduce(world, n, larger).get();
}

}  // namespace edge_list
