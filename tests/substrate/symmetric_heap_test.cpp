// SPDX-License-Identifier: BSD-3-Clause
// The heap that peers can reach: how it grows, what it says, and that one PE without memory is
// an exception on all PEs. Runs with LAMELLAR_HEAP_SIZE=16M.
#include <algorithm>
#include <cstring>
#include <lamellar/lamellae/error.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/symmetric_heap.hpp>
#include <lamellar/substrate/one_sided_memory_region.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using detail::heap_block;
using detail::symmetric_heap;
using lamellar::testing::on_pes;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

/// What create() of `n` bytes on every PE says; empty if it succeeds.
task<std::string> refusal(world& w, std::size_t n) {
  try {
    (void)co_await shared_memory_region<char>::create(w, n);
  } catch (const out_of_memory& e) {
    co_return e.what();
  }
  co_return std::string{};
}

}  // namespace

TEST_CASE("blocks do not overlap, are aligned and zero, and come back") {
  on_pes([](world& w) {
    symmetric_heap heap{detail::engine_of(w).transport(), 200 * mib};
    auto random = lamellar::testing::seeded(w, 5);
    struct held {
      heap_block block;
      unsigned char mark;
    };
    std::vector<held> all;
    std::size_t in_use = 0;
    bool right = true;
    for (int round = 0; round < 4000 / lamellar::testing::work_divisor; ++round) {
      if (all.size() < 40 || random() % 2 == 0) {
        const std::size_t bytes = 1 + random() % (random() % 10 == 0 ? mib : 3000);
        const heap_block got = heap.allocate(bytes, "test");
        right = right && reinterpret_cast<std::uintptr_t>(got.data) % 64 == 0;
        right = right && std::all_of(got.data, got.data + bytes,
                                     [](std::byte b) { return b == std::byte{0}; });
        right = right && got.offset + bytes <= got.segment_bytes;
        const auto mark = static_cast<unsigned char>(1 + random() % 255);
        std::memset(got.data, mark, bytes);
        all.push_back({got, mark});
        in_use += (bytes + 63) / 64 * 64;
      } else {
        const std::size_t k = random() % all.size();
        const held gone = all[k];
        right = right && std::all_of(gone.block.data, gone.block.data + gone.block.bytes,
                                     [&](std::byte b) { return b == std::byte{gone.mark}; });
        heap.free(gone.block, "test");
        in_use -= (gone.block.bytes + 63) / 64 * 64;
        all[k] = all.back();
        all.pop_back();
      }
      right = right && heap.usage().in_use == in_use;
    }
    CHECK(right);
    CHECK(heap.usage().users.at(0).blocks == all.size());
    for (const held& each : all) heap.free(each.block, "test");
    const heap_usage last = heap.usage();
    CHECK(last.in_use == 0);
    CHECK(last.users.empty());
    CHECK(last.segments <= 1);
    CHECK(last.largest_free == last.held);  // all pieces have grown together again
    CHECK(last.most_in_use > 0);
  });
}

TEST_CASE("the heap grows by segments up to its limit, and gives them back") {
  on_pes([](world& w) {
    symmetric_heap heap{detail::engine_of(w).transport(), 32 * mib};
    CHECK(heap.usage().segments == 0);
    CHECK(heap.usage().held == 0);
    std::vector<heap_block> all;
    for (int k = 0; k < 32; ++k) all.push_back(heap.allocate(mib, "test"));
    const heap_usage full = heap.usage();
    CHECK(full.in_use == 32 * mib);
    CHECK(full.held == 32 * mib);
    CHECK(full.segments > 1);
    CHECK(full.segments < 8);
    CHECK(full.page_bytes >= 4096);
    CHECK_THROWS_AS(heap.allocate(1, "test"), out_of_memory);
    for (const heap_block& each : all) heap.free(each, "test");
    CHECK(heap.usage().segments == 1);
    // Now in one piece: what is empty makes room.
    const heap_block whole = heap.allocate(32 * mib, "test");
    CHECK(heap.usage().held == 32 * mib);
    heap.free(whole, "test");
    const heap_block nothing = heap.allocate(0, "test");
    CHECK(nothing.data == nullptr);
    heap.free(nothing, "test");
  });
}

TEST_CASE("a refusal says what is in use, by what, and which variable to raise") {
  on_pes([](world& w) {
    symmetric_heap heap{detail::engine_of(w).transport(), 8 * mib};
    const heap_block a = heap.allocate(2 * mib, "shelf");
    const heap_block b = heap.allocate(mib, "shelf");
    const heap_block c = heap.allocate(1000, "cup");
    std::string text;
    try {
      heap.allocate(7 * mib, "table");
    } catch (const out_of_memory& e) {
      text = e.what();
    }
    INFO(text);
    CHECK(contains(text, "PE " + std::to_string(w.me().index()) + ":"));
    CHECK(contains(text, "7 MiB for a table"));
    CHECK(contains(text, "of its 8 MiB are in use (1 of cup: 1 KiB, 2 of shelf: 3 MiB)"));
    CHECK(contains(text, "raise LAMELLAR_HEAP_SIZE"));
    for (const heap_block& each : {a, b}) heap.free(each, "shelf");
    heap.free(c, "cup");
    // More than there can be.
    CHECK_THROWS_AS(heap.allocate(~std::size_t{0}, "table"), out_of_memory);
    CHECK_THROWS_AS(heap.allocate(~std::size_t{0} / 2, "table"), out_of_memory);
    CHECK(heap.usage().in_use == 0);
  });
}

TEST_CASE("a request beyond the heap is the same exception on all PEs, not a crash") {
  on_pes([](world& w) -> task<> {
    CHECK(w.heap().limit == 16 * mib);
    const std::string text = co_await refusal(w, 17 * mib);
    CHECK(contains(text, "LAMELLAR_HEAP_SIZE"));
    CHECK(contains(text, "shared_memory_region"));
    const auto texts = w.call_all([](std::string_view) { return 0; }, text).get();
    CHECK(texts.size() == w.size());
    CHECK(w.heap().in_use == 0);
    // Sizes whose product does not fit into a word, too.
    bool thrown = false;
    try {
      (void)co_await shared_memory_region<std::uint64_t>::create(w, ~std::size_t{0} / 4);
    } catch (const out_of_memory&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK_THROWS_AS(
        (void)one_sided_memory_region<std::uint64_t>::create(w, ~std::size_t{0} / 4),
        out_of_memory);
    CHECK((co_await refusal(w, 10 * mib)).empty());
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("one PE without memory is everybody's failure, with that PE's words") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t last = w.size() - 1;
    one_sided_memory_region<char> taken;
    if (w.me().index() == last) taken = one_sided_memory_region<char>::create(w, 12 * mib);
    const std::string text = co_await refusal(w, 8 * mib);
    INFO(text);
    CHECK(contains(text, "PE " + std::to_string(last) + ": the symmetric heap has no 8 MiB"));
    CHECK(contains(text, "12 MiB of its 16 MiB are in use"));
    CHECK(contains(text, "1 of one_sided_memory_region: 12 MiB"));
    CHECK(w.heap().in_use == (w.me().index() == last ? 12 * mib : 0));  // given back at once
    // The others go on, together.
    auto small = co_await shared_memory_region<char>::create(w, 2 * mib);
    taken = {};
    small = {};
    co_await w.quiesce();
    CHECK((co_await refusal(w, 8 * mib)).empty());
    co_await w.quiesce();
    CHECK(w.heap().in_use == 0);
  });
}

TEST_CASE("what a failed creation held is there for the next one") {
  on_pes([](world& w) -> task<> {
    for (int round = 0; round < 20; ++round) {
      CHECK(!(co_await refusal(w, 20 * mib)).empty());
      auto r = co_await shared_memory_region<char>::create(w, 15 * mib);
      r.at(15 * mib - 1) = 'x';
      r = {};
      co_await w.quiesce();
    }
    CHECK(w.heap().in_use == 0);
  });
}
