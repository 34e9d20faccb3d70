// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>
#include <lamellar/substrate/io/text.hpp>

namespace lamellar::io {

namespace {

// A reader looks at the byte before its range: that tells whether a line or word reaches into
// it from before.
std::uint64_t first_look(const file_range& range) {
  return range.begin == 0 ? 0 : range.begin - 1;
}

}  // namespace

line_reader::line_reader(const file_range& range, const read_options& options)
    : window_(range, first_look(range), options),
      range_end_(range.starts_end()),
      at_(window_.end()) {
  // Pass over the rest of a line that began before this range; never look beyond the range for
  // its end.
  bool in_earlier_line = range.begin != 0;
  while (in_earlier_line && window_.offset(at_) < range_end_) {
    if (at_ == window_.end() && !window_.grow(at_)) {
      break;
    }
    char* const limit = window_.at(range_end_);
    char* const first = window_.begin();
    auto* line_end =
        static_cast<char*>(std::memchr(first, '\n', static_cast<std::size_t>(limit - first)));
    in_earlier_line = line_end == nullptr;
    at_ = in_earlier_line ? limit : line_end + 1;
  }
}

std::optional<std::string_view> line_reader::next() {
  if (window_.offset(at_) >= range_end_) {
    return std::nullopt;
  }
  std::size_t searched = 0;
  for (;;) {
    const std::size_t available = static_cast<std::size_t>(window_.end() - at_);
    // The first time round there may be nothing to search yet, and memchr takes no null
    // pointer.
    auto* line_end =
        searched == available
            ? nullptr
            : static_cast<char*>(std::memchr(at_ + searched, '\n', available - searched));
    if (line_end != nullptr) {
      std::string_view line(at_, static_cast<std::size_t>(line_end - at_));
      at_ = line_end + 1;
      if (line.ends_with('\r')) {
        line.remove_suffix(1);
      }
      return line;
    }
    searched = available;
    const bool more = window_.grow(at_);
    at_ = window_.begin();
    if (!more) {
      at_ = window_.end();
      if (searched == 0) {
        return std::nullopt;
      }
      return std::string_view(window_.begin(), searched);
    }
  }
}

word_reader::word_reader(const file_range& range, const alphabet& letters,
                         const read_options& options)
    : window_(range, first_look(range), options),
      range_end_(range.starts_end()),
      letters_(letters),
      at_(window_.end()),
      starts_end_(at_),
      window_end_(at_) {
  // Pass over the rest of a word that began before this range; never look beyond the range for
  // its end.
  bool in_earlier_word = range.begin != 0;
  while (in_earlier_word && window_.offset(at_) < range_end_) {
    if (at_ == starts_end_ && !refill(at_)) {
      break;
    }
    while (at_ != starts_end_ && letters_[*at_] != 0) {
      ++at_;
    }
    in_earlier_word = at_ == starts_end_;
  }
}

// `first` is where the word begins, or where none has begun so far; [first, last) is translated
// already.
std::optional<std::string_view> word_reader::next_across_windows(char* first, char* last) {
  for (;;) {
    if (first >= starts_end_) {
      if (window_.offset(first) >= range_end_ || !refill(first)) {
        at_ = first;
        return std::nullopt;
      }
      first = at_;
      while (first < starts_end_ && letters_[*first] == 0) {
        ++first;
      }
      last = first;
      if (first == starts_end_) {
        continue;
      }
    }
    while (last != window_end_ && letters_[*last] != 0) {
      *last = letters_[*last];
      ++last;
    }
    const std::size_t size = static_cast<std::size_t>(last - first);
    if (last != window_end_ || !refill(first)) {
      at_ = last;
      return std::string_view(first, size);
    }
    first = at_;
    last = first + size;
  }
}

bool word_reader::refill(const char* keep) {
  if (!window_.grow(keep)) {
    return false;
  }
  at_ = window_.begin();
  window_end_ = window_.end();
  starts_end_ = window_.at(range_end_);
  return true;
}

}  // namespace lamellar::io
