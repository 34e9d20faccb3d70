// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/statistics.hpp>
#include <map>
#include <string>
#include <vector>

#include "statistics_books.hpp"

namespace lamellar::detail {

namespace {

traffic_statistics read(const statistics_books::traffic_book& book) {
  return {book.buffers.load(), book.bytes.load()};
}

void add(traffic_statistics& to, const traffic_statistics& more) {
  to.buffers += more.buffers;
  to.bytes += more.bytes;
}

double per(std::uint64_t a, std::uint64_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}

/// Names of closures are long: their ends say most.
std::string shortened(const std::string& name, std::size_t room) {
  return name.size() <= room ? name : fmt::format("...{}", name.substr(name.size() - room + 3));
}

std::string table_of(const std::vector<statistics>& pes) {
  std::map<std::string, handler_statistics> handlers;
  statistics sum;
  std::size_t most_buffers = 0;
  std::size_t most_heap = 0;
  std::size_t longest_wait = 0;
  for (std::size_t pe = 0; pe < pes.size(); ++pe) {
    const statistics& one = pes[pe];
    for (const handler_statistics& handler : one.handlers) {
      handler_statistics& to = handlers[handler.name];
      to.records += handler.records;
      to.runs += handler.runs;
      to.bytes += handler.bytes;
      to.nanoseconds += handler.nanoseconds;
    }
    add(sum.to_self, one.to_self);
    add(sum.to_host, one.to_host);
    add(sum.to_network, one.to_network);
    sum.waited_nanoseconds += one.waited_nanoseconds;
    sum.region_bytes_put += one.region_bytes_put;
    sum.region_bytes_got += one.region_bytes_got;
    sum.region_atomics += one.region_atomics;
    sum.region_messages += one.region_messages;
    most_buffers =
        one.most_buffer_bytes > pes[most_buffers].most_buffer_bytes ? pe : most_buffers;
    most_heap = one.most_heap_bytes > pes[most_heap].most_heap_bytes ? pe : most_heap;
    longest_wait =
        one.waited_nanoseconds > pes[longest_wait].waited_nanoseconds ? pe : longest_wait;
  }

  constexpr std::size_t name_room = 60;
  std::string text = fmt::format("lamellar: statistics of {} PEs\n", pes.size());
  text += fmt::format("  {:<{}} {:>12} {:>14} {:>11} {:>10}\n", "handler", name_room, "records",
                      "bytes", "records/run", "ms inside");
  for (const auto& [name, handler] : handlers) {
    text += fmt::format("  {:<{}} {:>12} {:>14} {:>11.1f} {:>10.3f}\n",
                        shortened(name, name_room), name_room, handler.records, handler.bytes,
                        per(handler.records, handler.runs),
                        static_cast<double>(handler.nanoseconds) * 1e-6);
  }
  text += fmt::format("  {:<{}} {:>12} {:>14} {:>11}\n", "buffers", name_room, "buffers",
                      "bytes", "bytes each");
  const auto row = [&](const char* to, const traffic_statistics& traffic) {
    text += fmt::format("  {:<{}} {:>12} {:>14} {:>11.0f}\n", to, name_room, traffic.buffers,
                        traffic.bytes, per(traffic.bytes, traffic.buffers));
  };
  row("to the same PE", sum.to_self);
  row("to PEs of the same host", sum.to_host);
  row("over the network", sum.to_network);
  text += fmt::format(
      "  waiting: {:.3f} ms a PE on average, {:.3f} ms on PE {}\n",
      static_cast<double>(sum.waited_nanoseconds) * 1e-6 / static_cast<double>(pes.size()),
      static_cast<double>(pes[longest_wait].waited_nanoseconds) * 1e-6, longest_wait);
  text += fmt::format("  most memory: {} KiB for buffers, on PE {}; {} KiB of heap, on PE {}\n",
                      pes[most_buffers].most_buffer_bytes >> 10, most_buffers,
                      pes[most_heap].most_heap_bytes >> 10, most_heap);
  if (sum.region_bytes_put + sum.region_bytes_got + sum.region_atomics != 0) {
    text += fmt::format(
        "  memory regions: {} bytes put, {} bytes got, {} atomic operations; {} of all "
        "operations by messages\n",
        sum.region_bytes_put, sum.region_bytes_got, sum.region_atomics, sum.region_messages);
  }
  return text;
}

}  // namespace

void engine::run_counted(execution& at, const handler_node& node, const run_header& run,
                         std::span<const std::byte> records) {
  const std::uint64_t begin = lamella_->now_ns();
  node.run(at, run, records);
  const std::uint64_t took = lamella_->now_ns() - begin;
  constexpr std::uint64_t long_ns = 1'000'000'000;
  if (took > long_ns && settings_.warnings && at.here.depth == 1) {
    warn(
        warning::long_handler,
        fmt::format("a row of {} messages kept the handler {} busy for {:.1f} s, in which this "
                    "PE answered nobody; make it a coroutine that yields, or give the PE "
                    "threads",
                    run.count, name_of_handler(node.id), static_cast<double>(took) * 1e-9));
  }
  if (counted_ == nullptr) {
    return;
  }
  auto& book = counted_->by_handler[node.id - first_handler];
  book.nanoseconds.fetch_add(took, std::memory_order_relaxed);
  book.records.fetch_add(run.count, std::memory_order_relaxed);
  book.runs.fetch_add(1, std::memory_order_relaxed);
  book.bytes.fetch_add(records.size(), std::memory_order_relaxed);
}

void engine::count_buffer(std::uint32_t to, std::size_t bytes) {
  (to == me_                                         ? counted_->to_self
   : lamella_->host_of(to) == lamella_->host_of(me_) ? counted_->to_host
                                                     : counted_->to_network)
      .add(bytes);
}

statistics engine::read_statistics() const {
  statistics all;
  if (counted_ == nullptr) {
    return all;
  }
  for (std::size_t k = 0; k < counted_->by_handler.size(); ++k) {
    const auto& book = counted_->by_handler[k];
    if (book.runs.load() != 0) {
      all.handlers.push_back({name_of_handler(static_cast<std::uint16_t>(k + first_handler)),
                              book.records.load(), book.runs.load(), book.bytes.load(),
                              book.nanoseconds.load()});
    }
  }
  std::sort(all.handlers.begin(), all.handlers.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  all.to_self = read(counted_->to_self);
  all.to_host = read(counted_->to_host);
  all.to_network = read(counted_->to_network);
  all.waited_nanoseconds = counted_->waited_ns.load();
  all.most_buffer_bytes = blocks_.made() * blocks_.bytes();
  all.most_heap_bytes = heap_.usage().most_in_use;
  all.region_bytes_put = region_counts_->bytes_put.load();
  all.region_bytes_got = region_counts_->bytes_got.load();
  all.region_atomics = region_counts_->atomics.load();
  all.region_messages = region_counts_->by_message.load();
  return all;
}

void engine::print_statistics() {
  const statistics mine = read_statistics();
  std::vector<std::byte> bytes(record<statistics>::measure(mine));
  record<statistics>::write(bytes.data(), mine);
  std::vector<statistics> pes;
  for (const std::vector<std::byte>& one : lamella_->exchange(bytes)) {
    pes.push_back(std::get<0>(record<statistics>::read(one)));
  }
  if (me_ == 0) {
    std::fputs(table_of(pes).c_str(), stderr);
  }
}

}  // namespace lamellar::detail
