// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <lamellar/algorithms/io/write.hpp>
#include <system_error>
#include <utility>

namespace lamellar::io::detail {

namespace {

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw file_error(path, fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

}  // namespace

std::string path_of_member(const std::string& path, std::uint32_t position) {
  return fmt::format("{}.{:05}", path, position);
}

void make_file(const std::string& path, std::uint64_t bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    refuse(path, "it cannot be made");
  }
  const int failed = ::ftruncate(descriptor, static_cast<off_t>(bytes));
  const int why = errno;
  ::close(descriptor);
  errno = why;
  if (failed != 0) {
    refuse(path, "it cannot be made so long");
  }
}

file_part::file_part(std::string path, std::uint64_t first)
    : path_{std::move(path)},
      descriptor_{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)},
      at_{first} {
  if (descriptor_ < 0) {
    refuse(path_, "it cannot be written to; all PEs must see the same file");
  }
}

file_part::~file_part() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void file_part::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at_));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      refuse(path_, "it cannot be written to");
    }
    at_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void file_part::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) {
    refuse(path_, "it was not written to its end");
  }
}

}  // namespace lamellar::io::detail
