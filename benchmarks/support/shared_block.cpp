// SPDX-License-Identifier: BSD-3-Clause
#include "shared_block.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace lamellar::benchmark {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

shared_block::shared_block(std::uint64_t bytes) : bytes_(bytes) {
  descriptor_ = ::memfd_create("benchmark", MFD_CLOEXEC);
  if (descriptor_ < 0) fail("cannot make shared memory");
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    fail("cannot size shared memory");
  map();
}

shared_block::shared_block(const block_ticket& ticket) : bytes_(ticket.bytes) {
  const std::string path = fmt::format("/proc/{}/fd/{}", ticket.process, ticket.descriptor);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot open shared memory at " + path);
  map();
}

shared_block::~shared_block() {
  ::munmap(begin_, bytes_);
  ::close(descriptor_);
}

block_ticket shared_block::ticket() const { return {::getpid(), descriptor_, bytes_}; }

void shared_block::map() {
  begin_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (begin_ == MAP_FAILED) fail("cannot map shared memory");
}

}  // namespace lamellar::benchmark
