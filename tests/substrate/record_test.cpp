// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/signature.hpp>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using lamellar::corrupt_message;
using lamellar::record;

namespace {

struct point {
  double x;
  std::int32_t y;
  bool operator==(const point&) const = default;
};

struct named {
  std::string name;
  int ages[3];
  std::vector<point> path;
  bool operator==(const named&) const = default;
};

struct tree {
  std::map<std::string, std::vector<named>> branches;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(branches);
  }
  bool operator==(const tree&) const = default;
};

/// A record in memory whose beginning is aligned as a buffer's would be.
class aligned_bytes {
 public:
  explicit aligned_bytes(std::size_t size) : words_((size + 7) / 8 + 1), size_{size} {}
  explicit aligned_bytes(std::span<const std::byte> from) : aligned_bytes{from.size()} {
    if (!from.empty()) {
      std::memcpy(words_.data(), from.data(), from.size());
    }
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }
  std::span<std::byte> all() { return {data(), size_}; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

template <class Record, class... Given>
aligned_bytes written(const Given&... given) {
  aligned_bytes bytes{Record::measure(given...)};
  CHECK(Record::write(bytes.data(), given...) == bytes.data() + bytes.all().size());
  return bytes;
}

/// The arguments with views copied, so that they can be compared after the buffer has gone.
template <class T>
T owned(T value) {
  return value;
}
std::string owned(std::string_view text) { return std::string{text}; }
template <class T>
std::vector<T> owned(std::span<const T> values) {
  return {values.begin(), values.end()};
}
template <class... Args>
auto owned_all(std::tuple<Args...> arguments) {
  return std::apply([](auto... each) { return std::tuple{owned(each)...}; },
                    std::move(arguments));
}

}  // namespace

TEST_CASE("a fixed record is its arguments back to back") {
  using pair = record<std::uint64_t, std::uint16_t>;
  static_assert(pair::fixed && pair::size == 10 && pair::alignment == 1 && !pair::has_views);
  static_assert(record<>::fixed && record<>::size == 0);
  static_assert(record<point>::size == sizeof(point));

  std::byte bytes[10];
  CHECK(pair::write(bytes, std::uint64_t{0x1122334455667788}, std::uint16_t{0xaabb}) ==
        bytes + 10);
  std::uint64_t first = 0;
  std::uint16_t second = 0;
  std::memcpy(&first, bytes, 8);
  std::memcpy(&second, bytes + 8, 2);
  CHECK(first == 0x1122334455667788);
  CHECK(second == 0xaabb);
  CHECK(pair::read(bytes) == std::tuple{first, second});
  CHECK(pair::read_unchecked(bytes) == std::tuple{first, second});
}

TEST_CASE("an empty class takes no bytes") {
  struct empty {};
  using mostly_empty = record<empty, int, empty>;
  static_assert(mostly_empty::fixed && mostly_empty::size == sizeof(int));
  std::byte bytes[sizeof(int)];
  mostly_empty::write(bytes, empty{}, 7, empty{});
  CHECK(std::get<1>(mostly_empty::read(bytes)) == 7);
}

TEST_CASE("what is given becomes what the handler takes") {
  using numbers = record<std::uint64_t, double>;
  std::byte bytes[16];
  numbers::write(bytes, 7, 2.5F);
  CHECK(numbers::read(bytes) == std::tuple{std::uint64_t{7}, 2.5});

  using texts = record<std::string, std::string_view, std::vector<int>>;
  const int raw[] = {4, 5};
  auto read =
      owned_all(texts::read(written<texts>("literal", std::string{"string"}, raw).all()));
  CHECK(read == std::tuple{std::string{"literal"}, std::string{"string"}, std::vector{4, 5}});

  using spans = record<std::span<const int>>;
  CHECK(owned_all(spans::read(written<spans>(std::vector{1, 2, 3}).all())) ==
        std::tuple{std::vector{1, 2, 3}});
  CHECK(owned_all(spans::read(written<spans>(std::array{1, 2}).all())) ==
        std::tuple{std::vector{1, 2}});
}

TEST_CASE("views lie in the record, elements at their alignment") {
  using views = record<char, std::string_view, std::span<const double>, std::string_view>;
  static_assert(views::alignment == alignof(double) && views::has_views && !views::fixed);
  for (std::size_t length = 0; length < 10; ++length) {
    const std::string text(length, 'x');
    const std::vector<double> numbers{1, 2, 3};
    aligned_bytes bytes = written<views>('c', text, numbers, "tail");
    const auto [letter, first, elements, last] = views::read(bytes.all());
    CHECK(letter == 'c');
    CHECK(first == text);
    CHECK(last == "tail");
    CHECK(std::vector<double>(elements.begin(), elements.end()) == numbers);
    CHECK(reinterpret_cast<std::uintptr_t>(elements.data()) % alignof(double) == 0);
    CHECK(reinterpret_cast<const std::byte*>(elements.data()) > bytes.data());
    CHECK(reinterpret_cast<const std::byte*>(elements.data()) <
          bytes.data() + bytes.all().size());
  }
}

TEST_CASE("a record with a span refuses to be read where its elements would not be aligned") {
  using doubles = record<std::span<const double>>;
  const std::vector<double> numbers{1, 2};
  aligned_bytes room{doubles::measure(numbers) + 1};
  doubles::write(room.data(), numbers);
  std::memmove(room.data() + 1, room.data(), doubles::measure(numbers));
  CHECK_THROWS_AS(static_cast<void>(doubles::read(room.all().subspan(1))), corrupt_message);
}

TEST_CASE("a write into too little room tells how much is needed and stays inside") {
  using variable = record<std::string_view, std::vector<int>, tree>;
  const std::string text(300, 'a');
  const std::vector<int> numbers{1, 2, 3};
  const tree branches{{{"k", {{"n", {1, 2, 3}, {{1, 2}}}}}}};
  const std::size_t needed = variable::measure(text, numbers, branches);
  for (std::size_t room = 0; room <= needed + 3; ++room) {
    std::vector<std::byte> bytes(needed + 8, std::byte{0x5a});
    CHECK(variable::try_write({bytes.data(), room}, text, numbers, branches) == needed);
    for (std::size_t i = room; i < bytes.size(); ++i) {
      REQUIRE(bytes[i] == std::byte{0x5a});
    }
    if (room >= needed) {
      const auto read = variable::read({bytes.data(), needed});
      CHECK(std::get<0>(read) == text);
      CHECK(std::get<2>(read) == branches);
    }
  }
  using fixed = record<std::uint64_t>;
  std::byte bytes[8] = {};
  CHECK(fixed::try_write({bytes, 7}, std::uint64_t{1}) == 8);
  CHECK(bytes[0] == std::byte{0});
  CHECK(fixed::try_write({bytes, 8}, std::uint64_t{1}) == 8);
  CHECK(bytes[0] == std::byte{1});
}

TEST_CASE(
    "apply calls with the prefix first, by reference, and returns what the call returns") {
  using arguments = record<std::string_view, int>;
  aligned_bytes bytes = written<arguments>("four", 4);
  std::string seen;
  const auto f = [](std::string& prefix, std::string_view text, int k) -> std::string& {
    prefix = std::string{text} + std::to_string(k);
    return prefix;
  };
  static_assert(std::is_same_v<decltype(arguments::apply(f, bytes.all(), seen)), std::string&>);
  CHECK(&arguments::apply(f, bytes.all(), seen) == &seen);
  CHECK(seen == "four4");

  std::byte fixed[4];
  record<int>::write(fixed, 5);
  auto twice = [](int k) { return 2 * k; };
  CHECK(record<int>::apply(twice, std::span<const std::byte>{fixed}) == 10);
  CHECK(record<int>::apply_unchecked(twice, fixed) == 10);
}

namespace {

/// The text that describes what is wrong with `bytes`; empty if they are a record.
template <class Record>
std::string complaint(std::span<const std::byte> bytes) {
  try {
    static_cast<void>(Record::read(bytes));
  } catch (const corrupt_message& refusal) {
    return refusal.what();
  }
  return {};
}

/// Every shorter and every longer record is refused.
template <class Record, class... Given>
void check_every_length(const Given&... given) {
  aligned_bytes whole = written<Record>(given...);
  CHECK(complaint<Record>(whole.all()).empty());
  for (std::size_t size = 0; size < whole.all().size(); ++size) {
    // A copy of its own for each, so that a sanitizer sees the end.
    const std::vector<std::byte> part(whole.data(), whole.data() + size);
    CAPTURE(size);
    CHECK_FALSE(complaint<Record>(part).empty());
  }
  aligned_bytes longer{whole.all().size() + 1};
  std::memcpy(longer.data(), whole.data(), whole.all().size());
  CHECK_FALSE(complaint<Record>(longer.all()).empty());
}

}  // namespace

TEST_CASE("a record that is cut off anywhere, or too long, is refused") {
  check_every_length<record<>>();
  check_every_length<record<std::uint64_t, point>>(1U, point{1, 2});
  check_every_length<record<std::string_view>>("text");
  check_every_length<record<std::string, int>>(std::string(300, 'x'), 1);
  check_every_length<record<char, std::span<const double>>>('c', std::vector{1.0, 2.0});
  check_every_length<record<named>>(named{"n", {1, 2, 3}, {{1, 2}, {3, 4}}});
  check_every_length<record<int, tree>>(1,
                                        tree{{{"a", {{"n", {1, 2, 3}, {{1, 2}}}}}, {"b", {}}}});
  check_every_length<record<std::vector<bool>>>(std::vector<bool>{true, false, true});
  check_every_length<record<std::vector<std::string>>>(std::vector<std::string>{"a", "", "bc"});
}

TEST_CASE("a complaint says what is wrong and where") {
  std::byte bytes[3] = {};
  CHECK(complaint<record<std::uint64_t>>(bytes) ==
        "the record has 3 bytes, its arguments take 8");
  bytes[0] = std::byte{9};
  CHECK(complaint<record<std::string_view>>(bytes).find("9 elements") != std::string::npos);
  CHECK(complaint<record<std::string_view>>(bytes).find("byte 1 of 3") != std::string::npos);
  bytes[0] = std::byte{1};
  CHECK(complaint<record<std::string_view>>(bytes).find("goes on for 1 bytes") !=
        std::string::npos);
}

namespace {

/// A length of 2^60, as it stands in a record, followed by a few bytes.
std::vector<std::byte> impossible_length() {
  std::vector<std::byte> bytes(32);
  bytes[0] = std::byte{0xff};
  const std::uint64_t length = std::uint64_t{1} << 60;
  std::memcpy(bytes.data() + 1, &length, sizeof(length));
  return bytes;
}

}  // namespace

TEST_CASE("an impossible length is refused before anything is allocated") {
  const std::vector<std::byte> bytes = impossible_length();
  CHECK_FALSE(complaint<record<std::string>>(bytes).empty());
  CHECK_FALSE(complaint<record<std::string_view>>(bytes).empty());
  CHECK_FALSE(complaint<record<std::span<const double>>>(aligned_bytes{bytes}.all()).empty());
  CHECK_FALSE(complaint<record<std::vector<std::uint64_t>>>(bytes).empty());
  CHECK_FALSE(complaint<record<std::vector<std::string>>>(bytes).empty());
  CHECK_FALSE(complaint<record<std::vector<bool>>>(bytes).empty());
  CHECK_FALSE(complaint<record<std::map<std::string, int>>>(bytes).empty());
  CHECK_FALSE(complaint<record<tree>>(bytes).empty());
}

namespace {

std::string random_text(std::mt19937_64& random) {
  std::string text(random() % 4 == 0 ? random() % 600 : random() % 12, ' ');
  for (char& letter : text) {
    letter = static_cast<char>('a' + random() % 26);
  }
  return text;
}

named random_named(std::mt19937_64& random) {
  named value{random_text(random), {}, {}};
  for (int& age : value.ages) {
    age = static_cast<int>(random());
  }
  value.path.resize(random() % 5);
  for (point& step : value.path) {
    step = {static_cast<double>(random() % 1000), static_cast<std::int32_t>(random())};
  }
  return value;
}

tree random_tree(std::mt19937_64& random) {
  tree value;
  for (std::uint64_t branches = random() % 4; branches > 0; --branches) {
    auto& branch = value.branches[random_text(random)];
    for (std::uint64_t leaves = random() % 3; leaves > 0; --leaves) {
      branch.push_back(random_named(random));
    }
  }
  return value;
}

using everything = record<std::uint16_t, std::string_view, std::span<const std::uint64_t>,
                          named, std::vector<point>, tree, std::string>;

}  // namespace

TEST_CASE("random records come back as they were written") {
  constexpr std::uint64_t seed = 20260811;
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 2000; ++round) {
    const auto number = static_cast<std::uint16_t>(random());
    const std::string text = random_text(random);
    std::vector<std::uint64_t> words(random() % 40);
    for (auto& word : words) {
      word = random();
    }
    const named person = random_named(random);
    const tree branches = random_tree(random);
    const std::string tail = random_text(random);
    aligned_bytes bytes =
        written<everything>(number, text, words, person, person.path, branches, tail);
    REQUIRE(owned_all(everything::read(bytes.all())) ==
            std::tuple{number, text, words, person, person.path, branches, tail});
  }
}

TEST_CASE("a corrupt record is refused or read as another, and never crashes") {
  constexpr std::uint64_t seed = 7;
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const named person = random_named(random);
    aligned_bytes bytes =
        written<everything>(1, random_text(random), std::vector<std::uint64_t>(3), person,
                            person.path, random_tree(random), "end");
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      bytes.all()[random() % bytes.all().size()] = static_cast<std::byte>(random());
    }
    refused += complaint<everything>(bytes.all()).empty() ? 0 : 1;
  }
  CHECK(refused > 1000);
}

TEST_CASE("a record is laid out after the handler's own parameters") {
  struct context {};
  const auto plain = [](context&, std::uint64_t, const std::string&, std::span<const int>) {};
  static_assert(
      std::is_same_v<
          lamellar::record_for<std::remove_const_t<decltype(plain)>, 1, int, const char*>::type,
          record<std::uint64_t, std::string, std::span<const int>>>);

  const auto open = [](auto&&...) {};
  static_assert(
      std::is_same_v<
          lamellar::record_for<std::remove_const_t<decltype(open)>, 0, int&, const char(&)[4],
                               std::string, std::span<int>, int(&)[2]>::type,
          record<int, std::string_view, std::string, std::span<const int>,
                 std::span<const int>>>);
}
