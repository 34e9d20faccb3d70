// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/lamellae/settings.hpp>
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

TEST_CASE("where hosts gather what their PEs send, buffers are packets") {
  const bool gather = settings::from_environment().host_aggregation.value_or(false);
  on_every_pe([gather](lamella& pe) {
    if (std::string_view{pe.name()} != "rofi") return;
    bool is_far = false;
    for (std::uint32_t to = 0; to < pe.size(); ++to) {
      is_far = is_far || pe.host_of(to) != pe.host_of(pe.me());
    }
    // 8 KiB for so few PEs; else rofi takes 16.
    if (is_far) CHECK((pe.able().buffer_bytes < 8192) == gather);
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
