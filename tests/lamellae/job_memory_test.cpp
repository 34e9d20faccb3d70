// SPDX-License-Identifier: BSD-3-Clause
#include "job_memory.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <lamellar/lamellae/error.hpp>
#include <string>

namespace {

using namespace lamellar::lamellae;

constexpr std::size_t budget = std::size_t{64} << 20;

/// What opening the memory throws; empty when it throws nothing.
std::string refusal(const job_memory::whereabouts& at, std::uint32_t pes) {
  try {
    job_memory::open(at, pes);
  } catch (const lamellar::config_error& e) {
    return e.what();
  }
  return {};
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_closed_for_children(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_CASE("who opens the memory of another process loads what that one stores") {
  const job_memory made = job_memory::create(2, 8192, budget);
  const job_memory opened = job_memory::open(made.where(), 2);
  made.entry(1).process.store(4711);
  CHECK(opened.entry(1).process.load() == 4711);
  opened.arena()[0] = std::byte{42};
  CHECK(made.arena()[0] == std::byte{42});
  CHECK(opened.fd() != made.fd());
  CHECK(is_closed_for_children(opened.fd()));
}

TEST_CASE("another mapping of the same memory outlives the first") {
  auto* made = new job_memory{job_memory::create(2, 8192, budget)};
  const job_memory other = made->again();
  made->entry(0).process.store(12);
  delete made;
  CHECK(other.entry(0).process.load() == 12);
  CHECK(is_closed_for_children(other.fd()));
}

TEST_CASE("programs that the maker starts do not get the memory once it says so") {
  const job_memory made = job_memory::create(2, 8192, budget);
  CHECK_FALSE(is_closed_for_children(made.fd()));
  made.keep_from_children();
  CHECK(is_closed_for_children(made.fd()));
}

TEST_CASE("the memory of another job is refused") {
  const job_memory made = job_memory::create(2, 8192, budget);
  const job_memory other = job_memory::create(2, 8192, budget);
  CHECK(made.where().secret != other.where().secret);

  job_memory::whereabouts at = made.where();
  at.secret = other.where().secret;
  CHECK(mentions(refusal(at, 2), "belongs to another job"));
  CHECK(mentions(refusal(made.where(), 3), "belongs to another job"));
}

TEST_CASE("what is no job's memory is refused before it is opened") {
  const job_memory made = job_memory::create(2, 8192, budget);
  job_memory::whereabouts at = made.where();

  at.fd = open("/dev/null", O_RDONLY);
  const std::string of_device = refusal(at, 2);
  CHECK(mentions(of_device, "is something else"));
  CHECK(mentions(of_device, "LAMELLAR_HOST_ID"));
  close(at.fd);

  at.fd = memfd_create("lamellar-job", 0);  // of the right name, and empty
  CHECK(mentions(refusal(at, 2), "belongs to another job"));
  close(at.fd);

  at.fd = 99999;
  CHECK(mentions(refusal(at, 2), "No such file"));
}

TEST_CASE("a process that has gone is named") {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const job_memory made = job_memory::create(2, 8192, budget);
  job_memory::whereabouts at = made.where();
  at.process = child;
  CHECK(mentions(refusal(at, 2), "process " + std::to_string(child)));
}
