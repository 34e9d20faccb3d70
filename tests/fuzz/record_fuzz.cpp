// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/record.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

// Whatever bytes arrive, reading a record ends in its arguments or in corrupt_message, and what
// was read can be written again and read as the same. The first byte chooses the kind of
// record.

namespace {

using lamellar::record;

struct point {
  double x;
  std::int32_t y;
};
struct named {
  std::string name;
  int ages[3];
  std::vector<point> path;
};
struct tree {
  std::map<std::string, std::vector<named>> branches;
  std::optional<std::variant<int, std::string>> label;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(branches, label);
  }
};

/// Write what was read and read it once more: the second writing must give the same bytes.
template <class Record, class Arguments>
void check_again(const Arguments& arguments) {
  std::apply(
      [](const auto&... each) {
        const std::size_t size = Record::measure(each...);
        std::vector<std::uint64_t> room(size / 8 + 1);  // aligned as a buffer is
        auto* const begin = reinterpret_cast<std::byte*>(room.data());
        if (Record::write(begin, each...) != begin + size) {
          std::abort();
        }
        std::apply(
            [&](const auto&... again) {
              std::vector<std::byte> second(Record::measure(again...));
              if (second.size() != size) {
                std::abort();
              }
              Record::write(second.data(), again...);
              if (size != 0 && std::memcmp(second.data(), begin, size) != 0) {
                std::abort();
              }
            },
            Record::read(std::span<const std::byte>{begin, size}));
      },
      arguments);
}

template <class Record>
void check(std::span<const std::byte> bytes) {
  try {
    check_again<Record>(Record::read(bytes));
  } catch (const lamellar::corrupt_message&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  // Exactly as long as the record, so that the sanitizer sees every byte beyond; aligned by the
  // heap.
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 1,
                                     reinterpret_cast<const std::byte*>(data) + size);
  switch (data[0] % 8) {
    case 0:
      check<record<std::uint64_t, std::int16_t>>(bytes);
      break;
    case 1:
      check<record<std::string_view, std::span<const double>, std::string>>(bytes);
      break;
    case 2:
      check<record<named>>(bytes);
      break;
    case 3:
      check<record<char, tree>>(bytes);
      break;
    case 4:
      check<record<std::vector<std::string>, std::vector<bool>>>(bytes);
      break;
    case 5:
      check<record<std::map<int, std::vector<std::vector<int>>>, std::span<const int>>>(bytes);
      break;
    case 6:
      check<record<std::optional<named>, std::tuple<std::string, int>>>(bytes);
      break;
    default:
      check<record<std::vector<named>, std::variant<int, std::string, named>>>(bytes);
      break;
  }
  return 0;
}
