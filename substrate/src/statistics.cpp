// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <lamellar/substrate/detail/engine.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/statistics.hpp>
#include <map>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "statistics_books.hpp"

namespace lamellar::detail {

namespace {

traffic_statistics read(const traffic_book& book) {
  return {book.messages.load(), book.answers.load(), book.lines.load(),
          book.runs.load(),     book.buffers.load(), book.bytes.load()};
}

void add(traffic_statistics& to, const traffic_statistics& more) {
  to.messages += more.messages;
  to.answers += more.answers;
  to.lines += more.lines;
  to.runs += more.runs;
  to.buffers += more.buffers;
  to.bytes += more.bytes;
}

void add(std::atomic<std::uint64_t>& to, std::uint64_t n) {
  to.fetch_add(n, std::memory_order_relaxed);
}

/// The bytes of `count` variable records, which this PE has written itself.
std::size_t variable_extent(std::span<const std::byte> from, std::uint32_t count) {
  std::size_t at = 0;
  for (std::uint32_t k = 0; k < count; ++k) {
    std::uint64_t length = 0;
    std::memcpy(&length, from.data() + at, sizeof(length));
    at += variable_bytes(length);
  }
  return at;
}

/// What keeps a PE for longer is worth a word.
constexpr std::uint64_t long_ns = 1'000'000'000;

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
    sum.region_transfers += one.region_transfers;
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
  constexpr const char* columns =
      "  {:<24} {:>12} {:>12} {:>10} {:>10} {:>10} {:>14} {:>11} {:>11}\n";
  text += fmt::format(columns, "sent", "messages", "answers", "by line", "runs", "buffers",
                      "bytes", "runs/buffer", "records/run");
  const auto row = [&](const char* to, const traffic_statistics& traffic) {
    text += fmt::format(columns, to, traffic.messages, traffic.answers, traffic.lines,
                        traffic.runs, traffic.buffers, traffic.bytes,
                        fmt::format("{:.1f}", traffic.runs_per_buffer()),
                        fmt::format("{:.1f}", traffic.records_per_run()));
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
    if (sum.region_transfers != 0) {
      text +=
          fmt::format("    {} more without a message, by the network\n", sum.region_transfers);
    }
  }
  return text;
}

}  // namespace

std::source_location engine::place_of_own_call(const execution& at, const run_header& run) {
  if (at.from != me_ || shared_) {
    return {};  // it does not travel; with workers, the caller may begin to wait meanwhile
  }
  reply_slot* const slot = replies_.find(run.extra);
  const bool known = slot != nullptr && reply_block::of(slot).handler == run.handler &&
                     slot->state.load() != reply_slot::status::awaited;
  return known ? std::source_location{slot->called_at} : std::source_location{};
}

void engine::run_counted(execution& at, const handler_node& node, const run_header& run,
                         std::span<const std::byte> records) {
  const std::source_location where =
      settings_.warnings ? place_of_own_call(at, run) : std::source_location{};
  const std::uint64_t begin = lamella_->now_ns();
  node.run(at, run, records);
  const std::uint64_t took = lamella_->now_ns() - begin;
  if (took > long_ns && settings_.warnings && at.here.depth == 1) {
    warn(warning::long_handler,
         fmt::format(
             "a row of {} messages from PE {}{} kept the handler {} busy for {:.1f} s, in "
             "which this PE answered nobody; make it a coroutine that yields, or give the PE "
             "threads",
             run.count, at.from, place_of_call(where), name_of_handler(node.id),
             static_cast<double>(took) * 1e-9));
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

void engine::resume_watched(const lane& here, std::coroutine_handle<> next) {
  const bool outermost = here.depth == 1;
  const std::uint64_t begin = lamella_->now_ns();
  next.resume();
  const std::uint64_t took = lamella_->now_ns() - begin;
  if (took > long_ns && settings_.warnings && outermost) {
    warn(
        warning::long_step,
        fmt::format("a coroutine that went on after a wait, a handler's or a spawned task's, "
                    "kept this PE busy for {:.1f} s until it waited again or ended; nobody was "
                    "answered meanwhile. Let it co_await world.yield() in between, or give "
                    "the PE threads",
                    static_cast<double>(took) * 1e-9));
  }
}

traffic_book& engine::book_for(std::uint32_t to) {
  return to == me_                                         ? counted_->to_self
         : lamella_->host_of(to) == lamella_->host_of(me_) ? counted_->to_host
                                                           : counted_->to_network;
}

void engine::count_buffer(std::uint32_t to, std::span<const std::byte> buffer) {
  std::uint64_t messages = 0;
  std::uint64_t answers = 0;
  std::uint64_t runs = 0;
  for (std::size_t at = 0; buffer.size() - at >= sizeof(run_header);) {
    run_header run;
    std::memcpy(&run, buffer.data() + at, sizeof(run));
    at += sizeof(run);
    const std::size_t extent = run.record_bytes == variable_record
                                   ? variable_extent(buffer.subspan(at), run.count)
                                   : std::size_t{run.record_bytes} * run.count;
    at = std::min(buffer.size(), at + round_up_8(extent));
    if (run.count != 0) {  // else room was made for records that did not come
      ++runs;
      (run.handler < first_handler ? answers : messages) += run.count;
    }
  }
  traffic_book& book = book_for(to);
  add(book.messages, messages);
  add(book.answers, answers);
  add(book.runs, runs);
  add(book.buffers, 1);
  add(book.bytes, buffer.size());
}

void engine::count_fragment(std::uint32_t to, std::size_t bytes, const run_header* first) {
  traffic_book& book = book_for(to);
  if (first != nullptr) {
    add(first->handler < first_handler ? book.answers : book.messages, 1);
    add(book.runs, 1);
  }
  add(book.buffers, 1);
  add(book.bytes, bytes);
}

void engine::count_offer(std::uint32_t to, const outgoing& what) {
  message_offer offer;
  std::memcpy(&offer, what.data, sizeof(offer));
  count_fragment(to, offer.bytes, &offer.first);
}

void engine::count_line(std::uint32_t to) {
  traffic_book& book = book_for(to);
  add(book.messages, 1);
  add(book.lines, 1);
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
  all.region_transfers = region_counts_->by_network.load();
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
