// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/detail/failure_log.hpp>
#include <lamellar/substrate/error.hpp>
#include <mutex>
#include <sstream>
#include <utility>

namespace lamellar::detail {

void failure_log::add(std::uint64_t more, const failure& one) {
  if (count == 0 && more != 0) {
    first = one;
  }
  count += more;
}

void failure_log::rethrow() const {
  if (count != 0) {
    throw remote_error(first.on, first.handler, first.text, count);
  }
}

std::vector<std::byte> bytes_of_log(const failure_log& log) {
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}", log.count, log.first.on, log.first.handler, log.first.text);
  const auto* const bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

failure_log sum_of_logs(std::span<const std::vector<std::byte>> logs) {
  failure_log sum;
  for (const std::vector<std::byte>& one : logs) {
    std::istringstream in{std::string(reinterpret_cast<const char*>(one.data()), one.size())};
    std::uint64_t count = 0;
    failure first;
    in >> count >> first.on;
    in.ignore();
    std::getline(in, first.handler);
    std::getline(in, first.text, '\0');
    sum.add(count, first);
  }
  return sum;
}

void failure_collector::add(std::uint64_t more, const failure& one) {
  const std::lock_guard guard{lock_};
  log_.add(more, one);
}

std::uint64_t failure_collector::count() {
  const std::lock_guard guard{lock_};
  return log_.count;
}

failure_log failure_collector::take() {
  const std::lock_guard guard{lock_};
  return std::exchange(log_, failure_log{});
}

}  // namespace lamellar::detail
