// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/file_window.hpp>
#include <string>
#include <string_view>
#include <vector>

// The rows of comma-separated values in a byte range: exactly those that begin in it.
//
// As RFC 4180 has it: a row ends with LF or CR LF, or with the file; fields are separated by
// commas; a field in quotes may hold all of these, and quotes, doubled. Quotes stand around
// whole fields and nowhere else. Bytes are not looked at otherwise: UTF-8 passes unharmed.
//
// Whether a byte lies in a quoted field depends on all quotes before it. A reader must be told
// of those before its range: count_quotes() counts those of a range.
//
// Thread-safety: none; one reader belongs to one thread.
namespace lamellar::io {

/// How rows are written. `separator` and `quote` are not line ends, and differ.
struct csv_options {
  char separator = ',';
  char quote = '"';
  /// The first row of each file names the columns, and is left out; written files get none.
  bool header = false;
};

/// The fields of a row. An empty line is a row with one empty field.
using csv_row = std::vector<std::string>;

/// The number of quotes in a range. Cost: reads it. Throws: file_error.
std::uint64_t count_quotes(const file_range& range, const csv_options& how = {},
                           const read_options& options = {});

class csv_reader {
 public:
  /// `in_quotes`: whether an odd number of quotes lies before the range in its file. Throws:
  /// file_error.
  csv_reader(const file_range& range, bool in_quotes, const csv_options& how = {},
             const read_options& options = {});

  /// Whether there is one more row; then it is `row`. Throws: file_error, where a quoted field
  /// does not end with the file, or is followed by anything but a separator or line end.
  bool next(csv_row& row);

 private:
  bool find_end(std::size_t& length);
  void take_fields(std::string_view text, csv_row& row) const;

  file_window window_;
  std::string path_;
  std::uint64_t range_end_;
  csv_options how_;
  char* at_;  // where the next row begins
};

/// Append a row and its line end, with quotes where they are needed.
void append_csv(std::string& to, const csv_row& row, const csv_options& how = {});

}  // namespace lamellar::io
