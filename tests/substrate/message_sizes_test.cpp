// SPDX-License-Identifier: BSD-3-Clause
// Messages and answers of 0 bytes and up to TEST_LARGEST bytes, at and around every limit.
#include <cstdlib>
#include <lamellar/substrate/world.hpp>
#include <span>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

std::uint64_t word_at(std::size_t k, std::uint64_t seed) {
  return k * 0x9e3779b97f4a7c15 + seed;
}

std::vector<std::uint64_t> make(std::size_t words, std::uint64_t seed) {
  std::vector<std::uint64_t> all(words);
  for (std::size_t k = 0; k < words; ++k) all[k] = word_at(k, seed);
  return all;
}

bool holds(std::span<const std::uint64_t> words, std::uint64_t seed) {
  for (std::size_t k = 0; k < words.size(); ++k) {
    if (words[k] != word_at(k, seed)) return false;
  }
  return true;
}

std::size_t largest_bytes() {
  const char* const given = std::getenv("TEST_LARGEST");
  return given != nullptr ? std::stoull(given)
                          : (std::size_t{64} << 20) / lamellar::testing::work_divisor;
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, 0);
  for (std::size_t k = 0; k < bytes; ++k) text[k] = static_cast<char>('a' + k * 7 % 26);
  return text;
}

struct echo {
  std::string operator()(const std::string& text) const { return text; }
};

}  // namespace

TEST_CASE("strings of every length around the limits come back whole") {
  on_pes([](world& w) {
    const std::uint32_t me = w.me().index();
    std::vector<std::size_t> lengths;
    const std::size_t buffer = w.able().buffer_bytes;
    for (const std::size_t around : {std::size_t{0}, std::size_t{32}, std::size_t{64},
                                     std::size_t{2048}, buffer, 2 * buffer, 5 * buffer}) {
      for (std::size_t k = 0; k < 48; ++k) {
        if (around + k >= 24) lengths.push_back(around + k - 24);
      }
    }
    for (const std::size_t length : lengths) {
      const std::string text = pattern(length);
      if (w.call(w.at((me + static_cast<std::uint32_t>(length)) % w.size()), echo{}, text)
              .get() != text) {
        FAIL_CHECK("a string of ", length, " bytes came back changed");
      }
    }
  });
}

TEST_CASE("many messages of mixed sizes, sent at once") {
  on_pes([](world& w) {
    auto random = lamellar::testing::seeded(w, 77);
    std::vector<reply<std::size_t>> replies;
    std::vector<std::size_t> lengths;
    for (int k = 0; k < 400; ++k) {
      const std::size_t length = random() % 8 == 0 ? random() % 60000 : random() % 600;
      lengths.push_back(length);
      replies.push_back(w.call(
          w.at(static_cast<std::uint32_t>(random() % w.size())),
          [](std::string_view text) {
            return text == pattern(text.size()) ? text.size() : ~std::size_t{0};
          },
          pattern(length)));
      if (k % 3 == 0)
        w.send(
            next_of(w), [](std::string_view) {}, pattern(random() % 20000));
    }
    for (std::size_t k = 0; k < replies.size(); ++k) CHECK(replies[k].get() == lengths[k]);
    w.wait_all();
  });
}

TEST_CASE("answers larger than a buffer, many at once") {
  on_pes([](world& w) {
    const auto give = [](std::size_t words, std::uint64_t seed) { return make(words, seed); };
    std::vector<reply<std::vector<std::uint64_t>>> replies;
    for (std::size_t k = 0; k < 100; ++k) {
      replies.push_back(
          w.call(w.at(static_cast<std::uint32_t>(k) % w.size()), give, k * 50, k));
    }
    for (std::size_t k = 0; k < 100; ++k) {
      const auto got = replies[k].get();
      CHECK(got.size() == k * 50);
      CHECK(holds(got, k));
    }
  });
}

TEST_CASE("a coroutine handler takes a large message by value") {
  on_pes([](world& w) {
    const auto later = [](context at, std::vector<std::uint64_t> words) -> task<bool> {
      co_await at.world().call(at.origin(), [] {});
      co_return holds(words, 3);
    };
    CHECK(w.call(next_of(w), later, make(100000, 3)).get());
    w.send(next_of(w), later, make(100000, 3));
    w.wait_all();
  });
}

TEST_CASE("one very large message and one very large answer") {
  on_pes([](world& w) -> task<> {
    const std::size_t words = largest_bytes() / 8;
    if (w.me().index() == 0) {
      const pe to = w.at(w.size() - 1);
      {
        const std::vector<std::uint64_t> large = make(words, 1);
        CHECK(w.call(
                   to,
                   [](std::span<const std::uint64_t> got) {
                     return holds(got, 1) ? got.size() : 0;
                   },
                   large)
                  .get() == words);
        w.send(
            to,
            [](std::span<const std::uint64_t> got) {
              if (!holds(got, 1)) throw std::runtime_error("changed on the way");
            },
            large);
        w.wait_all();
      }
      const auto back = w.call(
                             to, [](std::size_t n) { return make(n, 2); }, words)
                            .get();
      CHECK(back.size() == words);
      CHECK(holds(back, 2));
    }
    co_await w.quiesce();
  });
}
