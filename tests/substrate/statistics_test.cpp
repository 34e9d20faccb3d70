// SPDX-License-Identifier: BSD-3-Clause
// What a PE says it has sent, to the message.
#include <cstdint>
#include <cstdlib>
#include <lamellar/substrate/statistics.hpp>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

constexpr std::uint64_t run_bytes = 16;  // of a run's header

struct take_number {
  void operator()(std::uint64_t) const {}
};
struct take_other {
  void operator()(std::uint64_t) const {}
};
struct take_text {
  void operator()(std::string_view) const {}
};
struct negate {
  std::int64_t operator()(std::int64_t n) const { return -n; }
};

/// What lies between two looks.
traffic_statistics operator-(const traffic_statistics& a, const traffic_statistics& b) {
  return {a.messages - b.messages, a.answers - b.answers, a.lines - b.lines,
          a.runs - b.runs,         a.buffers - b.buffers, a.bytes - b.bytes};
}

bool are_wanted() { return std::getenv("LAMELLAR_STATISTICS") != nullptr; }

/// What the next PE is sent.
const traffic_statistics& to_next(const world& w, const statistics& all) {
  return w.size() == 1 ? all.to_self : w.able().pes_on_host > 1 ? all.to_host : all.to_network;
}

/// What this PE sends to the next one while it does `work`, and to nobody else.
template <class Work>
traffic_statistics sent_by(world& w, const Work& work) {
  w.quiesce().get();
  const statistics before = w.statistics();
  w.barrier().get();  // what this PE answers belongs to the work of others
  work();
  w.wait_all();
  w.quiesce().get();
  const statistics after = w.statistics();
  const traffic_statistics all[] = {after.to_self - before.to_self,
                                    after.to_host - before.to_host,
                                    after.to_network - before.to_network};
  const traffic_statistics sent = to_next(w, after) - to_next(w, before);
  CHECK(all[0].messages + all[1].messages + all[2].messages == sent.messages);
  CHECK(all[0].buffers + all[1].buffers + all[2].buffers == sent.buffers);
  w.barrier().get();
  return sent;
}

}  // namespace

TEST_CASE("messages are counted by distance, and the runs and buffers in which they went") {
  if (!are_wanted()) return;
  on_pes([](world& w) {
    const std::uint64_t many = 3000;
    const traffic_statistics sent = sent_by(w, [&] {
      for (std::uint64_t k = 0; k < many; ++k) w.send(next_of(w), take_number{}, k);
    });
    CHECK(sent.messages == many);
    CHECK(sent.answers == 0);
    CHECK(sent.lines == 0);
    CHECK(sent.runs == sent.buffers);
    CHECK(sent.bytes == many * 8 + sent.runs * run_bytes);
    CHECK(sent.runs_per_buffer() == 1.0);
    CHECK(sent.records_per_run() == static_cast<double>(many) / static_cast<double>(sent.runs));
    if (w.size() > 1) {
      const std::uint64_t fit = (w.able().buffer_bytes - run_bytes) / 8;
      CHECK(sent.buffers == (many + fit - 1) / fit);
    }
  });
}

TEST_CASE("a buffer of several runs is one of several runs") {
  if (!are_wanted()) return;
  on_pes([](world& w) {
    const traffic_statistics sent = sent_by(w, [&] {
      for (std::uint64_t k = 0; k < 10; ++k) {
        w.send(next_of(w), take_number{}, k);
        w.send(next_of(w), take_other{}, k);
      }
      for (int k = 0; k < 7; ++k)
        w.send(next_of(w), take_text{}, std::string_view{"twelve bytes"});
    });
    CHECK(sent.messages == 27);
    CHECK(sent.runs == 21);
    CHECK(sent.buffers == 1);
    CHECK(sent.runs_per_buffer() == 21.0);
  });
}

TEST_CASE("a lone call goes over a line, others and their answers do not") {
  if (!are_wanted()) return;
  on_pes([](world& w) {
    const bool has_lines = w.able().lines && w.threads() == 1 && w.size() > 1;
    const auto call = [&](std::size_t many) {
      std::vector<reply<std::int64_t>> replies;
      for (std::size_t k = 0; k < many; ++k) {
        replies.push_back(w.call(next_of(w), negate{}, static_cast<std::int64_t>(k)));
      }
      std::int64_t sum = 0;
      for (auto& each : replies) sum += each.get();
      CHECK(sum == -static_cast<std::int64_t>(many * (many - 1) / 2));
    };
    const traffic_statistics one = sent_by(w, [&] { call(1); });
    CHECK(one.messages == 1);
    CHECK(one.lines == has_lines);
    CHECK(one.buffers == (has_lines ? 0 : w.size() == 1 ? 1 : 2));  // one with the answer
    CHECK(one.answers == (has_lines || w.size() == 1 ? 0 : 1));

    const traffic_statistics ten = sent_by(w, [&] { call(10); });
    CHECK(ten.messages == 10);
    CHECK(ten.lines == has_lines);
    CHECK(ten.answers == (w.size() == 1 ? 0 : has_lines ? 9 : 10));
    if (has_lines) CHECK(ten.runs >= 2);
  });
}

TEST_CASE("a message in pieces is one message") {
  if (!are_wanted()) return;
  on_pes([](world& w) {
    const std::string text(100000, 'x');
    const traffic_statistics sent =
        sent_by(w, [&] { w.send(next_of(w), take_text{}, std::string_view{text}); });
    CHECK(sent.messages == 1);
    CHECK(sent.runs == 1);
    CHECK(sent.bytes >= text.size());
    CHECK(sent.bytes < text.size() + 100);
    CHECK((sent.buffers > 10) == (w.size() > 1));
  });
}

TEST_CASE("nothing is counted that nobody wants") {
  if (are_wanted()) return;
  on_pes([](world& w) {
    const traffic_statistics sent = sent_by(w, [&] {
      w.send(next_of(w), take_number{}, std::uint64_t{1});
      w.call(next_of(w), negate{}, std::int64_t{1}).get();
    });
    CHECK(sent.messages + sent.answers + sent.lines + sent.runs + sent.buffers + sent.bytes ==
          0);
  });
}
