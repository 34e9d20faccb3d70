// SPDX-License-Identifier: BSD-3-Clause
// The connected components of a graph in files of edges. Every PE reads its share of the bytes
// and unites the two ends of each edge in a disjoint set. The answer is the same on any number
// of PEs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <lamellar/lamellar.hpp>
#include <string>
#include <utility>
#include <vector>

namespace io = lamellar::io;

constexpr const char* usage =
    R"(Usage: connected_components [--top N] [--skip-bad-lines] [FILE...]
Print how many vertices, edges and connected components the graph in FILEs has, and the N
largest components (10): their size, and their least vertex. Without FILE: a small graph that
the program makes.

A line is an edge: the numbers of two vertices, below 4294967295, between blanks, commas or
semicolons; what follows them, such as a weight, is passed over. Empty lines and lines that begin
with #, % or // are comments. Other lines are bad: they are reported with file and line and the
program fails, unless --skip-bad-lines says to leave them out.
)";

using vertex = std::uint32_t;
using edge = std::pair<vertex, vertex>;

constexpr std::string_view blanks = " \t\r,;";

enum class line_kind { good, comment, bad };

line_kind parse(std::string_view line, edge& result) {
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

void show_progress(std::size_t done, std::size_t all) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "\r[{:<40}] {:3}%{}", std::string(done * 40 / all, '#'),
               done * 100 / all, done == all ? "\n" : "");
  }
}

share read_share(lamellar::world& world, const std::vector<io::input_file>& files) {
  share mine;
  mine.lines.resize(files.size());
  std::vector<io::file_range> pieces;
  std::vector<std::size_t> file_of;
  // A path may be given twice: go through the files one by one.
  const std::uint64_t all_bytes = io::total_bytes(files);
  const std::uint64_t begin = all_bytes * world.me().index() / world.size();
  const std::uint64_t end = all_bytes * (world.me().index() + 1) / world.size();
  std::uint64_t before = 0;
  for (std::size_t f = 0; f < files.size(); before += files[f].size, ++f) {
    const std::uint64_t first = std::clamp(begin, before, before + files[f].size) - before;
    const std::uint64_t last = std::clamp(end, before, before + files[f].size) - before;
    if (first == last) continue;
    for (const auto& piece :
         io::pieces(io::file_range{files[f].path, first, last, files[f].size}, 1 << 18)) {
      pieces.push_back(piece);
      file_of.push_back(f);
    }
  }
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    io::for_each_line(pieces[k], [&](std::string_view line) {
      edge ends;
      switch (parse(line, ends)) {
        case line_kind::good:
          mine.edges.push_back(ends);
          break;
        case line_kind::bad:
          if (mine.bad_lines++ < 10) {
            mine.bad.push_back(
                {file_of[k], mine.lines[file_of[k]], std::string{line.substr(0, 40)}});
          }
          break;
        case line_kind::comment:
          break;
      }
      ++mine.lines[file_of[k]];
    });
    if (world.me().index() == 0) show_progress(k + 1, pieces.size());
  }
  return mine;
}

// Say what is wrong with which lines, on PE 0; return how many there are, on all.
std::uint64_t report_bad_lines(lamellar::world& world, const share& mine,
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

struct component {
  std::uint64_t size;
  vertex least;
  bool operator<(const component& other) const {
    return size != other.size ? size > other.size : least < other.least;
  }
};

int find_components(lamellar::world& world, const share& mine, std::size_t top) {
  const auto begin = std::chrono::steady_clock::now();
  vertex greatest = 0;
  for (const auto& [a, b] : mine.edges) greatest = std::max({greatest, a, b});
  const std::uint64_t edges =
      lamellar::all_reduce(world, std::uint64_t{mine.edges.size()}).get();
  const std::size_t n =
      edges == 0
          ? 0
          : std::size_t{1} + lamellar::all_reduce(world, greatest, [](vertex a, vertex b) {
                               return std::max(a, b);
                             }).get();

  const auto sets = lamellar::disjoint_set<vertex>::create(world, n).get();
  sets.unite(mine.edges);
  sets.compress().get();

  // Which numbers are vertices, and how many of them each representative stands for.
  const auto seen = lamellar::atomic_array<std::uint8_t>::create(world, n).get();
  const auto sizes = lamellar::atomic_array<std::uint64_t>::create(world, n).get();
  for (const auto& [a, b] : mine.edges) {
    seen.store(a, std::uint8_t{1});
    seen.store(b, std::uint8_t{1});
  }
  world.quiesce().get();
  for (std::size_t k = 0; k < sets.local_size(); ++k) {
    if (seen.local()[k].load() != 0) sizes.add(sets.local()[k], 1);
  }
  world.quiesce().get();

  std::uint64_t vertices = 0;
  std::vector<component> found;
  for (std::size_t k = 0; k < sizes.local_size(); ++k) {
    if (const std::uint64_t size = sizes.local()[k].load(); size != 0) {
      vertices += size;
      found.push_back({size, static_cast<vertex>(sizes.global_index(k))});
    }
  }
  const auto components = lamellar::all_reduce(world, std::uint64_t{found.size()}).get();
  vertices = lamellar::all_reduce(world, vertices).get();
  std::sort(found.begin(), found.end());
  found.resize(std::min(top, found.size()));
  std::vector<component> largest;
  for (const auto& some : lamellar::gather(world, found).get()) {
    largest.insert(largest.end(), some.begin(), some.end());
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  if (world.me().index() == 0) {
    std::sort(largest.begin(), largest.end());
    largest.resize(std::min(top, largest.size()));
    for (const component& each : largest) fmt::print("{:10} {}\n", each.size, each.least);
    fmt::print("{} vertices, {} edges, {} components\n", vertices, edges, components);
    fmt::print("PEs: {}  time: {:.3f} s  rate: {:.1f} million edges/s\n", world.size(),
               time.count(), static_cast<double>(edges) / 1e6 / time.count());
  }
  return 0;
}

// Rings of 1, 2, ... 100 vertices.
share small_graph(lamellar::world& world) {
  share mine;
  vertex first = 0;
  for (vertex length = 1; length <= 100; first += length, ++length) {
    for (vertex k = 0; k < length; ++k) {
      if ((first + k) % world.size() == world.me().index()) {
        mine.edges.emplace_back(first + k, first + (k + 1) % length);
      }
    }
  }
  return mine;
}

int main(int argc, char** argv) {
  std::size_t top = 10;
  bool skips = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--top" && i + 1 < argc) {
      top = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--skip-bad-lines") {
      skips = true;
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      paths.emplace_back(argument);
    }
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) {
    if (paths.empty()) return find_components(world, small_graph(world), top);
    const auto files = io::inspect(paths);
    const share mine = read_share(world, files);
    if (report_bad_lines(world, mine, files) != 0 && !skips) {
      if (world.me().index() == 0) {
        fmt::print(stderr, "connected_components: correct them, or use --skip-bad-lines\n");
      }
      return 1;
    }
    return find_components(world, mine, top);
  });
}
