// SPDX-License-Identifier: BSD-3-Clause
// A lambda without captures travels as it is. One with captures must say that it means to send
// them: by_value. Its bytes travel, so it captures plain values, never pointers or references.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>

using lamellar::by_value;
using lamellar::context;

lamellar::task<int> body(lamellar::world& world) {
  const auto total = co_await lamellar::darc<std::uint64_t>::create(world, 0u);
  const lamellar::pe next = world.at((world.me().index() + 1) % world.size());

  // Name the closure before you co_await: GCC 12 destroys a temporary lambda twice.
  const std::uint32_t scale = 10;
  const std::uint32_t offset = world.me().index();
  const auto scaled = by_value([=](context& at) { return scale * at.me().index() + offset; });
  const std::uint32_t answer = co_await world.call(next, scaled);

  // A closure may also take arguments, and the object it is sent to.
  const auto weighted =
      by_value([scale](std::uint64_t& sum, std::uint32_t n) { sum += n * scale; });
  for (std::uint32_t n = 1; n <= 100; ++n) {
    total.send_all(weighted, n);
  }
  co_await world.quiesce();

  if (world.me().index() == 0) {
    fmt::print("{}, {}\n", answer, total.local());
  }
  co_return answer == 10 * next.index() + offset&& total.local() == 50'500 * world.size() ? 0
                                                                                          : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
