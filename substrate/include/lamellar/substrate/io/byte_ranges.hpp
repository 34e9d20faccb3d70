// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/lamellae/error.hpp>
#include <limits>
#include <span>
#include <string>
#include <vector>

// Divides files over PEs by bytes, without reading them.
//
// The files count as one long row of bytes; every part gets an equal stretch of it, wherever
// that cuts. No line and no word is lost or counted twice, because the readers of
// <lamellar/substrate/io/text.hpp> follow one rule: what begins in a range belongs to it. A
// reader passes over the rest of a line or word that began earlier, and reads past the end of
// its range to finish one that began inside. So a range may be cut again, at any byte, and the
// rule holds for the pieces; a new file always begins a new line and a new word.
//
// A file that gzip has compressed cannot be cut: it goes as a whole to the part in whose
// stretch its middle lies, so that several such files are dealt out by file, in their order.
// Readers decompress it on the way. Such a file is known by its first bytes, not by its name.
//
// All PEs must pass the same files in the same order. Everything here is a pure function of its
// arguments, except inspect(), which asks the file system. Threads: any.
namespace lamellar::io {

/// Say that a file cannot be used as input. The text names the file, what is wrong with it and
/// what to do.
class file_error : public error {
 public:
  file_error(std::string path, const std::string& what);
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// A file and its size in bytes when it was inspected.
struct input_file {
  std::string path;
  std::uint64_t size = 0;
  bool compressed = false;  ///< by gzip; `size` is that of the compressed file

  bool operator==(const input_file&) const = default;
};

/// The bytes [begin, end) of a file that had `file_size` bytes when it was inspected; all that
/// it holds, where it is compressed.
struct file_range {
  std::string path;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t file_size = 0;
  bool compressed = false;
  std::size_t file = 0;  ///< which of the files that were divided it is

  /// Where in the text the last line, word or row has begun, at the latest: what begins there
  /// or later is none of this range.
  std::uint64_t starts_end() const noexcept {
    if (begin >= end) return 0;
    return compressed ? std::numeric_limits<std::uint64_t>::max() : end;
  }
  std::uint64_t size() const noexcept { return end - begin; }
  bool operator==(const file_range&) const = default;
};

/// Look up the size of `path` and make sure that it can be read and divided.
///
/// Symbolic links are followed. Not everything that can be opened has bytes that can be
/// divided: directories, pipes, sockets and devices are refused, and so are files that hide
/// their size, as those in /proc do; and so is a file whose name ends in .gz and that gzip has
/// not written.
///
/// Cost: one stat, one open, and one read of 4 bytes. Throws: file_error.
input_file inspect(const std::string& path);

/// Inspect every one of `paths`, in that order. A path given twice counts twice.
std::vector<input_file> inspect(std::span<const std::string> paths);

/// The number of bytes in all `files` together. Throws: file_error when it is 2^64 or more.
std::uint64_t total_bytes(std::span<const input_file> files);

/// All of a file.
file_range whole(const input_file& file);

/// The ranges of part number `part` out of `parts`, in order of the files; empty when there are
/// fewer bytes than parts.
///
/// Shapes: the parts differ by at most one byte, the first ones being the larger, where no file
/// is compressed; together they are all bytes of all files, in order, each once. No range is
/// empty. Cost: O(files). Not
/// collective. Threads: any. Requires: part < parts. Throws: error otherwise; file_error as
/// total_bytes().
std::vector<file_range> split(std::span<const input_file> files, std::uint64_t parts,
                              std::uint64_t part);

/// Cut `range` into pieces of at most `piece_bytes` bytes, in order: to report progress, or to
/// share the work. What is compressed stays one piece.
///
/// Requires: piece_bytes > 0. Throws: error otherwise.
std::vector<file_range> pieces(const file_range& range, std::uint64_t piece_bytes);

/// Cut every one of `ranges` into such pieces, in order.
std::vector<file_range> pieces(std::span<const file_range> ranges, std::uint64_t piece_bytes);

}  // namespace lamellar::io
