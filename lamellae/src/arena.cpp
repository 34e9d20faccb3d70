// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/lamellae/arena.hpp>
#include <lamellar/lamellae/error.hpp>

namespace lamellar::lamellae {

namespace {

constexpr std::size_t page = 4096;
constexpr std::uint32_t usual_depth = 8;
constexpr std::uint32_t least_depth = 4;
constexpr std::size_t least_buffer = 2048;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

}  // namespace

arena_layout arena_layout::plan(std::uint32_t pes, std::size_t buffer_bytes,
                                std::size_t budget_bytes) {
  if (pes == 0) {
    throw config_error("a job needs at least one PE; set LAMELLAR_PES to 1 or more");
  }
  const std::size_t pairs = std::size_t{pes} * (pes - 1);
  std::uint32_t depth = usual_depth;
  const auto needed = [&] { return pairs * traffic_classes * depth * buffer_bytes; };
  while (needed() > budget_bytes && depth > least_depth) {
    depth /= 2;
  }
  while (needed() > budget_bytes && buffer_bytes > least_buffer) {
    buffer_bytes /= 2;
  }
  if (needed() > budget_bytes) {
    throw config_error(fmt::format(
        "{} PEs need {} MiB for their message buffers, the budget has {} MiB; raise "
        "LAMELLAR_JOB_BUDGET or start fewer PEs",
        pes, needed() >> 20, budget_bytes >> 20));
  }

  arena_layout it;
  it.pes_ = pes;
  it.slot_bytes_ = static_cast<std::uint32_t>(buffer_bytes);
  it.depth_ = depth;
  it.exchange_ = round_up(std::size_t{pes} * 2 * sizeof(wave_cell), page);
  it.bulletins_ = it.exchange_ + std::size_t{pes} * sizeof(exchange_page);
  it.counters_ = it.bulletins_ + std::size_t{pes} * sizeof(bulletin);
  const std::size_t square = std::size_t{pes} * pes;
  it.lines_ = round_up(it.counters_ + square * sizeof(delivery_counters), page);
  it.channels_ = round_up(it.lines_ + square * sizeof(line), page);
  it.total_ = it.channels_ + square * traffic_classes * depth * buffer_bytes;
  return it;
}

std::size_t arena_layout::wave_offset(std::uint32_t of) const {
  return std::size_t{of} * 2 * sizeof(wave_cell);
}

std::size_t arena_layout::exchange_offset(std::uint32_t of) const {
  return exchange_ + std::size_t{of} * sizeof(exchange_page);
}

std::size_t arena_layout::bulletin_offset(std::uint32_t of) const {
  return bulletins_ + std::size_t{of} * sizeof(bulletin);
}

std::size_t arena_layout::counters_offset(std::uint32_t from, std::uint32_t to) const {
  return counters_ + pair(from, to) * sizeof(delivery_counters);
}

std::size_t arena_layout::line_offset(std::uint32_t from, std::uint32_t to) const {
  return lines_ + pair(from, to) * sizeof(line);
}

std::size_t arena_layout::channel_offset(std::uint32_t from, std::uint32_t to,
                                         traffic kind) const {
  const std::size_t ring = std::size_t{depth_} * slot_bytes_;
  return channels_ + (pair(from, to) * traffic_classes + static_cast<std::size_t>(kind)) * ring;
}

}  // namespace lamellar::lamellae
