// SPDX-License-Identifier: BSD-3-Clause
// A build without zlib knows compressed files, and says what is missing.
#include <doctest/doctest.h>

#include <lamellar/substrate/io/byte_ranges.hpp>
#include <lamellar/substrate/io/text.hpp>
#include <string>

#include "../../support/scratch_directory.hpp"
#include "complaint.hpp"

namespace io = lamellar::io;
using lamellar::testing::complaint;
using lamellar::testing::contains;

TEST_CASE("a compressed file is refused, with what to do") {
  const lamellar::testing::scratch_directory scratch;
  const std::string head{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10};
  const io::input_file file = io::inspect(scratch.write("packed.gz", head + "more"));
  CHECK(file.compressed);
  const std::string text = complaint([&] { io::line_reader{io::whole(file)}; });
  CHECK(contains(text, "packed.gz"));
  CHECK(contains(text, "zlib1g-dev"));
}
