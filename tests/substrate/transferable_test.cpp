// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/fields.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

// What may travel is decided by the compiler, so most of this is decided when the file
// compiles.

namespace {

enum class colour : std::uint8_t { red, green };

struct empty {};
struct point {
  double x, y;
  colour paint;
};
struct nested {
  point centre;
  int grid[2][3];
  std::array<point, 4> corners;
  bool closed;
};
struct bits {
  unsigned low : 3, high : 5;
  unsigned rest;
};
struct text {
  char letters[256];
  int used;
};
struct based : point {
  int z;
};
struct with_pair {
  std::pair<int, double> both;
  int k;
};
struct with_defaults {
  int a = 3;
  int b = 4;
};
struct with_empty {
  empty a;
  [[no_unique_address]] empty b;
  int x;
};

class owner {  // believed, for its author has said so below
 public:
  explicit owner(int index) : index_{index} {}
  int index() const { return index_; }

 private:
  int index_;
};
struct routed {  // its members cannot be left out
  int a;
  owner from;
  owner through[2];
};

struct with_pointer {
  int a;
  int* p;
};
struct hides_pointer {
  with_pointer deep;
};
struct array_of_pointers {
  int* all[3];
};
struct pointers_in_array {
  std::array<with_pointer, 3> all;
};
struct pointer_with_default {
  int a = 3;
  int* b = nullptr;
};
struct pointer_base {
  int* a;
};
struct based_on_pointer : pointer_base {
  int b;
};
struct pair_with_pointer {
  std::pair<int, int*> both;
};
struct with_reference {
  int a;
  int& r;
};
struct with_constant_reference {
  int a;
  const int& r;
};
struct with_constant {
  const int a;
};
struct with_function {
  int a;
  void (*f)();
};
struct with_member_pointer {
  int a;
  int with_pointer::*m;
};
struct with_union {
  int a;
  union {
    int i;
    int* p;
  };
};
struct with_view {
  int a;
  std::string_view s;
};
struct with_span {
  int a;
  std::span<int> s;
};
struct with_optional_pointer {
  int a;
  std::optional<int*> p;
};
struct starts_with_optional_pointer {
  std::optional<int*> p;
  int a;
};
struct with_null {
  std::nullptr_t n;
};
struct with_reference_wrapper {
  int a;
  std::reference_wrapper<int> r;
};
struct unknown {  // trivially copyable, and nobody has vouched for it
  unknown() : a{0} {}
  int a;
};

}  // namespace

template <>
inline constexpr bool lamellar::enable_bitwise<owner> = true;

namespace {

using lamellar::bitwise;
using lamellar::listable;
using lamellar::message_argument;
using lamellar::transferable;
using lamellar::view;

static_assert(bitwise<bool> && bitwise<char> && bitwise<long double> && bitwise<std::byte>);
static_assert(bitwise<colour> && bitwise<empty> && bitwise<point> && bitwise<nested>);
static_assert(bitwise<int[3]> && bitwise<std::array<point, 3>> &&
              bitwise<std::pair<int, point>>);
static_assert(bitwise<bits> && bitwise<text> && bitwise<based> && bitwise<with_pair>);
static_assert(bitwise<with_defaults> && bitwise<with_empty>);
static_assert(bitwise<owner> && bitwise<routed> && bitwise<std::array<owner, 2>>);

static_assert(!bitwise<int*> && !bitwise<int&> && !bitwise<const int> && !bitwise<void>);
static_assert(!bitwise<void (*)()> && !bitwise<int with_pointer::*> &&
              !bitwise<std::nullptr_t>);
static_assert(!bitwise<with_pointer> && !bitwise<hides_pointer> && !bitwise<array_of_pointers>);
static_assert(!bitwise<pointers_in_array> && !bitwise<pointer_with_default>);
static_assert(!bitwise<based_on_pointer> && !bitwise<pair_with_pointer>);
static_assert(!bitwise<with_reference> && !bitwise<with_constant_reference>);
static_assert(!bitwise<with_constant> && !bitwise<with_function> &&
              !bitwise<with_member_pointer>);
static_assert(!bitwise<with_union> && !bitwise<with_view> && !bitwise<with_span>);
static_assert(!bitwise<with_optional_pointer> && !bitwise<starts_with_optional_pointer>);
static_assert(!bitwise<with_null> && !bitwise<with_reference_wrapper> && !bitwise<unknown>);
static_assert(!bitwise<std::string> && !bitwise<std::string_view> &&
              !bitwise<std::vector<int>>);
static_assert(!bitwise<std::unique_ptr<int>> && !bitwise<std::array<int*, 2>>);

static_assert(lamellar::bitwise_size<empty> == 0 && lamellar::bitwise_size<point> == 24);

// With cereal: its types, classes with members for it, and aggregates of those.

struct named {
  std::string name;
  int ages[3];
  std::vector<point> path;
  std::string aliases[2];
  std::map<std::string, std::vector<int>> index;
};
struct holds_named {
  named inner;
  int* none();
};
struct annotated {
  std::optional<std::string> note;
  std::variant<int, std::string> either;
  std::unique_ptr<int> owned;
};
struct annotated_pointer {
  std::optional<std::string> note;
  std::optional<int*> p;
};
struct not_null {  // makes itself of anything, and promises not to throw
  template <class U>
    requires std::convertible_to<U, int*> not_null(U&& p)
  noexcept : p_{p} {}
  int* p_;
};
struct with_not_null {
  int a;
  not_null p;
};
struct named_pointer {
  std::string name;
  int* p;
};
struct named_view {
  std::string name;
  std::string_view s;
};
struct intrusive {
  std::optional<std::string> note;
  std::variant<int, std::string> either;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(note, either);
  }
};
struct split {
  std::string s;
  template <class Archive>
  void save(Archive& archive) const {
    archive(s);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(s);
  }
};
struct outside {
  std::string s;
  int* ignored = nullptr;
};
template <class Archive>
void serialize(Archive& archive, outside& value) {
  archive(value.s);
}
struct no_default {
  explicit no_default(int value) : k{value} {}
  int k;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(k);
  }
};

static_assert(transferable<int> && transferable<point> && transferable<std::string>);
static_assert(transferable<std::vector<std::string>> && transferable<std::vector<bool>>);
static_assert(transferable<std::map<std::string, std::vector<point>>>);
static_assert(transferable<std::unordered_map<int, std::string>>);
static_assert(transferable<std::tuple<int, std::string>> && transferable<std::optional<int>>);
static_assert(transferable<std::variant<int, std::string>>);
static_assert(transferable<std::unique_ptr<int>> && transferable<std::shared_ptr<std::string>>);
static_assert(transferable<std::pair<std::string, int>>);
static_assert(transferable<std::array<std::string, 2>>);
static_assert(transferable<named> && transferable<holds_named> && transferable<intrusive>);
static_assert(transferable<annotated> && !transferable<annotated_pointer>);
static_assert(!bitwise<with_not_null> && !transferable<with_not_null>);
static_assert(transferable<split> && transferable<outside>);
static_assert(transferable<std::vector<named>> && transferable<std::map<int, intrusive>>);

static_assert(!transferable<int*> && !transferable<std::vector<int*>>);
static_assert(!transferable<std::map<int, int*>> && !transferable<std::optional<int*>>);
static_assert(!transferable<std::tuple<int, int*>> && !transferable<std::array<int*, 2>>);
static_assert(!transferable<std::vector<with_pointer>> && !transferable<std::function<void()>>);
static_assert(!transferable<named_pointer> && !transferable<named_view> &&
              !transferable<unknown>);
static_assert(!transferable<no_default> && !transferable<std::string_view>);
static_assert(!transferable<const int> && !transferable<int&> && !transferable<void>);

static_assert(view<std::string_view> && view<std::span<const point>>);
static_assert(!view<std::span<int>> && !view<std::span<const std::string>>);
static_assert(!view<std::span<const long double>> && !view<std::span<int* const>>);
static_assert(message_argument<std::span<const int>> && message_argument<named>);

static_assert(listable<named> && listable<point> && !listable<based> && !listable<std::string>);
static_assert(!listable<int> && !listable<empty>);

}  // namespace

TEST_CASE("a capturing lambda is not transferable, one without captures is bitwise") {
  int k = 3;
  const auto captures = [k] { return k; };
  const auto captures_nothing = [] { return 3; };
  CHECK_FALSE(transferable<std::remove_const_t<decltype(captures)>>);
  CHECK(bitwise<std::remove_const_t<decltype(captures_nothing)>>);
}

TEST_CASE("the members of an aggregate are listed in order, arrays as one") {
  named value{"n", {1, 2, 3}, {}, {"a", "b"}, {}};
  const auto members = lamellar::fields(value);
  static_assert(std::tuple_size_v<decltype(members)> == 5);
  CHECK(&std::get<0>(members) == &value.name);
  CHECK(&std::get<1>(members) == &value.ages);
  CHECK(&std::get<2>(members) == &value.path);
  CHECK(&std::get<3>(members) == &value.aliases);
  CHECK(&std::get<4>(members) == &value.index);
}

TEST_CASE("a bitwise value comes back from its bytes, wherever they lie") {
  const nested value{{1.5, -2, colour::green}, {{1, 2, 3}, {4, 5, 6}}, {}, true};
  std::vector<std::byte> bytes(sizeof(nested) + 1);
  CHECK(lamellar::write_bitwise(bytes.data() + 1, value) == bytes.data() + bytes.size());
  const auto back = lamellar::read_bitwise<nested>(bytes.data() + 1);
  CHECK(back.centre.x == 1.5);
  CHECK(back.centre.paint == colour::green);
  CHECK(back.grid[1][2] == 6);
  CHECK(back.closed);
}

TEST_CASE("a byte that is neither 0 nor 1 is read as true") {
  const std::byte odd{0x7e};
  CHECK(lamellar::read_bitwise<bool>(&odd) == true);
}
