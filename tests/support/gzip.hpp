// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

// Bytes as gzip would write them to a file.
namespace lamellar::testing {

inline std::string gzipped(std::string_view text) {
  z_stream stream{};
  constexpr int gzip_of_any_window = 16 + MAX_WBITS;
  constexpr int memory = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_of_any_window, memory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot begin to compress");
  }
  std::string to(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  const int result = deflate(&stream, Z_FINISH);
  to.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) {
    throw std::runtime_error("zlib cannot compress");
  }
  return to;
}

}  // namespace lamellar::testing
