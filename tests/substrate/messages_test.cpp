// SPDX-License-Identifier: BSD-3-Clause
// Every form in which a handler can be written and sent, with every verb.
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

/// What a PE has received: how often, and the sum of it.
struct log_book {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::string text;
};

struct no_head {
  int operator()(int a, int b) const { return a * b; }
};
struct with_context {
  std::uint32_t operator()(context& at, std::uint32_t add) const {
    return at.me().index() * 1000 + at.origin().index() * 100 + at.size() + add;
  }
};
struct with_object {
  std::uint64_t operator()(log_book& book, std::uint64_t add) const {
    ++book.count;
    return book.sum += add;
  }
};
struct with_both {
  std::uint64_t operator()(context& at, log_book& book, std::uint64_t add) const {
    ++book.count;
    book.sum += add;
    return at.me().index();
  }
};
struct of_const_object {
  std::uint64_t operator()(const log_book& book) const { return book.sum; }
};

/// A message with members: they travel with it.
struct aggregate {
  int number = 0;
  std::string text;
  std::vector<double> values;
  std::string operator()(context& at, int times) const {
    std::string all = std::to_string(at.me().index()) + ":" + std::to_string(number);
    for (int k = 0; k < times; ++k) all += text;
    for (const double value : values) {
      all += ',';
      all += std::to_string(static_cast<int>(value));
    }
    return all;
  }
};
struct plain_aggregate {
  std::uint64_t amount;
  void operator()(log_book& book) const {
    ++book.count;
    book.sum += amount;
  }
};

std::uint64_t counts_of(const darc<log_book>& books) {
  std::uint64_t all = 0;
  for (const std::uint64_t one :
       books.call_all([](log_book& book) { return book.count; }).get())
    all += one;
  return all;
}

}  // namespace

TEST_CASE("a call brings the result of a handler of any form from any PE") {
  on_pes([](world& w) -> task<> {
    auto books = co_await darc<log_book>::create(w);
    const std::uint32_t me = w.me().index();
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      CHECK(w.call(w.at(to), no_head{}, 6, 7).get() == 42);
      CHECK(co_await w.call(w.at(to), no_head{}, -6, 7) == -42);
      CHECK(w.call(w.at(to), with_context{}, 5u).get() == to * 1000 + me * 100 + w.size() + 5);
      CHECK(books.call(w.at(to), no_head{}, 2, 3).get() == 6);
      CHECK(books.call(w.at(to), with_context{}, 0u).get() == to * 1000 + me * 100 + w.size());
      CHECK(books.call(w.at(to), with_object{}, 0).get() <= 2 * w.size());
      CHECK(books.call(w.at(to), with_both{}, 2).get() == to);
    }
    co_await w.quiesce();
    CHECK(books->count == 2 * w.size());
    CHECK(books->sum == 2 * w.size());
    CHECK(co_await books.call(next_of(w), of_const_object{}) == 2 * w.size());
  });
}

TEST_CASE("lambdas with and without a signature are handlers") {
  on_pes([](world& w) -> task<> {
    const pe next = next_of(w);
    CHECK(w.call(next, [] { return 7; }).get() == 7);
    CHECK(w.call(next, [](context& at) { return at.me().index(); }).get() == next.index());
    CHECK(w.call(
               next, [](auto a, auto b) { return a + b; }, 20, 22)
              .get() == 42);
    CHECK(w.call(
               next, [](context& at, auto a) { return a + at.me().index(); }, 1u)
              .get() == next.index() + 1);
    CHECK(w.call(
               next, [](auto a, const auto& b) { return std::string{a} + std::string{b}; },
               "ab", std::string{"cd"})
              .get() == "abcd");
    auto books = co_await darc<log_book>::create(w);
    books.send(
        next, [](log_book& book, auto more) { book.sum += more; }, 5u);
    books.send(
        next, [](context& at, log_book& book, auto more) { book.sum += more + at.size(); }, 5u);
    co_await w.quiesce();
    CHECK(books->sum == 10 + w.size());
  });
}

TEST_CASE("a send runs its handler once, wherever it goes") {
  on_pes([](world& w) -> task<> {
    auto books = co_await darc<log_book>::create(w);
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      for (std::uint64_t k = 0; k < 1000; ++k) {
        books.send(w.at(to), with_object{}, k);
        books.send(w.at(to), [](log_book& book) { ++book.count; });
      }
    }
    co_await w.quiesce();
    CHECK(books->count == 2000 * w.size());
    CHECK(books->sum == 999 * 500 * w.size());
  });
}

TEST_CASE("send_all and call_all reach every PE once, results in order") {
  on_pes([](world& w) -> task<> {
    auto books = co_await darc<log_book>::create(w);
    books.send_all(with_object{}, 3);
    books.send_all(plain_aggregate{4});
    co_await w.quiesce();
    CHECK(books->count == 2 * w.size());
    CHECK(books->sum == 7 * w.size());

    const std::vector<std::uint32_t> all = w.call_all(with_context{}, 0u).get();
    REQUIRE(all.size() == w.size());
    const std::vector<std::string> texts = co_await w.call_all(
        [](context& at, std::string_view s) {
          return std::string{s} + std::to_string(at.me().index());
        },
        "PE ");
    REQUIRE(texts.size() == w.size());
    for (std::uint32_t pe = 0; pe < w.size(); ++pe) {
      CHECK(all[pe] == pe * 1000 + w.me().index() * 100 + w.size());
      CHECK(texts[pe] == "PE " + std::to_string(pe));
    }
    co_await w.call_all([](context&) {});
    w.call_all([] {}).get();
    co_await books.call_all([](log_book& book) { book.text += "x"; });
    co_await w.quiesce();
    CHECK(books->text == std::string(w.size(), 'x'));
    CHECK(counts_of(books) == 2 * w.size() * w.size());
  });
}

TEST_CASE("an aggregate message travels with its members") {
  on_pes([](world& w) -> task<> {
    const pe next = next_of(w);
    const std::string front = std::to_string(next.index()) + ":";
    aggregate message{42, "ab", {1, 2, 3}};
    CHECK(w.call(next, message, 2).get() == front + "42abab,1,2,3");
    message = {0, std::string(5000, 'x'), std::vector<double>(5000, 1)};
    CHECK((co_await w.call(next, message, 1)).size() == front.size() + 1 + 5000 + 10000);
    message = {};
    CHECK((co_await w.call(next, message, 3)) == front + "0");

    auto books = co_await darc<log_book>::create(w);
    for (std::uint64_t k = 1; k <= 100; ++k) books.send(next, plain_aggregate{k});
    co_await w.quiesce();
    CHECK(books->count == 100);
    CHECK(books->sum == 5050);
  });
}

TEST_CASE("arguments convert to what the handler takes") {
  on_pes([](world& w) {
    const pe next = next_of(w);
    const short small = -3;
    CHECK(w.call(
               next, [](long a, double b) { return static_cast<double>(a) + b; }, small, 1)
              .get() == -2.0);
    CHECK(w.call(
               next, [](std::string_view s) { return s.size(); }, "hello")
              .get() == 5);
    CHECK(w.call(
               next, [](const std::string& s) { return s; }, std::string_view{"abc"})
              .get() == "abc");
    CHECK(w.call(
               next, [](std::string s) { return s + "!"; }, "x")
              .get() == "x!");
  });
}

TEST_CASE("handlers may send and call from where they run") {
  on_pes([](world& w) -> task<> {
    auto books = co_await darc<log_book>::create(w);
    // Forward twice around the ring, then count.
    struct forward {
      void operator()(context& at, const darc<log_book>& book, std::uint32_t hops) const {
        if (hops == 0) {
          book.send(at.me(), with_object{}, 1);
        } else {
          book.send(at.world().at((at.me().index() + 1) % at.size()), forward{}, hops - 1);
        }
      }
    };
    for (int k = 0; k < 100; ++k) books.send(w.me(), forward{}, 2 * w.size());
    co_await w.quiesce();
    CHECK(books->count == 100);
    // A plain handler that calls waits inside.
    const auto twice = [](context& at, int a) {
      return 2 * at.world().call(at.origin(), no_head{}, a, 1).get();
    };
    CHECK(co_await w.call(next_of(w), twice, 21) == 42);
  });
}

TEST_CASE("several kinds of messages interleave without mixing") {
  on_pes([](world& w) -> task<> {
    auto a = co_await darc<log_book>::create(w);
    auto b = co_await darc<log_book>::create(w);
    auto random = lamellar::testing::seeded(w, 11);
    std::vector<std::uint64_t> expected_a(w.size(), 0);
    std::vector<std::uint64_t> expected_b(w.size(), 0);
    const auto add_text = [](log_book& book, std::string_view text) {
      book.sum += text.size();
    };
    for (int k = 0; k < 20000; ++k) {
      const auto to = static_cast<std::uint32_t>(random() % w.size());
      const std::uint64_t amount = random() % 50;
      const bool first = random() % 2 == 0;
      const darc<log_book>& d = first ? a : b;
      (first ? expected_a : expected_b)[to] += amount;
      switch (random() % 4) {
        case 0:
          d.send(w.at(to), with_object{}, amount);
          break;
        case 1:
          d.send(w.at(to), with_both{}, amount);
          break;
        case 2:
          d.send(w.at(to), add_text, std::string(amount, 'x'));
          break;
        default:
          d.send(w.at(to), plain_aggregate{amount});
          break;
      }
    }
    co_await w.quiesce();
    // Everybody tells everybody what it has sent.
    auto sent =
        co_await darc<std::vector<std::uint64_t>>::create(w, std::size_t{2}, std::uint64_t{0});
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      sent.send(
          w.at(to),
          [](std::vector<std::uint64_t>& sums, std::uint64_t x, std::uint64_t y) {
            sums[0] += x;
            sums[1] += y;
          },
          expected_a[to], expected_b[to]);
    }
    co_await w.quiesce();
    CHECK(a->sum == (*sent)[0]);
    CHECK(b->sum == (*sent)[1]);
  });
}
