// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <string>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

struct named {
  std::uint64_t key;
  std::uint64_t bytes;
};

/// Tell everybody of a segment; the result is everybody's.
std::vector<named> tell(lamella& pe, const segment& mine) {
  const named name{mine.key, mine.bytes};
  const auto all = pe.exchange(std::as_bytes(std::span{&name, 1}));
  std::vector<named> names(all.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    REQUIRE(all[k].size() == sizeof(named));
    std::memcpy(&names[k], all[k].data(), sizeof(named));
  }
  return names;
}

/// By one comparison with itself, one further: sanitizers look at each access.
bool is_zero(std::span<const std::byte> bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

TEST_CASE("a segment is zeroed, long enough, and apart from the others") {
  on_every_pe([](lamella& pe) {
    std::vector<segment> all;
    for (const std::size_t bytes : {1UL, 4096UL, 100000UL, (1UL << 21) + 1}) {
      const segment got = pe.allocate_segment(bytes);
      REQUIRE(got.data != nullptr);
      CHECK(got.bytes >= bytes);
      CHECK(reinterpret_cast<std::uintptr_t>(got.data) % 4096 == 0);
      CHECK(got.page_bytes >= 4096);
      CHECK(got.page_bytes % 4096 == 0);
      CHECK(is_zero({got.data, got.bytes}));
      fill({got.data, got.bytes}, all.size());
      all.push_back(got);
    }
    for (std::size_t k = 0; k < all.size(); ++k) CHECK(holds({all[k].data, all[k].bytes}, k));
    for (const segment& each : all) pe.free_segment(each);
  });
}

TEST_CASE("peers load what the owner stored, and the owner what they stored") {
  on_every_pe([](lamella& pe) {
    const std::size_t bytes = (1UL << 20) + 1;
    const segment mine = pe.allocate_segment(bytes);
    const std::size_t half = mine.bytes / 2;
    fill({mine.data, half}, pe.me());
    const std::vector<named> names = tell(pe, mine);
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      CAPTURE(peer);
      std::byte* const theirs = pe.mapped(peer, names[peer].key, names[peer].bytes);
      CHECK((theirs != nullptr) == (pe.able().mapped && is_near(pe, peer)));
      if (theirs == nullptr) continue;
      CHECK(holds({theirs, half}, peer));
      CHECK(pe.mapped(peer, names[peer].key, names[peer].bytes) == theirs);
      theirs[half + pe.me()] = static_cast<std::byte>(pe.me() + 1);
    }
    meet(pe);
    if (pe.able().mapped) {
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (!is_near(pe, peer)) continue;
        CHECK(mine.data[half + peer] == static_cast<std::byte>(peer + 1));
      }
    }
    pe.free_segment(mine);
  });
}

TEST_CASE("atomics on mapped memory count every update") {
  on_every_pe([](lamella& pe) {
    const segment mine = pe.allocate_segment(sizeof(std::uint64_t));
    const std::vector<named> names = tell(pe, mine);
    const std::uint64_t each = 10000;
    if (pe.able().mapped) {
      std::uint64_t near = 0;
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (!is_near(pe, peer)) continue;
        ++near;
        std::byte* const theirs = pe.mapped(peer, names[peer].key, names[peer].bytes);
        std::atomic_ref<std::uint64_t> counter{*reinterpret_cast<std::uint64_t*>(theirs)};
        for (std::uint64_t k = 0; k < each; ++k) counter.fetch_add(1);
      }
      meet(pe);
      CHECK(*reinterpret_cast<std::uint64_t*>(mine.data) == each * near);
    }
    pe.free_segment(mine);
  });
}

TEST_CASE("a segment is zeroed again when its memory has been used before") {
  on_every_pe([](lamella& pe) {
    for (int round = 0; round < 10; ++round) {
      const segment mine = pe.allocate_segment(100000);
      CHECK(is_zero({mine.data, mine.bytes}));
      std::memset(mine.data, 0xff, mine.bytes);
      const std::vector<named> names = tell(pe, mine);
      for (std::uint32_t peer = 0; peer < pe.size() && pe.able().mapped; ++peer) {
        if (!is_near(pe, peer)) continue;
        const std::byte* const theirs = pe.mapped(peer, names[peer].key, names[peer].bytes);
        REQUIRE(theirs != nullptr);
        CHECK(theirs[names[peer].bytes - 1] == std::byte{0xff});
      }
      meet(pe);
      pe.free_segment(mine);
      meet(pe);
    }
  });
}

TEST_CASE("several threads may allocate, map and free at once") {
  on_every_pe([](lamella& pe) {
    const segment shared = pe.allocate_segment(4096);
    const std::vector<named> names = tell(pe, shared);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int k = 0; k < 10; ++k) {
          const segment mine = pe.allocate_segment(4096 * (1 + static_cast<std::size_t>(t)));
          if (!is_zero({mine.data, mine.bytes})) ++wrong;
          std::memset(mine.data, t + 1, mine.bytes);
          for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
            const auto* const at = pe.mapped(peer, names[peer].key, names[peer].bytes);
            if ((at != nullptr) != (pe.able().mapped && is_near(pe, peer))) ++wrong;
          }
          if (mine.data[mine.bytes - 1] != static_cast<std::byte>(t + 1)) ++wrong;
          pe.free_segment(mine);
        }
      });
    }
    for (std::thread& each : threads) each.join();
    CHECK(wrong == 0);
    meet(pe);
    pe.free_segment(shared);
  });
}

TEST_CASE("more memory than there is, is refused, and the text names the variable") {
  on_every_pe([](lamella& pe) {
    try {
      pe.allocate_segment(std::size_t{1} << 46);
      FAIL("64 TiB were granted");
    } catch (const lamellar::out_of_memory& e) {
      CHECK(std::string{e.what()}.find("LAMELLAR_HEAP_SIZE") != std::string::npos);
    }
    const segment usual = pe.allocate_segment(4096);
    CHECK(is_zero({usual.data, usual.bytes}));
    pe.free_segment(usual);
  });
}
