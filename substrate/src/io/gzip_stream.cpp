// SPDX-License-Identifier: BSD-3-Clause
#include "gzip_stream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <lamellar/substrate/io/byte_ranges.hpp>
#include <system_error>
#include <utility>
#include <vector>

#ifdef LAMELLAR_HAS_ZLIB
#include <zlib.h>
#endif

namespace lamellar::io {

bool is_gzip(std::string_view first_bytes) noexcept {
  constexpr std::string_view magic{"\x1f\x8b\x08"};
  constexpr unsigned undefined_flags = 0xe0;
  return first_bytes.size() > magic.size() && first_bytes.starts_with(magic) &&
         (static_cast<unsigned char>(first_bytes[magic.size()]) & undefined_flags) == 0;
}

#ifdef LAMELLAR_HAS_ZLIB

struct gzip_stream::state {
  state(std::string path_of_file, int open_descriptor)
      : path{std::move(path_of_file)}, descriptor{open_descriptor} {
    constexpr int gzip_of_any_window = 16 + MAX_WBITS;
    if (inflateInit2(&stream, gzip_of_any_window) != Z_OK) {
      throw file_error(path, "there is no memory left to decompress it");
    }
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() { inflateEnd(&stream); }

  /// Whether there are compressed bytes to go on with.
  bool has_input() {
    if (stream.avail_in != 0) {
      return true;
    }
    ssize_t got = -1;
    do {
      got = ::pread(descriptor, input.data(), input.size(), static_cast<off_t>(read));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      throw file_error(
          path, fmt::format("{} at byte {}", std::generic_category().message(errno), read));
    }
    read += static_cast<std::uint64_t>(got);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(got);
    return got != 0;
  }

  /// Fill the empty output, unless the file ends.
  void fill() {
    stream.next_out = reinterpret_cast<Bytef*>(output.data());
    stream.avail_out = static_cast<uInt>(output.size());
    while (stream.avail_out == output.size()) {
      if (!has_input()) {
        if (within) {
          throw file_error(path, fmt::format("it ends within its compressed data, after {} "
                                             "good bytes; it was cut: copy it again",
                                             decompressed));
        }
        break;
      }
      if (!within) {
        inflateReset(&stream);
        within = true;
      }
      const int result = inflate(&stream, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        within = false;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        throw file_error(path, fmt::format("its compressed data are damaged, after {} good "
                                           "bytes ({}); copy it again",
                                           decompressed + output.size() - stream.avail_out,
                                           stream.msg == nullptr ? "zlib" : stream.msg));
      }
    }
    begin = 0;
    end = output.size() - stream.avail_out;
    decompressed += end;
  }

  std::string path;
  int descriptor;
  std::uint64_t read = 0;          // compressed bytes, from the file
  std::uint64_t decompressed = 0;  // good bytes
  bool within = false;             // a stream has begun, and not ended
  z_stream stream{};
  std::vector<char> input = std::vector<char>(std::size_t{1} << 16);
  std::vector<char> output = std::vector<char>(std::size_t{1} << 18);
  std::size_t begin = 0;  // of what is ahead, in output
  std::size_t end = 0;
};

gzip_stream::gzip_stream(std::string path, int descriptor)
    : state_{std::make_unique<state>(std::move(path), descriptor)} {}

std::string_view gzip_stream::ahead() {
  if (state_->begin == state_->end) {
    state_->fill();
  }
  return {state_->output.data() + state_->begin, state_->end - state_->begin};
}

void gzip_stream::take(std::size_t n) noexcept { state_->begin += n; }

#else

struct gzip_stream::state {};

gzip_stream::gzip_stream(std::string path, int) {
  throw file_error(path,
                   "it is compressed by gzip, and this build has no zlib: install it (on "
                   "Debian: apt-get install zlib1g-dev) and build again, or use gunzip first");
}

std::string_view gzip_stream::ahead() { return {}; }

void gzip_stream::take(std::size_t) noexcept {}

#endif

gzip_stream::~gzip_stream() = default;

}  // namespace lamellar::io
