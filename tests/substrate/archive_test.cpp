// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/substrate/archive.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/error.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

using lamellar::byte_reader;
using lamellar::byte_writer;
using lamellar::corrupt_message;

namespace {

/// What the archives make of `value`: first how long it is, then its bytes.
template <class T>
std::vector<std::byte> saved(const T& value) {
  byte_writer measure{std::span<std::byte>{}};
  lamellar::output_archive{measure}(value);
  std::vector<std::byte> bytes(measure.size());
  byte_writer writer{bytes};
  lamellar::output_archive{writer}(value);
  CHECK(writer.size() == bytes.size());
  return bytes;
}

template <class T>
T loaded(std::span<const std::byte> bytes) {
  T value{};
  byte_reader reader{bytes};
  lamellar::input_archive{reader}(value);
  reader.finish();
  return value;
}

template <class T>
void check_round_trip(const T& value) {
  const std::vector<std::byte> bytes = saved(value);
  CHECK(loaded<T>(bytes) == value);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> part(bytes.begin(),
                                      bytes.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_AS(static_cast<void>(loaded<T>(part)), corrupt_message);
  }
}

enum class colour : std::uint8_t { red, green };

struct point {  // bitwise: no code
  double x;
  std::int32_t y;
  bool operator==(const point&) const = default;
};

struct empty {
  bool operator==(const empty&) const = default;
};

struct labelled {  // an aggregate: no code
  std::string label;
  point at;
  std::vector<point> path;
  std::string sides[2];
  bool operator==(const labelled&) const = default;
};

class secretive {  // private members and functions, open to cereal
 public:
  secretive() = default;
  secretive(int number, std::string text) : number_{number}, text_{std::move(text)} {}
  bool operator==(const secretive&) const = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::make_nvp("number", number_), CEREAL_NVP(text_));
  }

  int number_ = 0;
  std::string text_;
};

struct celsius {  // saved as another type
  double degrees = 0;
  bool operator==(const celsius&) const = default;
};
template <class Archive>
std::int32_t save_minimal(const Archive&, const celsius& value) {
  return static_cast<std::int32_t>(value.degrees);
}
template <class Archive>
void load_minimal(const Archive&, celsius& value, const std::int32_t& degrees) {
  value.degrees = degrees;
}

}  // namespace

TEST_CASE("values of every kind come back, and are refused when cut off") {
  check_round_trip(true);
  check_round_trip(std::int64_t{-5});
  check_round_trip(2.5);
  check_round_trip(colour::green);
  check_round_trip(std::string(1000, 'x'));
  check_round_trip(point{1, 2});
  check_round_trip(labelled{"l", {1, 2}, {{3, 4}, {5, 6}}, {"a", "b"}});
  check_round_trip(secretive{7, "seven"});
  check_round_trip(celsius{20});
}

TEST_CASE("containers of every kind come back, and are refused when cut off") {
  const labelled value{"l", {1, 2}, {{3, 4}}, {"a", "b"}};
  check_round_trip(std::vector<int>{1, 2, 3});
  check_round_trip(std::vector<bool>{true, false});
  check_round_trip(std::vector<point>(300));
  check_round_trip(std::vector<labelled>{value, value});
  check_round_trip(std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}});
  check_round_trip(std::array<std::string, 2>{"a", "b"});
  check_round_trip(std::array<point, 2>{});
  check_round_trip(std::deque<point>{{1, 2}});
  check_round_trip(std::list<std::string>{"a"});
  check_round_trip(std::list<empty>(3));
  check_round_trip(std::map<std::string, labelled>{{"k", value}});
  check_round_trip(std::unordered_map<int, secretive>{{1, {2, "two"}}});
  check_round_trip(std::set<int>{1, 2});
  check_round_trip(std::unordered_set<std::string>{"a"});
  check_round_trip(std::pair<std::string, point>{"a", {1, 2}});
  check_round_trip(std::tuple<int, std::string, labelled>{1, "a", value});
  check_round_trip(std::optional<labelled>{value});
  check_round_trip(std::optional<labelled>{});
  check_round_trip(std::variant<int, std::string>{"a"});
}

TEST_CASE("owners come back with what they own, and shared objects stay shared") {
  CHECK(*loaded<std::unique_ptr<labelled>>(saved(std::make_unique<labelled>(
            labelled{"l", {}, {}, {}}))) == labelled{"l", {}, {}, {}});
  CHECK(loaded<std::unique_ptr<int>>(saved(std::unique_ptr<int>{})) == nullptr);
  const auto one = std::make_shared<std::string>("one");
  const auto both =
      loaded<std::vector<std::shared_ptr<std::string>>>(saved(std::vector{one, one}));
  CHECK(*both[0] == "one");
  CHECK(both[0] == both[1]);
}

TEST_CASE("vectors of bitwise elements cost their bytes and one length") {
  CHECK(saved(std::vector<point>(10)).size() == 1 + 10 * sizeof(point));
  CHECK(saved(std::vector<point>(254)).size() == 1 + 254 * sizeof(point));
  CHECK(saved(std::vector<point>(255)).size() == 9 + 255 * sizeof(point));
}

TEST_CASE("a variant that does not exist is a corrupt message, not cereal's own exception") {
  using either = std::variant<int, std::string>;
  std::vector<std::byte> bytes = saved(either{1});
  bytes[0] = std::byte{9};  // which alternative
  byte_reader reader{bytes};
  CHECK_THROWS_AS(static_cast<void>(lamellar::decode<either>(reader)), corrupt_message);
}

TEST_CASE("a long sequence of short elements is not believed before it arrives") {
  std::vector<std::byte> bytes(2000);
  byte_writer writer{bytes};
  writer.put_length(
      1900);  // elements of at least one byte would fit, strings of 32 do not exist
  writer.put_length(1000);  // the first already goes on too far
  writer.put_length(255);
  CHECK_THROWS_AS(static_cast<void>(loaded<std::vector<std::string>>(bytes)), corrupt_message);
}

TEST_CASE("lengths take one byte below 255 and nine from there") {
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{254}, std::uint64_t{255},
        std::uint64_t{256}, ~std::uint64_t{0}}) {
    std::byte bytes[9];
    byte_writer writer{bytes};
    writer.put_length(length);
    CHECK(writer.size() == (length < 255 ? 1 : 9));
    byte_reader reader{{bytes, writer.size()}};
    CHECK(reader.get_length() == length);
    CHECK(reader.left() == 0);
  }
}

TEST_CASE("a reader never multiplies itself past the end") {
  const std::byte bytes[16] = {};
  byte_reader reader{bytes};
  // 2^61 elements of 8 bytes are 2^64 bytes, which is 0 in 64 bits.
  CHECK_THROWS_AS(reader.take(std::uint64_t{1} << 61, 8), corrupt_message);
  CHECK(reader.left() == 16);
  CHECK(reader.take(2, 8) == bytes);
}
