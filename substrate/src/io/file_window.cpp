// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <lamellar/substrate/io/file_window.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "gzip_stream.hpp"

namespace lamellar::io {

namespace {

// What is read beyond the end of the range, to finish the line or word that began in it, comes
// in bites of this size.
constexpr std::uint64_t tail_bytes = 4096;

}  // namespace

file_window::file_window(const file_range& range, std::uint64_t first,
                         const read_options& options)
    : path_(range.path),
      range_end_(range.end),
      file_size_(range.file_size),
      options_(options),
      offset_(first) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string why = std::generic_category().message(errno);
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    throw file_error(path_, why);
  }
  if (static_cast<std::uint64_t>(status.st_size) != file_size_) {
    ::close(descriptor_);
    throw file_error(path_, "it had " + std::to_string(file_size_) +
                                " bytes when the work was divided and has " +
                                std::to_string(status.st_size) +
                                " now; do not write to input files during a run");
  }
  if (range.compressed) {
    try {
      compressed_ = std::make_unique<gzip_stream>(path_, descriptor_);
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
  }
}

file_window::file_window(file_window&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      range_end_(other.range_end_),
      file_size_(other.file_size_),
      options_(other.options_),
      compressed_(std::move(other.compressed_)),
      storage_(std::move(other.storage_)),
      capacity_(other.capacity_),
      begin_(other.begin_),
      end_(other.end_),
      offset_(other.offset_) {}

file_window::~file_window() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

bool file_window::grow(const char* keep) {
  offset_ = offset(keep);
  const std::size_t kept = static_cast<std::size_t>(end_ - keep);
  begin_ += keep - begin_;
  if (compressed_) {
    return grow_compressed(kept);
  }
  const std::uint64_t next = offset_ + kept;
  if (next >= file_size_) {
    return false;
  }
  check_length(kept);
  // Up to the end of the range in chunks, beyond it in bites that grow with what is being
  // finished.
  std::uint64_t wanted =
      next < range_end_ ? range_end_ - next : std::max<std::uint64_t>(tail_bytes, kept);
  wanted = std::min(
      {wanted, std::max<std::uint64_t>({options_.chunk_bytes, kept, 1}), file_size_ - next});
  make_room(kept, static_cast<std::size_t>(wanted));

  ssize_t got = -1;
  do {
    got =
        ::pread(descriptor_, end_, static_cast<std::size_t>(wanted), static_cast<off_t>(next));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    throw file_error(
        path_, std::generic_category().message(errno) + " at byte " + std::to_string(next));
  }
  if (got == 0) {
    throw file_error(path_, "it ends at byte " + std::to_string(next) + " and had " +
                                std::to_string(file_size_) +
                                " bytes before; do not write to input files during a run");
  }
  end_ += got;
  return true;
}

bool file_window::grow_compressed(std::size_t kept) {
  const std::string_view ahead = compressed_->ahead();
  if (ahead.empty()) {
    return false;
  }
  check_length(kept);
  const std::size_t taken =
      std::min(ahead.size(), std::max<std::size_t>({options_.chunk_bytes, kept, 1}));
  make_room(kept, taken);
  std::memcpy(end_, ahead.data(), taken);
  end_ += taken;
  compressed_->take(taken);
  return true;
}

void file_window::check_length(std::size_t kept) const {
  if (kept >= options_.longest_bytes) {
    throw file_error(path_, "the line or word at byte " + std::to_string(offset_) +
                                " is longer than " + std::to_string(options_.longest_bytes) +
                                " bytes; raise read_options::longest_bytes");
  }
}

// Leaves the kept bytes at the front and room for `wanted` behind them. The storage at least
// doubles when it grows, so that a long line costs linear time.
void file_window::make_room(std::size_t kept, std::size_t wanted) {
  if (kept + wanted > capacity_) {
    const std::size_t capacity = std::max(kept + wanted, 2 * kept);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept != 0) {
      std::memcpy(larger.get(), begin_, kept);
    }
    storage_ = std::move(larger);
    capacity_ = capacity;
  } else if (kept != 0) {
    std::memmove(storage_.get(), begin_, kept);
  }
  begin_ = storage_.get();
  end_ = begin_ + kept;
}

}  // namespace lamellar::io
