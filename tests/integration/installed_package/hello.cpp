// SPDX-License-Identifier: BSD-3-Clause
// A small user program: each PE is greeted by the one before it, and says so.
#include <cstdio>
#include <lamellar/lamellar.hpp>
#include <string>

lamellar::task<> hello(lamellar::world& world) {
  const auto next = world.at((world.me().index() + 1) % world.size());
  const auto greet = [](lamellar::context& at, const std::string& text) {
    return text + std::to_string(at.me().index());
  };
  const std::string answer = co_await world.call(next, greet, std::string{"hello from PE "});
  std::printf("%s of %u\n", answer.c_str(), world.size());
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, hello); }
