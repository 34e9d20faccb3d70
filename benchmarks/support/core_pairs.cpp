// SPDX-License-Identifier: BSD-3-Clause
#include "core_pairs.hpp"

#include <fmt/core.h>
#include <sched.h>

#include <algorithm>
#include <lamellar/substrate/darc.hpp>
#include <stdexcept>
#include <vector>

namespace lamellar::benchmark {
namespace {

constexpr std::uint64_t page = 4096;

std::uint64_t whole_pages(std::uint64_t bytes) { return (bytes + page - 1) / page * page; }

struct inbox {
  block_ticket ticket;
};

struct put_ticket {
  void operator()(inbox& here, block_ticket ticket) const { here.ticket = ticket; }
};

// The only cpu on which this thread may run; another number for each PE that may run on
// several.
std::uint32_t own_cpu(std::uint32_t me) {
  cpu_set_t may;
  CPU_ZERO(&may);
  if (::sched_getaffinity(0, sizeof may, &may) != 0 || CPU_COUNT(&may) != 1) {
    return CPU_SETSIZE + me;
  }
  std::uint32_t cpu = 0;
  while (!CPU_ISSET(cpu, &may)) ++cpu;
  return cpu;
}

}  // namespace

core_pairs::core_pairs(world& w) : pes_(w.size()) {
  const std::uint64_t bytes = whole_pages(sizeof(front)) +
                              whole_pages(pes_ * sizeof(std::atomic<std::uint32_t>)) +
                              pes_ / 2 * whole_pages(sizeof(pair_area));
  const darc<inbox> tickets = darc<inbox>::create(w).get();
  if (w.me() == pe(0)) {
    block_ = std::make_unique<shared_block>(bytes);
    pthread_barrierattr_t how;
    pthread_barrierattr_init(&how);
    pthread_barrierattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&block_->as<front>()->gate, &how, pes_);
    pthread_barrierattr_destroy(&how);
    tickets.send_all(put_ticket{}, block_->ticket());
  }
  w.quiesce().get();
  if (block_ == nullptr) block_ = std::make_unique<shared_block>(tickets->ticket);
  find_pairs(w);
}

std::atomic<std::uint32_t>& core_pairs::cell(pe of) const {
  std::byte* const begin = block_->as<std::byte>() + whole_pages(sizeof(front));
  return reinterpret_cast<std::atomic<std::uint32_t>*>(begin)[of.index()];
}

core_pairs::pair_area& core_pairs::area() const {
  std::byte* const begin = block_->as<std::byte>() + whole_pages(sizeof(front)) +
                           whole_pages(pes_ * sizeof(std::atomic<std::uint32_t>));
  return *reinterpret_cast<pair_area*>(begin + pair_ * whole_pages(sizeof(pair_area)));
}

void core_pairs::find_pairs(world& w) {
  const std::uint32_t me = w.me().index();
  cell(w.me()).store(own_cpu(me));
  meet();
  std::vector<std::uint32_t> leaders;  // the first PE of each core
  for (std::uint32_t k = 0; k < pes_; ++k) {
    const auto same_core = [&](std::uint32_t leader) {
      return cell(pe(leader)).load() == cell(pe(k)).load();
    };
    if (std::none_of(leaders.begin(), leaders.end(), same_core)) leaders.push_back(k);
  }
  meet();
  cell(w.me()).store(0);
  meet();
  if (leaders.size() < 2) {
    throw std::runtime_error(fmt::format(
        "{} PEs on one core cannot be compared with what two cores exchange; start "
        "2 PEs or more (LAMELLAR_PES=2 PROGRAM, or lamellar-run -n 2 PROGRAM) where "
        "they may use 2 cores or more",
        pes_));
  }
  streaming_ = static_cast<std::uint32_t>(leaders.size() / 2 * 2);
  const auto mine = std::find(leaders.begin(), leaders.end(), me);
  const auto place = static_cast<std::uint32_t>(mine - leaders.begin());
  if (place >= streaming_) return;
  is_first_ = place % 2 == 0;
  pair_ = place / 2;
  partner_ = pe(leaders[is_first_ ? place + 1 : place - 1]);
  pair_area& shared = area();
  end_.emplace(is_first_ ? shared.from_first : shared.from_second,
               is_first_ ? shared.from_second : shared.from_first);
}

double core_pairs::round_trips(std::uint64_t rounds) {
  double seconds = 0;
  meet();
  if (in_first_pair()) {
    pair_area& shared = area();
    if (is_first_) {
      seconds = ping(shared.there, shared.back, token_, rounds);
      tokens_right_ = tokens_right_ && shared.back.token.load() == token_ + 2 * rounds - 1;
    } else {
      pong(shared.there, shared.back, token_, rounds);
    }
  }
  token_ += 2 * rounds;
  meet();
  return seconds;
}

double core_pairs::stream(std::uint64_t words) {
  meet();
  const stopwatch watch;
  if (end_) end_->exchange(buffers(words));
  const double seconds = watch.seconds();
  meet();
  return seconds;
}

}  // namespace lamellar::benchmark
