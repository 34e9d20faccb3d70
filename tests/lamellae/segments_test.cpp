// SPDX-License-Identifier: BSD-3-Clause
#include "segments.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <lamellar/lamellae/error.hpp>
#include <string>
#include <vector>

#include "job_memory.hpp"

namespace {

using namespace lamellar::lamellae;

constexpr std::size_t mib = std::size_t{1} << 20;

/// Bytes of memory that the job's file occupies now.
std::size_t occupied(const job_memory& memory) {
  struct stat status {};
  REQUIRE(fstat(memory.fd(), &status) == 0);
  return static_cast<std::size_t>(status.st_blocks) * 512;
}

shared_segments::file usual(const job_memory& memory) {
  return {memory.fd(), &memory.page().end};
}

/// How much of the mapping that begins at `data` lies on huge pages, as the system counts it.
std::size_t on_huge_pages(const std::byte* data) {
  std::ifstream smaps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  while (std::getline(smaps, line)) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    std::size_t kib = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
      inside = from == reinterpret_cast<std::uintptr_t>(data);
    } else if (inside && std::sscanf(line.c_str(), "ShmemPmdMapped: %zu", &kib) == 1) {
      return kib * 1024;
    }
  }
  return 0;
}

job_memory small_job() { return job_memory::create(2, 8192, 64 * mib); }

}  // namespace

TEST_CASE("the memory of a job occupies next to nothing before it is used") {
  const job_memory memory = job_memory::create(64, 8192, std::size_t{4} << 30);
  CHECK(memory.layout().total_bytes() > 256 * mib);
  CHECK(occupied(memory) <= mib);
}

TEST_CASE("a segment is backed by memory at once, and gives it back when it is freed") {
  const job_memory memory = small_job();
  shared_segments segments{usual(memory), {}};
  const std::size_t before = occupied(memory);
  const segment got = segments.allocate(16 * mib);
  CHECK(occupied(memory) >= before + 16 * mib);
  segments.free(got);
  CHECK(occupied(memory) <= before + mib);
}

TEST_CASE("two views of one file, as two processes have them, never get the same range") {
  const job_memory memory = small_job();
  shared_segments one{usual(memory), {}};
  shared_segments other{usual(memory), {}};
  std::vector<std::pair<shared_segments*, segment>> all;
  for (int k = 0; k < 10; ++k) {
    for (shared_segments* view : {&one, &other}) {
      const segment got = view->allocate(100000);
      std::memset(got.data, static_cast<int>(all.size() + 1), got.bytes);
      all.emplace_back(view, got);
    }
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto& [view, got] = all[k];
    shared_segments& peer = view == &one ? other : one;
    const std::byte* const seen = peer.mapped(got.key, got.bytes);
    REQUIRE(seen != nullptr);
    CHECK(seen != got.data);
    CHECK(seen[0] == static_cast<std::byte>(k + 1));
    CHECK(seen[got.bytes - 1] == static_cast<std::byte>(k + 1));
  }
}

TEST_CASE("a freed range is used again for the same size, so that old mappings stay true") {
  const job_memory memory = small_job();
  shared_segments owner{usual(memory), {}};
  shared_segments peer{usual(memory), {}};
  const segment first = owner.allocate(mib);
  const std::byte* const seen = peer.mapped(first.key, first.bytes);
  owner.free(first);
  CHECK(owner.allocate(2 * mib).key != first.key);
  const segment again = owner.allocate(mib);
  CHECK(again.key == first.key);
  std::memset(again.data, 7, again.bytes);
  CHECK(peer.mapped(again.key, again.bytes) == seen);
  CHECK(seen[again.bytes - 1] == std::byte{7});
}

TEST_CASE("a mapping grows when more is asked for, and the shorter one stays valid") {
  const job_memory memory = small_job();
  shared_segments owner{usual(memory), {}};
  shared_segments peer{usual(memory), {}};
  const segment got = owner.allocate(mib);
  std::memset(got.data, 3, got.bytes);
  const std::byte* const part = peer.mapped(got.key, 4096);
  const std::byte* const whole = peer.mapped(got.key, got.bytes);
  REQUIRE(part != nullptr);
  REQUIRE(whole != nullptr);
  CHECK(part[0] == std::byte{3});
  CHECK(whole[got.bytes - 1] == std::byte{3});
}

TEST_CASE("what is no segment is not mapped") {
  const job_memory memory = small_job();
  shared_segments segments{usual(memory), {}};
  const segment got = segments.allocate(mib);
  CHECK(segments.mapped(got.key + 4096, 4096) == nullptr);
  CHECK(segments.mapped(got.key, std::size_t{1} << 40) == nullptr);
  CHECK(segments.mapped(std::uint64_t{1} << 50, 4096) == nullptr);
  CHECK(segments.mapped(got.key | 1, 4096) == nullptr);
  CHECK(segments.mapped(got.key, got.bytes) == got.data);
}

TEST_CASE("more than there is, is refused before the system kills anybody") {
  const job_memory memory = small_job();
  shared_segments segments{usual(memory), {}};
  CHECK_THROWS_WITH_AS(segments.allocate(std::size_t{1} << 45),
                       doctest::Contains("LAMELLAR_HEAP_SIZE"), lamellar::out_of_memory);
  CHECK_THROWS_WITH_AS(allocate_private_segment(std::size_t{1} << 45),
                       doctest::Contains("LAMELLAR_HEAP_SIZE"), lamellar::out_of_memory);
}

TEST_CASE("a private segment says which pages it got") {
  const segment got = allocate_private_segment(3 * mib);
  CHECK(got.bytes >= 3 * mib);
  CHECK((got.page_bytes == 4096 || got.page_bytes == huge_page));
  CHECK(reinterpret_cast<std::uintptr_t>(got.data) % huge_page == 0);
  // Where huge pages are refused, a touch brings one small page.
  const segment plain = allocate_private_segment(huge_page);
  unsigned char resident[2] = {};
  REQUIRE(mincore(plain.data, 2 * 4096, resident) == 0);
  CHECK(((resident[1] & 1) != 0) == (plain.page_bytes == huge_page));
  free_private_segment(plain);
  free_private_segment(got);
}

TEST_CASE("a shared segment says which pages it got, and is zeroed whenever it is got") {
  const job_memory memory = small_job();
  shared_segments owner{usual(memory), {}};
  shared_segments peer{usual(memory), {}};
  for (int round = 0; round < 2; ++round) {
    const segment got = owner.allocate(9 * mib);  // the last MiB is no whole huge page
    CHECK(got.page_bytes == (on_huge_pages(got.data) == 8 * mib ? huge_page : 4096));
    const std::byte* const seen = peer.mapped(got.key, got.bytes);
    REQUIRE(seen != nullptr);
    for (std::size_t at = 0; at < got.bytes; at += 4096) {
      REQUIRE(got.data[at] == std::byte{0});
      got.data[at] = std::byte{5};
      REQUIRE(seen[at] == std::byte{5});
    }
    owner.free(got);
    CHECK(seen[got.bytes - 1] == std::byte{0});
  }
}
