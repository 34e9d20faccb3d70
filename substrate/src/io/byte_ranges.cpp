// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "gzip_stream.hpp"

namespace lamellar::io {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw file_error(path, why);
}

[[noreturn]] void refuse_by_errno(const std::string& path) {
  refuse(path, std::generic_category().message(errno));
}

void require_regular(const std::string& path, mode_t mode) {
  if (S_ISREG(mode)) {
    return;
  }
  if (S_ISDIR(mode)) {
    refuse(path, "it is a directory; name the files in it");
  }
  const char* kind = S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
  refuse(path, std::string("it is ") + kind +
                   ", whose bytes cannot be divided over PEs; copy them to a file first");
}

// Where part number `part` begins in a row of `total` bytes: the first total mod parts parts
// get one byte more.
std::uint64_t part_begin(std::uint64_t total, std::uint64_t parts, std::uint64_t part) {
  return total / parts * part + std::min(part, total % parts);
}

}  // namespace

file_error::file_error(std::string path, const std::string& what)
    : error("cannot use '" + path + "' as input: " + what), path_(std::move(path)) {}

input_file inspect(const std::string& path) {
  // The kind comes first: opening a pipe would wait for its writer.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    refuse_by_errno(path);
  }
  require_regular(path, status.st_mode);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    refuse_by_errno(path);
  }
  std::array<char, 4> first{};
  const ssize_t got = ::pread(descriptor, first.data(), first.size(), 0);
  ::close(descriptor);
  if (status.st_size == 0 && got > 0) {
    refuse(path, "it has bytes but says that its size is 0; copy it to an ordinary file first");
  }
  const bool compressed =
      got > 0 && is_gzip(std::string_view(first.data(), static_cast<std::size_t>(got)));
  if (!compressed && path.ends_with(".gz")) {
    refuse(path,
           "its name ends in .gz, but it does not begin as gzip writes files; copy it "
           "again, or give it another name");
  }
  return {path, static_cast<std::uint64_t>(status.st_size), compressed};
}

std::vector<input_file> inspect(std::span<const std::string> paths) {
  std::vector<input_file> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) {
    files.push_back(inspect(path));
  }
  return files;
}

std::uint64_t total_bytes(std::span<const input_file> files) {
  std::uint64_t total = 0;
  for (const input_file& file : files) {
    if (file.size > std::numeric_limits<std::uint64_t>::max() - total) {
      refuse(file.path, "with it the input has 2^64 bytes or more; use fewer files");
    }
    total += file.size;
  }
  return total;
}

file_range whole(const input_file& file) {
  return {file.path, 0, file.size, file.size, file.compressed, 0};
}

std::vector<file_range> split(std::span<const input_file> files, std::uint64_t parts,
                              std::uint64_t part) {
  if (part >= parts) {
    throw error("lamellar::io::split: part " + std::to_string(part) + " of " +
                std::to_string(parts) + " does not exist");
  }
  const std::uint64_t total = total_bytes(files);
  const std::uint64_t begin = part_begin(total, parts, part);
  const std::uint64_t end = begin + total / parts + (part < total % parts ? 1 : 0);

  std::vector<file_range> ranges;
  std::uint64_t before = 0;  // bytes in the files up to here
  for (std::size_t k = 0; k < files.size(); ++k) {
    const input_file& file = files[k];
    const std::uint64_t first = std::max(begin, before);
    const std::uint64_t last = std::min(end, before + file.size);
    if (file.compressed) {
      const std::uint64_t middle = before + file.size / 2;
      if (begin <= middle && middle < end) {
        ranges.push_back({file.path, 0, file.size, file.size, true, k});
      }
    } else if (first < last) {
      ranges.push_back({file.path, first - before, last - before, file.size, false, k});
    }
    before += file.size;
  }
  return ranges;
}

std::vector<file_range> pieces(const file_range& range, std::uint64_t piece_bytes) {
  return pieces(std::span(&range, 1), piece_bytes);
}

std::vector<file_range> pieces(std::span<const file_range> ranges, std::uint64_t piece_bytes) {
  if (piece_bytes == 0) {
    throw error("lamellar::io::pieces: a piece must have at least one byte");
  }
  std::vector<file_range> result;
  for (const file_range& range : ranges) {
    if (range.compressed) {
      result.push_back(range);
      continue;
    }
    for (std::uint64_t begin = range.begin; begin != range.end;) {
      const std::uint64_t size = std::min(piece_bytes, range.end - begin);
      result.push_back({range.path, begin, begin + size, range.file_size, false, range.file});
      begin += size;
    }
  }
  return result;
}

}  // namespace lamellar::io
