// SPDX-License-Identifier: BSD-3-Clause
#include <string_view>

#include "ladder.hpp"

using namespace lamellar::ladder;

TEST_CASE("a PE knows its number, which is below the number of PEs") {
  on_every_pe([](lamella& pe) {
    CHECK(pe.size() >= 1);
    CHECK(pe.me() < pe.size());
  });
}

TEST_CASE("a lamella has a name") {
  on_every_pe([](lamella& pe) { CHECK(std::string_view{pe.name()}.size() > 0); });
}

TEST_CASE("what a lamella can do makes sense") {
  on_every_pe([](lamella& pe) {
    const capabilities& able = pe.able();
    CHECK(able.buffer_bytes >= 1024);
    CHECK(able.channel_depth >= 2);
    CHECK(able.pes_on_host >= 1);
    CHECK(able.pes_on_host <= pe.size());
  });
}

TEST_CASE("the clock never goes back") {
  on_every_pe([](lamella& pe) {
    std::uint64_t last = pe.now_ns();
    bool ever_back = false;
    for (int k = 0; k < 10000; ++k) {
      const std::uint64_t now = pe.now_ns();
      ever_back = ever_back || now < last;
      last = now;
    }
    CHECK_FALSE(ever_back);
  });
}
