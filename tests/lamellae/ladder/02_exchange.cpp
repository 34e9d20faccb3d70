// SPDX-License-Identifier: BSD-3-Clause
#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

/// Everybody gives a blob of size_of(PE) bytes and checks everybody's.
template <class SizeOf>
void exchange_blobs(lamella& pe, SizeOf size_of) {
  std::vector<std::byte> mine(size_of(pe.me()));
  fill(mine, pe.me());
  const auto all = pe.exchange(mine);
  REQUIRE(all.size() == pe.size());
  for (std::uint32_t from = 0; from < pe.size(); ++from) {
    CAPTURE(from);
    CHECK(all[from].size() == size_of(from));
    CHECK(holds(all[from], from));
  }
}

}  // namespace

TEST_CASE("each PE's number arrives in its place") {
  on_every_pe([](lamella& pe) {
    const std::byte mine[] = {static_cast<std::byte>(pe.me())};
    const auto all = pe.exchange(mine);
    REQUIRE(all.size() == pe.size());
    for (std::uint32_t from = 0; from < pe.size(); ++from) {
      REQUIRE(all[from].size() == 1);
      CHECK(all[from][0] == static_cast<std::byte>(from));
    }
  });
}

TEST_CASE("blobs of any size arrive whole") {
  on_every_pe([](lamella& pe) {
    for (const std::size_t bytes : {0, 1, 63, 4079, 4080, 4081, 8160, 100000}) {
      CAPTURE(bytes);
      exchange_blobs(pe, [&](std::uint32_t) { return bytes; });
    }
  });
}

TEST_CASE("the PEs' blobs may differ in size") {
  on_every_pe([](lamella& pe) {
    exchange_blobs(pe, [](std::uint32_t from) { return std::size_t{from} * 5000; });
    exchange_blobs(pe, [&](std::uint32_t from) { return from == 0 ? std::size_t{20000} : 0; });
  });
}

TEST_CASE("one exchange may follow the other at once") {
  on_every_pe([](lamella& pe) {
    for (std::size_t round = 0; round < 50; ++round) {
      exchange_blobs(pe, [&](std::uint32_t from) { return round + from; });
    }
  });
}
