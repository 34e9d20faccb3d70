// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <lamellar/algorithms/io/csv.hpp>

namespace lamellar::io {

namespace {

std::uint64_t first_look(const file_range& range) {
  return range.begin == 0 ? 0 : range.begin - 1;
}

}  // namespace

std::uint64_t count_quotes(const file_range& range, const csv_options& how,
                           const read_options& options) {
  file_window window{range, range.begin, options};
  std::uint64_t quotes = 0;
  char* at = window.end();
  while (window.offset(at) < range.starts_end()) {
    if (at == window.end() && !window.grow(at)) {
      break;
    }
    at = window.begin();
    char* const limit = window.at(range.starts_end());
    quotes += static_cast<std::uint64_t>(std::count(at, limit, how.quote));
    at = limit;
  }
  return quotes;
}

csv_reader::csv_reader(const file_range& range, bool in_quotes, const csv_options& how,
                       const read_options& options)
    : window_{range, first_look(range), options},
      path_{range.path},
      range_end_{range.starts_end()},
      how_{how},
      at_{window_.end()} {
  // Pass over the rest of a row that began before this range. The byte before it tells whether
  // one ends there.
  bool in_earlier_row = range.begin != 0;
  bool before_range = in_earlier_row;
  while (in_earlier_row && window_.offset(at_) < range_end_) {
    if (at_ == window_.end()) {
      if (!window_.grow(at_)) {
        break;
      }
      at_ = window_.begin();
    }
    const char byte = *at_++;
    if (before_range) {
      before_range = false;  // its quote counts as one before the range
    } else if (byte == how_.quote) {
      in_quotes = !in_quotes;
    }
    in_earlier_row = byte != '\n' || in_quotes;
  }
}

/// The row at at_ up to its line end, which may lie beyond the range.
bool csv_reader::find_end(std::size_t& length) {
  bool in_quotes = false;
  for (std::size_t searched = 0;;) {
    for (char* const end = window_.end(); at_ + searched != end; ++searched) {
      const char byte = at_[searched];
      if (byte == how_.quote) {
        in_quotes = !in_quotes;
      } else if (byte == '\n' && !in_quotes) {
        length = searched;
        return true;
      }
    }
    const std::uint64_t begin = window_.offset(at_);
    const bool more = window_.grow(at_);
    at_ = window_.begin();
    if (!more) {
      if (in_quotes) {
        throw file_error(path_, fmt::format("the row at byte {} has a quoted field that does "
                                            "not end; write quotes within fields twice",
                                            begin));
      }
      length = searched;
      return searched != 0;
    }
  }
}

bool csv_reader::next(csv_row& row) {
  if (window_.offset(at_) >= range_end_) {
    return false;
  }
  std::size_t length = 0;
  if (!find_end(length)) {
    at_ = window_.end();
    return false;
  }
  std::string_view text{at_, length};
  at_ += length;
  if (at_ != window_.end()) {
    ++at_;  // the line end
  }
  if (text.ends_with('\r')) {
    text.remove_suffix(1);
  }
  take_fields(text, row);
  return true;
}

void csv_reader::take_fields(std::string_view text, csv_row& row) const {
  row.clear();
  for (;;) {
    std::string& field = row.emplace_back();
    if (text.starts_with(how_.quote)) {
      text.remove_prefix(1);
      for (;;) {
        // An even number of quotes was found: there is one.
        const std::size_t quote = text.find(how_.quote);
        field.append(text.substr(0, quote));
        text.remove_prefix(quote + 1);
        if (!text.starts_with(how_.quote)) {
          break;
        }
        field += how_.quote;
        text.remove_prefix(1);
      }
      if (!text.empty() && !text.starts_with(how_.separator)) {
        throw file_error(path_, fmt::format("a quoted field is followed by '{}'; only a "
                                            "separator or a line end may come after its quote",
                                            text.substr(0, 20)));
      }
    } else {
      field = text.substr(0, text.find(how_.separator));
      text.remove_prefix(field.size());
    }
    if (text.empty()) {
      return;
    }
    text.remove_prefix(1);
  }
}

void append_csv(std::string& to, const csv_row& row, const csv_options& how) {
  bool first = true;
  for (const std::string& field : row) {
    if (!first) {
      to += how.separator;
    }
    first = false;
    const bool plain = std::none_of(field.begin(), field.end(), [&how](char c) {
      return c == how.separator || c == how.quote || c == '\n' || c == '\r';
    });
    if (plain) {
      to += field;
      continue;
    }
    to += how.quote;
    for (const char c : field) {
      to.append(c == how.quote ? 2 : 1, c);
    }
    to += how.quote;
  }
  to += '\n';
}

}  // namespace lamellar::io
