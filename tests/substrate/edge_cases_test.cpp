// SPDX-License-Identifier: BSD-3-Clause
// Messages at the edges of what the machinery provides for: sizes, failures while a message is
// being written, and programs that drive it in an unusual way.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;

namespace {

/// Until somebody sets the flag.
struct restless {
  bool is_told = false;
  std::uint64_t turns = 0;
};
struct once_more {
  void operator()(context& at, restless& here, const darc<restless>& all) const {
    ++here.turns;
    if (!here.is_told) all.send(at.me(), once_more{}, all);
  }
};

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

/// Becomes a plain value, or throws on the way.
struct fussy {
  int value;
  operator int() const {
    if (value < 0) throw std::runtime_error("not today");
    return value;
  }
};
/// Can be measured, but below 0 not written: a record's room is made before that is known.
struct moody {
  int value = 0;
  std::string text = {};  // or it would travel as its bytes
  template <class Archive>
  void save(Archive& to) const {
    static thread_local int passes = 0;
    if (value < 0 && ++passes % 2 == 0) throw std::runtime_error("not now");
    to(value, text);
  }
  template <class Archive>
  void load(Archive& from) {
    from(value, text);
  }
};
struct add_one {
  std::uint64_t operator()(inbox& in, int value) const {
    ++(value == 1 ? in.whole : in.broken);
    return 1;
  }
};
struct add_moody {
  std::uint64_t operator()(inbox& in, const moody& value) const {
    ++(value.value == 1 ? in.whole : in.broken);
    return 1;
  }
};
struct give_moody {
  moody operator()(int value) const { return {value}; }
};
struct count_spans {
  void operator()(inbox& in, std::span<const int> values) const {
    in.whole += values.size();
    in.broken += values.empty();
  }
};
struct moody_of_many {
  void operator()(inbox&, std::span<const int> values, std::span<moody> results) const {
    for (std::size_t k = 0; k < values.size(); ++k) results[k].value = values[k];
  }
};

struct add_up {
  void operator()(inbox& in, std::uint64_t value) const { in.whole += value; }
};
std::atomic<std::uint64_t> added{0};  // shared by the PEs of a process

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
    if (w.size() < 3 || w.able().pes_in_process != w.size() || w.able().in_turns) return;
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

TEST_CASE("a message whose arguments throw while they are written is not sent") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    for (std::uint32_t k = 0; k < w.size(); ++k) {
      const pe to = w.at(k);
      for (int round = 0; round < 3; ++round) {
        CHECK_THROWS_WITH((void)boxes.call(to, add_one{}, fussy{-1}), "not today");
        CHECK(boxes.call(to, add_one{}, fussy{1}).get() == 1);  // the line is free again
        boxes.send(to, add_one{}, fussy{1});
        CHECK_THROWS_WITH(boxes.send(to, add_one{}, fussy{-1}), "not today");
        boxes.send(to, add_one{}, fussy{1});
        auto before = boxes.call(to, add_one{}, fussy{1});
        CHECK_THROWS_WITH((void)boxes.call(to, add_one{}, fussy{-1}), "not today");
        auto after = boxes.call(to, add_one{}, fussy{1});
        CHECK(before.get() + after.get() == 2);

        boxes.send(to, add_moody{}, moody{1});
        CHECK_THROWS_WITH(boxes.send(to, add_moody{}, moody{-1}), "not now");
        boxes.send(to, add_moody{}, moody{1});
        auto first = boxes.call(to, add_moody{}, moody{1});
        CHECK_THROWS_WITH((void)boxes.call(to, add_moody{}, moody{-1}), "not now");
        auto last = boxes.call(to, add_moody{}, moody{1});
        CHECK(first.get() + last.get() == 2);
      }
    }
    w.wait_all();
    co_await w.quiesce();
    CHECK(boxes.local().whole == 3 * 9 * w.size());
    CHECK(boxes.local().broken == 0);
  });
}

TEST_CASE("a result that throws while it is written comes out of the call, once") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    for (std::uint32_t k = 0; k < w.size(); ++k) {
      std::vector<reply<moody>> replies;
      for (int value = -4; value < 4; ++value) {
        replies.push_back(w.call(w.at(k), give_moody{}, value));
        replies.push_back(boxes.call(w.at(k), moody_of_many{}, value));
      }
      int came = 0;
      for (reply<moody>& each : replies) {
        try {
          came += each.get().value >= 0;
        } catch (const remote_error& e) {
          CHECK(std::string{e.what()}.find("not now") != std::string::npos);
        }
      }
      CHECK(came >= 4);  // those that were called one by one; the others share their row's fate
    }
    w.wait_all();
    co_await w.quiesce();
  });
}

TEST_CASE("a span handler gets no row without records") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    const std::vector<int> items(100, 1);
    boxes.send_each(count_spans{}, std::span{items}, [](int item) {
      return routed<int>{0, item};
    });
    co_await w.quiesce();
    CHECK(boxes.local().whole == (w.me().index() == 0 ? 100 * w.size() : 0));
    CHECK(boxes.local().broken == 0);
  });
}

TEST_CASE("an object that is in use for long does not make its PE keep all that bodies send") {
  on_pes([](world& w) -> task<> {
    auto boxes = co_await darc<inbox>::create(w);
    if (w.size() < 2 || w.able().pes_in_process != w.size()) co_return;
    constexpr std::uint64_t many = std::uint64_t{8} << 20;  // 64 MiB
    added = 0;
    co_await w.barrier();
    if (w.me().index() == 1) {
      for (std::uint64_t k = 0; k < many; ++k) {
        boxes.send(w.at(0), add_up{}, 1u);
        added.store(k + 1, std::memory_order_relaxed);
      }
    }
    if (w.me().index() == 0) {
      boxes.exclusive([&](inbox&) {
        // Until the sender has come to a stop: it waits, or has sent all.
        for (std::uint64_t before = 1, idle = 0; idle < 20'000;) {
          w.poll();
          const std::uint64_t now = added.load(std::memory_order_relaxed);
          idle = now != 0 && now == before ? idle + 1 : 0;
          before = now;
          if (now == 0 || idle != 0) std::this_thread::yield();
        }
        CHECK(added < many / 2);
      });
    }
    co_await w.quiesce();
    if (w.me().index() == 0) CHECK(boxes.local().whole == many);
  });
}

TEST_CASE("a body that sends large messages to its own PE does not pile them up") {
  on_pes([](world& w) {
    const std::vector<char> large(std::size_t{1} << 20, 'x');
    std::uint64_t handled = 0;
    std::uint64_t most = 0;  // sent and not handled
    auto counts = darc<std::uint64_t>::create(w, 0u).get();
    for (std::uint64_t k = 1; k <= 200; ++k) {
      counts.send(
          w.me(), [](std::uint64_t& n, std::span<const char>) { ++n; }, large);
      counts.exclusive([&](const std::uint64_t& n) { handled = n; });
      most = std::max(most, k - handled);
    }
    w.quiesce().get();
    CHECK(counts.local() == 200);
    CHECK(most <= 16 * w.threads());
  });
}

TEST_CASE("a handler that sends to its own PE for ever keeps nobody away") {
  on_pes([](world& w) {
    const auto all = darc<restless>::create(w).get();
    all.send(w.me(), once_more{}, all);
    const pe next{(w.me().index() + 1) % w.size()};
    all.send(next, [](restless& there) { there.is_told = true; });
    w.quiesce().get();
    CHECK(all->is_told);
    CHECK(all->turns >= 1);
  });
}
