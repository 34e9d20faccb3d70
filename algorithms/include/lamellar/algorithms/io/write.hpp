// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lamellar/algorithms/detail/row_in_order.hpp>
#include <lamellar/algorithms/distributed_range.hpp>
#include <lamellar/algorithms/io/csv.hpp>
#include <lamellar/containers/detail/together.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// Elements of a distributed range written to files by all members together, in the order of
// their indices: what <lamellar/algorithms/io/read.hpp> reads.
//
// One file, of which each member writes its part at its place, all at once; or one file for
// each member, with its position at the end of the name, as in "out.00003", whose contents
// follow each other.
//
// Collective; begins with a quiesce of the team. One file must be on a file system that all
// members see. What was in a file before is gone. Throws: file_error where something cannot be
// written; then remote_error, with its text, on the other members; files may be incomplete.
// Threads: the body.
namespace lamellar::io {

enum class output { one_file, file_per_member };

/// Write each element, a std::string, and LF.
///
/// Cost: each element is looked at twice; an exclusive scan, and two all_reduces.
template <distributed_range R>
  requires std::same_as<element_of<R>, std::string> task<> write_lines(
      const R& range, std::string path, output how = output::one_file,
      std::source_location where = std::source_location::current());

/// Write each element as a row; with quotes where they are needed.
template <distributed_range R>
  requires std::same_as<element_of<R>, csv_row> task<> write_csv(
      const R& range, std::string path, csv_options options = {}, output how = output::one_file,
      std::source_location where = std::source_location::current());

/// Write each element as it lies in memory here.
template <distributed_range R>
  requires bitwise<element_of<R>> task<> write_records(
      const R& range, std::string path, output how = output::one_file,
      std::source_location where = std::source_location::current());

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

using lamellar::detail::attempt;
using lamellar::detail::end_together;
using lamellar::detail::located_team;

/// Make a file of so many bytes, all zero. Throws: file_error.
void make_file(const std::string& path, std::uint64_t bytes);
/// The file of one member.
std::string path_of_member(const std::string& path, std::uint32_t position);

/// Writes bytes one after the other, from some place of a file on.
class file_part {
 public:
  /// Throws: file_error.
  file_part(std::string path, std::uint64_t first);
  file_part(const file_part&) = delete;
  file_part& operator=(const file_part&) = delete;
  ~file_part();

  /// Throws: file_error.
  void write(std::string_view bytes);
  /// Throws: file_error, where what was written did not reach the file.
  void close();

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t at_;
};

struct keep_any {
  std::uint8_t operator()(std::uint8_t a, std::uint8_t) const { return a; }
};

/// Write what `append(text, element)` makes of the elements. Collective.
template <class R, class Append>
task<> write_range(R range, std::string path, output how, Append append,
                   std::source_location where) {
  using T = element_of<R>;
  using maybe_done = std::optional<std::uint8_t>;
  const R mine = std::move(range);
  const located_team of{mine.members(), where};
  auto settling = of.value.quiesce(where);
  co_await settling;
  auto opening = open_to_read(mine, where);
  auto segment = co_await opening;
  auto ordering = lamellar::detail::in_order(of, mine, segment.local());
  const auto row = co_await ordering;
  std::string text;
  std::uint64_t bytes = 0;
  for (const T& each : row.elements()) {
    text.clear();
    append(text, each);
    bytes += text.size();
  }
  const std::uint32_t here = of.value.position().index();
  const bool one = how == output::one_file;
  auto scanning = exclusive_scan(of, bytes, std::uint64_t{0});
  const std::uint64_t first = co_await scanning;
  auto adding = all_reduce(of, bytes);
  const std::uint64_t all = co_await adding;
  std::exception_ptr thrown;
  auto made = attempt<std::uint8_t>(of, thrown, [&]() -> maybe_done {
    if (!one) {
      make_file(path_of_member(path, here), bytes);
    } else if (here == 0) {
      make_file(path, all);
    }
    return std::nullopt;
  });
  auto agreeing = end_together(of, std::move(made), thrown, keep_any{}, "lamellar::io::write");
  co_await agreeing;
  auto done = attempt<std::uint8_t>(of, thrown, [&]() -> maybe_done {
    constexpr std::size_t at_a_time = std::size_t{1} << 20;
    file_part part{one ? path : path_of_member(path, here), one ? first : 0};
    text.clear();
    for (const T& each : row.elements()) {
      append(text, each);
      if (text.size() >= at_a_time) {
        part.write(text);
        text.clear();
      }
    }
    part.write(text);
    part.close();
    return std::nullopt;
  });
  segment.close();
  auto ending = end_together(of, std::move(done), thrown, keep_any{}, "lamellar::io::write");
  co_await ending;
}

}  // namespace detail

template <distributed_range R>
  requires std::same_as<element_of<R>, std::string> task<> write_lines(
      const R& range, std::string path, output how, std::source_location where) {
    const auto append = [](std::string& to, const std::string& line) {
      to += line;
      to += '\n';
    };
    return detail::write_range(range, std::move(path), how, append, where);
  }

template <distributed_range R>
  requires std::same_as<element_of<R>, csv_row> task<> write_csv(const R& range,
                                                                 std::string path,
                                                                 csv_options options,
                                                                 output how,
                                                                 std::source_location where) {
    const auto append = [options](std::string& to, const csv_row& row) {
      append_csv(to, row, options);
    };
    return detail::write_range(range, std::move(path), how, append, where);
  }

template <distributed_range R>
  requires bitwise<element_of<R>> task<> write_records(const R& range, std::string path,
                                                       output how, std::source_location where) {
    const auto append = [](std::string& to, const element_of<R>& record) {
      to.append(reinterpret_cast<const char*>(&record), sizeof record);
    };
    return detail::write_range(range, std::move(path), how, append, where);
  }

}  // namespace lamellar::io
