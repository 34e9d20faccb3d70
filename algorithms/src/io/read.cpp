// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <fstream>
#include <lamellar/algorithms/io/read.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/io/text.hpp>

namespace lamellar::io {

namespace detail {

namespace {

[[noreturn]] void refuse_records(const std::string& path, std::uint64_t bytes,
                                 std::uint64_t record_bytes) {
  throw file_error(path,
                   fmt::format("its {} bytes are no multiple of the {} of a record; it holds "
                               "other records, or was cut",
                               bytes, record_bytes));
}

}  // namespace

void read_bytes(const std::string& path, std::uint64_t first, void* to, std::uint64_t bytes) {
  if (bytes == 0) {
    return;
  }
  std::ifstream file{path, std::ios::binary};
  file.seekg(static_cast<std::streamoff>(first));
  file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
  if (!file) {
    throw file_error(path, fmt::format("bytes {} to {} cannot be read; do not write to input "
                                       "files during a run",
                                       first, first + bytes));
  }
}

void read_compressed(const file_range& range, std::uint64_t record_bytes,
                     const std::function<void(const char*, std::size_t)>& take) {
  file_window window{range, 0, {}};
  std::size_t rest = 0;
  while (window.grow(window.end() - rest)) {
    const auto there = static_cast<std::size_t>(window.end() - window.begin());
    rest = there % record_bytes;
    take(window.begin(), there / record_bytes);
  }
  if (rest != 0) {
    refuse_records(range.path, window.offset(window.end()), record_bytes);
  }
}

void check_records(const input_file& file, std::uint64_t record_bytes) {
  if (!file.compressed && file.size % record_bytes != 0) {
    refuse_records(file.path, file.size, record_bytes);
  }
}

namespace {

std::vector<file_range> own_ranges(const located_team& of,
                                   const std::vector<std::string>& paths) {
  const std::vector<input_file> files = inspect(std::span<const std::string>{paths});
  return split(files, of.value.size(), of.value.position().index());
}

/// Whether a number of quotes is odd, counted from the beginning of the last file that begins
/// in a stretch of bytes, or from that of the stretch.
struct quote_state {
  bool odd = false;
  bool has_beginning = false;

  struct join {
    quote_state operator()(const quote_state& a, const quote_state& b) const {
      return b.has_beginning ? b : quote_state{a.odd != b.odd, a.has_beginning};
    }
  };
};

quote_state quotes_in(const std::vector<file_range>& ranges, const csv_options& how,
                      const read_options& options) {
  quote_state all;
  for (const file_range& each : ranges) {
    // A compressed file is whole, and what follows it begins a file.
    const bool odd = !each.compressed && count_quotes(each, how, options) % 2 == 1;
    const quote_state one{odd, each.begin == 0};
    all = quote_state::join{}(all, one);
  }
  return all;
}

std::vector<csv_row> rows_in(const std::vector<file_range>& ranges, bool in_quotes,
                             const csv_options& how, const read_options& options) {
  std::vector<csv_row> rows;
  csv_row row;
  for (const file_range& each : ranges) {
    csv_reader reader{each, each.begin != 0 && in_quotes, how, options};
    bool skips = how.header && each.begin == 0;
    while (reader.next(row)) {
      if (!skips) {
        rows.push_back(std::move(row));
      }
      skips = false;
    }
  }
  return rows;
}

task<segments<csv_row>> read_rows(located_team of, std::vector<std::string> paths,
                                  csv_options how, read_options options) {
  std::vector<file_range> ranges;
  std::exception_ptr thrown;
  auto counting = attempt<quote_state>(of, thrown, [&] {
    ranges = own_ranges(of, paths);
    return std::optional{quotes_in(ranges, how, options)};
  });
  const quote_state own = counting.value.value;
  auto agreeing = end_together(of, std::move(counting), thrown, quote_state::join{},
                               "lamellar::io::read_csv");
  co_await agreeing;
  auto scanning = exclusive_scan(of, own, quote_state{}, quote_state::join{});
  const quote_state before = co_await scanning;
  const auto read = [&] { return rows_in(ranges, before.odd, how, options); };
  auto reading = read_together<csv_row>(of, read);
  co_return co_await reading;
}

std::vector<std::string> lines_in(const std::vector<file_range>& ranges,
                                  const read_options& options) {
  std::vector<std::string> lines;
  for (const file_range& each : ranges) {
    line_reader reader{each, options};
    while (const auto line = reader.next()) {
      lines.emplace_back(*line);
    }
  }
  return lines;
}

}  // namespace
}  // namespace detail

task<segments<std::string>> read_lines(lamellar::detail::located_team of,
                                       std::vector<std::string> paths, read_options options) {
  const auto read = [of, paths = std::move(paths), options] {
    return detail::lines_in(detail::own_ranges(of, paths), options);
  };
  return detail::read_together<std::string>(of, read);
}

task<segments<csv_row>> read_csv(lamellar::detail::located_team of,
                                 std::vector<std::string> paths, csv_options how,
                                 read_options options) {
  return detail::read_rows(std::move(of), std::move(paths), how, options);
}

}  // namespace lamellar::io
