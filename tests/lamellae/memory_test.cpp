// SPDX-License-Identifier: BSD-3-Clause
#include "memory.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

namespace {

using namespace lamellar::lamellae;
namespace fs = std::filesystem;

constexpr std::size_t gib = std::size_t{1} << 30;

/// A folder that plays the root of a system with 16 GiB, 10 of them available.
class made_up_system {
 public:
  made_up_system() {
    std::string name = (fs::temp_directory_path() / "lamellar_memory_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    write("proc/meminfo",
          "MemTotal:       16777216 kB\nMemFree:         1048576 kB\n"
          "MemAvailable:   10485760 kB\nHugePages_Total:       0\n");
  }
  ~made_up_system() { fs::remove_all(root_); }
  made_up_system(const made_up_system&) = delete;
  made_up_system& operator=(const made_up_system&) = delete;

  void write(const fs::path& below, const std::string& text) const {
    fs::create_directories((root_ / below).parent_path());
    std::ofstream{root_ / below} << text;
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("without control groups the machine is the limit") {
  const made_up_system system;
  CHECK(memory_limit(system.root()) == 16 * gib);
  CHECK(memory_available(system.root()) == 10 * gib);
}

TEST_CASE("the narrowest control group on the way up is the limit, version 2") {
  const made_up_system system;
  system.write("proc/self/cgroup", "0::/user/job/step\n");
  system.write("sys/fs/cgroup/user/job/step/memory.max", "max\n");
  system.write("sys/fs/cgroup/user/job/memory.max", std::to_string(4 * gib));
  system.write("sys/fs/cgroup/user/job/memory.current", std::to_string(gib));
  system.write("sys/fs/cgroup/user/memory.max", std::to_string(8 * gib));
  CHECK(memory_limit(system.root()) == 4 * gib);
  CHECK(memory_available(system.root()) == 3 * gib);
}

TEST_CASE("a container that sees only the root of its group is limited by it") {
  const made_up_system system;
  system.write("proc/self/cgroup", "0::/somewhere/outside\n");
  system.write("sys/fs/cgroup/memory.max", std::to_string(2 * gib));
  system.write("sys/fs/cgroup/memory.current", std::to_string(3 * gib));
  CHECK(memory_limit(system.root()) == 2 * gib);
  CHECK(memory_available(system.root()) == 0);
}

TEST_CASE("version 1 groups limit too, and their huge number for no limit does not") {
  const made_up_system system;
  system.write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/a/b\n2:cpuacct:/a\n");
  system.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  system.write("sys/fs/cgroup/memory/memory.usage_in_bytes", std::to_string(15 * gib));
  CHECK(memory_limit(system.root()) == 16 * gib);
  CHECK(memory_available(system.root()) == 10 * gib);
  system.write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", std::to_string(5 * gib));
  CHECK(memory_limit(system.root()) == 5 * gib);
  CHECK(memory_available(system.root()) == 5 * gib);
}

TEST_CASE("this machine has memory, and what is available is not more than the limit") {
  CHECK(memory_limit() >= std::size_t{64} << 20);
  CHECK(memory_available() <= memory_limit());
}
