// SPDX-License-Identifier: BSD-3-Clause
#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

wave run_wave(lamella& pe, const wave& mine) {
  pe.begin_wave(mine);
  wave result;
  wait_until([&] { return pe.end_wave(result); }, "a wave");
  return result;
}

}  // namespace

TEST_CASE("a wave sums four counters over all PEs") {
  on_every_pe([](lamella& pe) {
    const std::uint64_t me = pe.me();
    const std::uint64_t n = pe.size();
    wave mine;
    mine.sums[0] = 1;
    mine.sums[1] = me;
    mine.sums[2] = std::uint64_t{1} << me;
    mine.sums[3] = ~std::uint64_t{0};  // minus one: sums wrap
    const wave result = run_wave(pe, mine);
    CHECK(result.sums[0] == n);
    CHECK(result.sums[1] == n * (n - 1) / 2);
    CHECK(result.sums[2] == (std::uint64_t{1} << n) - 1);
    CHECK(result.sums[3] == std::uint64_t{0} - n);
    CHECK(result.agreed);
  });
}

TEST_CASE("waves that follow each other do not mix") {
  on_every_pe([](lamella& pe) {
    const std::uint64_t n = pe.size();
    std::uint64_t wrong = 0;
    for (std::uint64_t round = 0; round < 3000; ++round) {
      wave mine;
      mine.sums[0] = round;
      mine.sums[1] = round * pe.me();
      mine.tag = round;
      // Now one, now another is late.
      if (round % (n + 1) == pe.me()) std::this_thread::yield();
      const wave result = run_wave(pe, mine);
      if (!result.agreed || result.sums[0] != n * round ||
          result.sums[1] != round * (n * (n - 1) / 2)) {
        ++wrong;
      }
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("a PE with another tag is named") {
  on_every_pe([](lamella& pe) {
    const std::uint32_t odd_one = pe.size() - 1;
    wave mine;
    mine.tag = pe.me() == odd_one ? 77 : 11;
    const wave result = run_wave(pe, mine);
    CHECK(result.agreed == (pe.size() == 1));
    if (pe.size() == 1) return;
    if (pe.me() == odd_one) {
      CHECK(result.disagreeing != odd_one);
      CHECK(result.other_tag == 11);
    } else {
      CHECK(result.disagreeing == odd_one);
      CHECK(result.other_tag == 77);
    }
  });
}

TEST_CASE("equal tags agree again afterwards") {
  on_every_pe([](lamella& pe) {
    wave mine;
    mine.tag = 5;
    CHECK(run_wave(pe, mine).agreed);
  });
}
