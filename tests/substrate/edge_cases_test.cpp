// SPDX-License-Identifier: BSD-3-Clause
// Messages at the edges of what the machinery provides for: sizes, failures while a message is
// being written, and programs that drive it in an unusual way.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <thread>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

/// What a PE has received.
struct inbox {
  std::uint64_t whole = 0;
  std::uint64_t broken = 0;
};

template <std::size_t N>
struct block {
  std::array<unsigned char, N> bytes;
};
struct take_block {
  template <std::size_t N>
  void operator()(inbox& in, const block<N>& b) const {
    const bool whole = std::all_of(b.bytes.begin(), b.bytes.end(),
                                   [&](unsigned char c) { return c == b.bytes[0]; });
    ++(whole ? in.whole : in.broken);
  }
};

template <std::size_t N>
void send_blocks(world& w, const darc<inbox>& boxes, int count) {
  for (int k = 0; k < count; ++k) {
    block<N> b;
    b.bytes.fill(static_cast<unsigned char>(k));
    for (std::uint32_t to = 0; to < w.size(); ++to) boxes.send(w.at(to), take_block{}, b);
  }
}

std::atomic<int> bursts{0};  // shared by the PEs of a process

struct ask_back {
  void operator()(context& at) const {
    at.world().call(at.origin(), [] {}).get();
  }
};
/// Fills the channel to the PE that asked for it.
struct burst {
  void operator()(context& at) const {
    for (std::uint32_t k = 0; k < at.world().able().channel_depth; ++k) {
      at.world().send(at.origin(), ask_back{});
      at.world().flush();
    }
    ++bursts;
  }
};

}  // namespace

TEST_CASE("plain values of any size travel whole, whatever the size of a buffer") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    send_blocks<2015>(w, boxes, 40);
    send_blocks<2016>(w, boxes, 40);
    send_blocks<2017>(w, boxes, 40);
    send_blocks<3000>(w, boxes, 40);
    send_blocks<4096>(w, boxes, 40);
    send_blocks<4097>(w, boxes, 40);
    co_await w.quiesce();
    CHECK(boxes.local().whole == 6 * 40 * w.size());
    CHECK(boxes.local().broken == 0);
  });
}

TEST_CASE("a handler may send megabytes where nobody has set a budget") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    const auto forward = [](context& at, darc<inbox> to) {
      const std::vector<char> large(std::size_t{5} << 20, 'x');
      to.send(
          lamellar::testing::next_of(at.world()),
          [](inbox& in, std::span<const char> text) { in.whole += text.size(); }, large);
    };
    w.send(w.me(), forward, boxes);
    co_await w.quiesce();
    CHECK(boxes.local().whole == std::size_t{5} << 20);
  });
}

TEST_CASE("handlers that wait inside each other leave their peers room to answer") {
  on_pes([](world& w) {
    if (w.size() < 3 || w.able().pes_in_process != w.size()) return;
    if (w.me().index() == 0) {
      w.send(w.at(1), burst{});
      w.send(w.at(2), burst{});
      w.flush();
      // All is there before the first of it is looked at, where no worker looks.
      while (bursts != 2) std::this_thread::yield();
    }
    w.quiesce().get();
  });
}
