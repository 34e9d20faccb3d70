// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include "bootstrap/bootstrap.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <lamellar/lamellae/settings.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// Run by any launcher. BOOTSTRAP_TEST_HOSTS says which hosts the PEs are on, as "0 0 1 1";
// BOOTSTRAP_TEST_LAUNCHER who has started them, and BOOTSTRAP_TEST_THREADS, if set, how many
// hardware threads the PEs of a host may use together. With the argument "wait" a PE says
// "ready" and waits for its end.
namespace {

using namespace lamellar::lamellae;

bootstrap* from = nullptr;

std::vector<std::byte> blob_of(std::uint32_t pe, std::size_t bytes) {
  std::vector<std::byte> blob(bytes);
  for (std::size_t at = 0; at < bytes; ++at) {
    blob[at] = static_cast<std::byte>((at * 31 + at / 251 + pe * 7) & 0xff);
  }
  return blob;
}

/// Wait for all PEs.
void meet() { from->exchange({}); }

std::vector<std::uint32_t> pes_on(std::uint32_t host) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t pe = 0; pe < from->size(); ++pe) {
    if (from->hosts()[pe] == host) found.push_back(pe);
  }
  return found;
}

}  // namespace

TEST_CASE("every PE has a number of its own, below the number of PEs") {
  REQUIRE(from->me() < from->size());
  const std::uint32_t mine = from->me();
  const auto all = from->exchange(std::as_bytes(std::span{&mine, 1}));
  REQUIRE(all.size() == from->size());
  for (std::uint32_t pe = 0; pe < from->size(); ++pe) {
    CHECK(all[pe].size() == sizeof pe);
    CHECK(std::memcmp(all[pe].data(), &pe, sizeof pe) == 0);
  }
}

TEST_CASE("the launcher is known by its name") {
  const char* const expected = std::getenv("BOOTSTRAP_TEST_LAUNCHER");
  REQUIRE(expected != nullptr);
  CHECK(std::string{from->launcher()} == expected);
}

TEST_CASE("hosts are numbered in the order of their first PEs") {
  const char* const expected = std::getenv("BOOTSTRAP_TEST_HOSTS");
  REQUIRE(expected != nullptr);
  std::istringstream words{expected};
  std::vector<std::uint32_t> hosts;
  for (std::uint32_t host = 0; words >> host;) hosts.push_back(host);
  CHECK(from->hosts() == hosts);
}

TEST_CASE("blobs of any size come to all PEs, one exchange after another") {
  const std::size_t sizes[] = {0, 1, 4079, 4080, 4081, 65535, 65536, 65537, 300000};
  for (const std::size_t base : sizes) {
    const auto size_for = [&](std::uint32_t pe) { return pe % 3 == 2 ? 0 : base + pe % 3; };
    const auto all = from->exchange(blob_of(from->me(), size_for(from->me())));
    REQUIRE(all.size() == from->size());
    for (std::uint32_t pe = 0; pe < from->size(); ++pe) {
      CHECK(all[pe] == blob_of(pe, size_for(pe)));
    }
  }
}

TEST_CASE("the PEs of a host share memory, and nobody else has it") {
  const host_place place = share_host_memory(*from, settings::from_environment());
  const std::vector<std::uint32_t> mine = pes_on(from->hosts()[from->me()]);
  CHECK(place.pes == mine);
  REQUIRE(place.index < mine.size());
  CHECK(mine[place.index] == from->me());
  CHECK(place.memory.page().pes == mine.size());
  CHECK(place.hardware_threads >= 1);
  if (const char* const expected = std::getenv("BOOTSTRAP_TEST_THREADS"); expected != nullptr) {
    CHECK(std::to_string(place.hardware_threads) == expected);
  }

  // Each marks its place in the memory; those of the host find all marks, and no others.
  place.memory.arena()[place.index] = static_cast<std::byte>(from->me() + 1);
  meet();
  for (std::size_t k = 0; k < mine.size(); ++k) {
    CHECK(place.memory.arena()[k] == static_cast<std::byte>(mine[k] + 1));
  }
  meet();

  struct stat status {};
  REQUIRE(fstat(place.memory.fd(), &status) == 0);
  CHECK(status.st_nlink == 0);  // no name anywhere
  const auto inodes = from->exchange(std::as_bytes(std::span{&status.st_ino, 1}));
  for (std::uint32_t pe = 0; pe < from->size(); ++pe) {
    const bool is_here = from->hosts()[pe] == from->hosts()[from->me()];
    CHECK((inodes[pe] == inodes[from->me()]) == is_here);
  }
  meet();
}

int main(int argc, char** argv) {
  doctest::Context context{argc, argv};
  try {
    const settings s = settings::from_environment();
    const std::unique_ptr<bootstrap> found = find_bootstrap(s);
    if (found == nullptr) {
      std::fputs("bootstrap_test: nobody has started this process as a PE\n", stderr);
      return 2;
    }
    from = found.get();
    if (argc > 1 && std::string_view{argv[1]} == "wait") {
      std::printf("ready %d\n", getpid());
      std::fflush(stdout);
      for (;;) pause();
    }
    const int result = context.run();
    meet();
    found->finished();
    return result;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bootstrap_test: %s\n", e.what());
    return 3;
  }
}
