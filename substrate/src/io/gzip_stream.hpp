// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// What a file compressed by gzip holds, from its beginning to its end.
//
// A file may be of several such streams, one after the other, as `cat a.gz b.gz` and block-wise
// compressors make them. Each ends with a checksum and its length, which are checked: what is
// cut off or changed is found, at the latest at the end.
//
// Built without zlib it knows such files, and refuses them.
//
// Thread-safety: none; one stream belongs to one reader.
namespace lamellar::io {

/// Whether a file with these first bytes is compressed by gzip: its magic number, the only
/// method there is, and no flag that is not defined.
bool is_gzip(std::string_view first_bytes) noexcept;

class gzip_stream {
 public:
  /// `descriptor` is read from its beginning, remains the caller's and must stay open. Throws:
  /// file_error, if this build has no zlib.
  gzip_stream(std::string path, int descriptor);
  ~gzip_stream();

  /// Bytes that come next; none only at the end of the file. They stay until take().
  ///
  /// Throws: file_error, which says after how many good bytes the file is damaged or cut off.
  std::string_view ahead();
  /// Pass over `n` of them.
  void take(std::size_t n) noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace lamellar::io
