// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/file_window.hpp>
#include <optional>
#include <string_view>

// The lines and the words of a byte range: exactly those that begin in it.
//
// Whatever way split() and pieces() cut a file, every line and every word of it is found by one
// reader, once. Text is bytes here: no locale, no encoding. UTF-8 passes unharmed through lines
// and through words of `not_blank`.
//
// A text without a single line end still divides by words; by lines it has one, which goes to
// one part.
//
// Thread-safety: none; one reader belongs to one thread. Views hold until the next call of
// next().
namespace lamellar::io {

/// Which bytes words are made of, and what each becomes: byte b turns into to[b], and where
/// that is 0, b separates words.
struct alphabet {
  std::array<char, 256> to{};

  constexpr char operator[](char byte) const noexcept {
    return to[static_cast<unsigned char>(byte)];
  }
};

/// The words of `tr -cs A-Za-z '\n' | tr A-Z a-z` in the C locale: runs of ASCII letters, in
/// lower case. All else separates, bytes of 0x80 and above included.
inline constexpr alphabet ascii_letters = [] {
  alphabet result;
  for (char c = 'a'; c <= 'z'; ++c) {
    result.to[static_cast<std::size_t>(c)] = c;
    result.to[static_cast<std::size_t>(c - 'a' + 'A')] = c;
  }
  return result;
}();

/// Words between blanks, unchanged: space, tab, line feed, vertical tab, form feed, carriage
/// return and NUL separate.
inline constexpr alphabet not_blank = [] {
  alphabet result;
  for (std::size_t byte = 0; byte < result.to.size(); ++byte) {
    result.to[byte] = static_cast<char>(byte);
  }
  for (char blank : {' ', '\t', '\n', '\v', '\f', '\r'}) {
    result.to[static_cast<std::size_t>(blank)] = 0;
  }
  return result;
}();

/// Hand out the lines that begin in a range, one by one.
///
/// A line ends with LF or CR LF, neither of which is part of it, or with the file. A CR
/// elsewhere is a byte like others.
///
/// Throws: file_error, from the constructor and from next().
class line_reader {
 public:
  explicit line_reader(const file_range& range, const read_options& options = {});

  /// The next line, or nothing after the last.
  std::optional<std::string_view> next();

 private:
  file_window window_;
  std::uint64_t range_end_;
  char* at_;  // where the next line begins
};

/// Hand out the words that begin in a range, one by one, translated by an alphabet.
///
/// Throws: file_error, from the constructor and from next().
class word_reader {
 public:
  explicit word_reader(const file_range& range, const alphabet& letters,
                       const read_options& options = {});

  /// The next word, or nothing after the last. No word is empty.
  std::optional<std::string_view> next() {
    char* first = at_;
    while (first < starts_end_ && letters_[*first] == 0) {
      ++first;
    }
    char* last = first;
    while (last != window_end_) {
      const char letter = letters_[*last];
      if (letter == 0) {
        break;
      }
      *last++ = letter;
    }
    if (last == window_end_ || first >= starts_end_) {
      return next_across_windows(first, last);
    }
    at_ = last;
    return std::string_view(first, static_cast<std::size_t>(last - first));
  }

 private:
  std::optional<std::string_view> next_across_windows(char* first, char* last);
  bool refill(const char* keep);

  file_window window_;
  std::uint64_t range_end_;
  alphabet letters_;
  char* at_;  // no byte of the next word lies before it; beyond starts_end_ after the last word
  char* starts_end_;  // words that begin here or later are another reader's, or in the next
                      // window
  char* window_end_;
};

/// Call `f(line)` for every line that begins in `range`, in order. As line_reader.
template <class F>
void for_each_line(const file_range& range, F&& f) {
  line_reader lines(range);
  while (auto line = lines.next()) {
    f(*line);
  }
}

/// Call `f(word)` for every word that begins in `range`, in order. As word_reader.
template <class F>
void for_each_word(const file_range& range, const alphabet& letters, F&& f) {
  word_reader words(range, letters);
  while (auto word = words.next()) {
    f(*word);
  }
}

}  // namespace lamellar::io
