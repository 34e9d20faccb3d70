// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <memory>
#include <string>

// A stretch of a file in memory, which moves on through the file: what the readers of lines and
// words stand on.
//
// Bytes are copied by pread, not mapped: when somebody cuts a mapped file short, the reader
// dies by SIGBUS; here it gets a file_error that names the file. The copy may be written to, so
// that a reader can translate words in place.
//
// Of a compressed file it holds what the file is decompressed to, and counts its places in
// that.
//
// Thread-safety: none; one window belongs to one reader.
// Invariant: [begin(), end()) holds the bytes of the file from offset(begin()) on, and never
// more than an uncompressed file had when it was inspected.
namespace lamellar::io {

/// How a range is read. The defaults suit; tests use tiny windows.
struct read_options {
  /// Bytes read at a time.
  std::size_t chunk_bytes = std::size_t{1} << 20;
  /// The longest line or word to accept, since each must fit into memory as a whole.
  std::size_t longest_bytes = std::size_t{1} << 30;
};

class gzip_stream;

class file_window {
 public:
  /// Open the file of `range` and stand at byte `first` with an empty window. Requires: first
  /// <= range.end; first == 0 where the file is compressed. Throws: file_error when it cannot
  /// be opened or has another size than when it was inspected.
  file_window(const file_range& range, std::uint64_t first, const read_options& options);
  file_window(file_window&& other) noexcept;
  file_window& operator=(file_window&&) = delete;
  ~file_window();

  char* begin() noexcept { return begin_; }
  char* end() noexcept { return end_; }

  /// The place in the file of `at`, a pointer into the window or to its end.
  std::uint64_t offset(const char* at) const noexcept {
    return offset_ + static_cast<std::uint64_t>(at - begin_);
  }

  /// The byte at `offset`, or end() when the window does not reach that far. Requires: offset
  /// >= offset(begin()).
  char* at(std::uint64_t offset) noexcept {
    const std::uint64_t distance = offset - offset_;
    return distance < static_cast<std::uint64_t>(end_ - begin_) ? begin_ + distance : end_;
  }

  /// Forget the bytes before `keep` and read some more behind those that remain; false at the
  /// end of the file.
  ///
  /// What remains is then found at begin(); other pointers into the window are void.
  /// Cost: one pread. Throws: file_error when the file cannot be read or became shorter, when
  /// compressed data are damaged, or when more than `longest_bytes` remain.
  bool grow(const char* keep);

 private:
  bool grow_compressed(std::size_t kept);
  void check_length(std::size_t kept) const;
  void make_room(std::size_t kept, std::size_t wanted);

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t range_end_;
  std::uint64_t file_size_;
  read_options options_;
  std::unique_ptr<gzip_stream> compressed_;  // null where the file is not
  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  char* begin_ = nullptr;
  char* end_ = nullptr;
  std::uint64_t offset_;  // of *begin_ in the file
};

}  // namespace lamellar::io
