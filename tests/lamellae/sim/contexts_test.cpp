// SPDX-License-Identifier: BSD-3-Clause
#include "sim/contexts.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

using lamellar::lamellae::sim::contexts;

TEST_CASE("each goes on where it was, when it is switched to") {
  std::string order;
  contexts* all = nullptr;
  contexts three{3, [&](std::uint32_t k) -> std::uint32_t {
                   order += static_cast<char>('a' + k);
                   all->switch_to((k + 1) % 3);
                   order += static_cast<char>('A' + k);
                   return k == 2 ? contexts::outside : k + 1;
                 }};
  all = &three;
  three.run(0);
  CHECK(order == "abcABC");
}

TEST_CASE("an exception belongs to the context that caught it") {
  std::vector<std::string> texts(2);
  std::vector<int> uncaught;
  contexts* all = nullptr;
  contexts two{2, [&](std::uint32_t k) -> std::uint32_t {
                 try {
                   throw std::runtime_error{"of " + std::to_string(k)};
                 } catch (const std::exception&) {
                   all->switch_to(1 - k);  // both are now in their handlers
                   try {
                     throw;
                   } catch (const std::exception& again) {
                     texts[k] = again.what();
                   }
                 }
                 uncaught.push_back(std::uncaught_exceptions());
                 return k == 0 ? 1 : contexts::outside;
               }};
  all = &two;
  two.run(0);
  CHECK(texts == std::vector<std::string>{"of 0", "of 1"});
  CHECK(uncaught == std::vector<int>{0, 0});
  CHECK(std::current_exception() == nullptr);
}

TEST_CASE("a context sees nothing of an exception that its outside handles") {
  bool is_clean = false;
  contexts one{1, [&](std::uint32_t) {
                 is_clean = std::current_exception() == nullptr;
                 return contexts::outside;
               }};
  try {
    throw 1;
  } catch (int) {
    one.run(0);
    CHECK(std::current_exception() != nullptr);
  }
  CHECK(is_clean);
}

TEST_CASE("a destructor that runs while an exception passes may switch") {
  struct switching {
    contexts* all;
    std::uint32_t to;
    ~switching() { all->switch_to(to); }
  };
  contexts* all = nullptr;
  int caught = 0;
  contexts two{2, [&](std::uint32_t k) -> std::uint32_t {
                 try {
                   const switching at_end{all, 1 - k};
                   throw k;
                 } catch (const std::uint32_t which) {
                   caught += which == k ? 1 : 100;
                 }
                 return k == 0 ? 1 : contexts::outside;
               }};
  all = &two;
  two.run(0);
  CHECK(caught == 2);
}

namespace {

/// Touches about 1 KiB of stack for each level.
int depth(int levels) {
  volatile char frame[1000] = {};
  frame[0] = static_cast<char>(levels);
  return levels == 0 ? 0
                     : depth(levels - 1) + (frame[0] == 0 ? 0 : 1) + (frame[0] == 0 ? 1 : 0);
}

}  // namespace

TEST_CASE("a stack is as deep as a thread's") {
  int reached = 0;
  contexts one{1, [&](std::uint32_t) {
                 reached = depth(4000);
                 return contexts::outside;
               }};
  one.run(0);
  CHECK(reached == 4000);
}

TEST_CASE("there may be many, and they need not end") {
  contexts* all = nullptr;
  std::uint32_t started = 0;
  contexts many{500, [&](std::uint32_t k) -> std::uint32_t {
                  ++started;
                  if (k + 1 < 500) all->switch_to(k + 1);
                  return k == 499 ? 0 : k == 498 ? contexts::outside : k + 1;
                }};
  all = &many;
  many.run(0);
  CHECK(started == 500);
}
