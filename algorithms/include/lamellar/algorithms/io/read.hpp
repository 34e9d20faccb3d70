// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/algorithms/io/csv.hpp>
#include <lamellar/algorithms/segments.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/file_window.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Files read by all members of a team together, as elements of a distributed range: lines, rows
// of comma-separated values, binary records.
//
//   const auto words = co_await io::read_lines(world, {"words.txt", "more.txt"});
//
// The files count as one long row of bytes, of which each member reads an equal stretch; what
// begins in a stretch belongs to it, so that nothing is lost or counted twice, wherever it is
// cut. Elements are in the order of the files, for any number of members. Files that gzip has
// compressed, which their first bytes tell, are read each by one member and decompressed on the
// way; several of them are dealt out.
//
// Tasks; collective: all members pass the same paths in the same order, and can open them.
// Throws: file_error where something cannot be read; then remote_error, with its text, on the
// other members. Threads: the body.
namespace lamellar::io {

/// The lines of the files, without their ends, which are LF or CR LF; the last may have none.
///
/// Cost: each byte is read once; an all_reduce and an all_gather. Memory: the lines.
task<segments<std::string>> read_lines(lamellar::detail::located_team of,
                                       std::vector<std::string> paths,
                                       read_options options = {});

/// The rows of the files, by <lamellar/algorithms/io/csv.hpp>.
///
/// Cost: each byte is read twice, first for the quotes alone; a scan in between. Memory: the
/// rows.
task<segments<csv_row>> read_csv(lamellar::detail::located_team of,
                                 std::vector<std::string> paths, csv_options how = {},
                                 read_options options = {});

/// The records of the files, as they lie in memory here: one after the other, of sizeof(T)
/// bytes each.
///
/// Cost: each byte is read once. Throws: file_error also where a file ends within a record.
template <bitwise T>
task<segments<T>> read_records(lamellar::detail::located_team of,
                               std::vector<std::string> paths);

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

using lamellar::detail::attempt;
using lamellar::detail::end_together;
using lamellar::detail::located_team;

/// Read bytes [first, first + bytes) of a file. Throws: file_error.
void read_bytes(const std::string& path, std::uint64_t first, void* to, std::uint64_t bytes);

/// Hand out the records of a compressed file, run by run. Throws: file_error, also where it
/// ends within a record.
void read_compressed(const file_range& range, std::uint64_t record_bytes,
                     const std::function<void(const char*, std::size_t)>& take);

/// Ends with file_error if an uncompressed file does not consist of whole records.
void check_records(const input_file& file, std::uint64_t record_bytes);

struct first_result {
  std::uint8_t operator()(std::uint8_t a, std::uint8_t) const { return a; }
};

/// What `read()` gives on each member, or what it throws on one, on all. Collective.
template <class T, class Read>
task<segments<T>> read_together(located_team of, Read read) {
  std::vector<T> own;
  std::exception_ptr thrown;
  auto done = attempt<std::uint8_t>(of, thrown, [&]() -> std::optional<std::uint8_t> {
    own = read();
    return std::nullopt;
  });
  auto ending = end_together(of, std::move(done), thrown, first_result{}, "lamellar::io::read");
  co_await ending;
  auto making = segments<T>::create(of, std::move(own));
  co_return co_await making;
}

template <class T>
std::vector<T> read_own_records(const located_team& of, const std::vector<std::string>& paths) {
  const std::vector<input_file> files = inspect(std::span<const std::string>{paths});
  for (const input_file& each : files) {
    check_records(each, sizeof(T));
  }
  std::vector<T> own;
  for (const file_range& each : split(files, of.value.size(), of.value.position().index())) {
    if (each.compressed) {
      read_compressed(each, sizeof(T), [&own](const char* records, std::size_t n) {
        const std::size_t before = own.size();
        own.resize(before + n);
        if (n != 0) {
          std::memcpy(own.data() + before, records, n * sizeof(T));
        }
      });
      continue;
    }
    // Records that begin in the range.
    const std::uint64_t first = (each.begin + sizeof(T) - 1) / sizeof(T);
    const std::uint64_t last = (each.end + sizeof(T) - 1) / sizeof(T);
    const std::size_t before = own.size();
    own.resize(before + (last - first));
    read_bytes(each.path, first * sizeof(T), own.data() + before, (last - first) * sizeof(T));
  }
  return own;
}

}  // namespace detail

template <bitwise T>
task<segments<T>> read_records(lamellar::detail::located_team of,
                               std::vector<std::string> paths) {
  const auto read = [of, paths = std::move(paths)] {
    return detail::read_own_records<T>(of, paths);
  };
  return detail::read_together<T>(of, read);
}

}  // namespace lamellar::io
