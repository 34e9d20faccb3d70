// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <cstring>

#include "ladder.hpp"

using namespace lamellar::ladder;

namespace {

std::vector<remote_memory> tell(lamella& pe, const segment& mine) {
  const auto all = pe.exchange(std::as_bytes(std::span{&mine.remote, 1}));
  std::vector<remote_memory> names(all.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    REQUIRE(all[k].size() == sizeof(remote_memory));
    std::memcpy(&names[k], all[k].data(), sizeof(remote_memory));
  }
  return names;
}

bool is_reached(const lamella& pe, std::uint32_t peer) {
  return pe.able().transfers && !is_near(pe, peer);
}

void put(lamella& pe, std::uint32_t to, const remote_memory& name, std::uint64_t offset,
         std::span<const std::byte> from, transfer& done) {
  wait_polling(
      pe, [&] { return pe.put(to, name, offset, from, done); }, "room for a put");
}

void get(lamella& pe, std::uint32_t from, const remote_memory& name, std::uint64_t offset,
         std::span<std::byte> into, transfer& done) {
  wait_polling(
      pe, [&] { return pe.get(from, name, offset, into, done); }, "room for a get");
}

void wait_for(lamella& pe, const transfer& of) {
  wait_polling(
      pe, [&] { return of.pending.load(std::memory_order_acquire) == 0; }, "a transfer to end");
  CHECK_FALSE(of.failed.load());
}

/// All are here, and meanwhile this PE has looked after the transfers of the others.
void meet_polling(lamella& pe) {
  wave mine;
  pe.begin_wave(mine);
  wait_polling(
      pe, [&] { return pe.end_wave(mine); }, "all PEs");
}

}  // namespace

TEST_CASE("segments have names for the network where it is used, and only there") {
  on_every_pe([](lamella& pe) {
    const segment mine = pe.allocate_segment(4096);
    CHECK((mine.remote.reachable != 0) == pe.able().transfers);
    meet(pe);
    pe.free_segment(mine);
  });
}

TEST_CASE("what was put is there when the transfer has ended, and what was got is here") {
  on_every_pe([](lamella& pe) {
    const std::size_t largest = std::size_t{3} << 20;
    const segment mine = pe.allocate_segment(largest * pe.size());
    const std::vector<remote_memory> names = tell(pe, mine);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{7}, std::size_t{64},
                                    std::size_t{4097}, std::size_t{65536}, largest}) {
      CAPTURE(bytes);
      std::vector<std::byte> sent(bytes);
      fill(sent, pe.me() + bytes);
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (!is_reached(pe, peer)) continue;
        transfer done;
        put(pe, peer, names[peer], largest * pe.me(), sent, done);
        wait_for(pe, done);
      }
      meet_polling(pe);
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (!is_reached(pe, peer)) continue;
        CHECK(holds({mine.data + largest * peer, bytes}, peer + bytes));
        // What this PE has put there, and what the peer's own neighbour sees.
        std::vector<std::byte> got(bytes);
        transfer done;
        get(pe, peer, names[peer], largest * pe.me(), got, done);
        wait_for(pe, done);
        CHECK(holds(got, pe.me() + bytes));
      }
      meet_polling(pe);
    }
    pe.free_segment(mine);
  });
}

TEST_CASE("many transfers may be under way at once") {
  on_every_pe([](lamella& pe) {
    const std::size_t each = 5000;
    const std::size_t count = 300;
    const segment mine = pe.allocate_segment(each * count * pe.size());
    const std::vector<remote_memory> names = tell(pe, mine);
    std::vector<std::byte> sent(each * count);
    fill(sent, pe.me());
    transfer done;
    for (std::size_t k = 0; k < count; ++k) {
      for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
        if (!is_reached(pe, peer)) continue;
        put(pe, peer, names[peer], (pe.me() * count + k) * each,
            std::span{sent}.subspan(k * each, each), done);
      }
    }
    wait_for(pe, done);
    meet_polling(pe);
    for (std::uint32_t peer = 0; peer < pe.size(); ++peer) {
      if (is_reached(pe, peer)) {
        CHECK(holds({mine.data + peer * count * each, each * count}, peer));
      }
    }
    meet_polling(pe);
    pe.free_segment(mine);
  });
}
