// SPDX-License-Identifier: BSD-3-Clause
// Arguments and results of every kind there and back, and how often they are copied.
#include <array>
#include <atomic>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

template <class T>
struct echo {
  T operator()(const T& value) const { return value; }
};

/// `value` comes back as it was, by a call to each PE, alone and as one of many in a run.
template <class T>
void check_echo(world& w, const T& value) {
  for (std::uint32_t to = 0; to < w.size(); ++to) {
    CHECK(w.call(w.at(to), echo<T>{}, value).get() == value);
  }
  std::vector<reply<T>> many;
  for (int k = 0; k < 200; ++k) many.push_back(w.call(next_of(w), echo<T>{}, value));
  bool same = true;
  for (reply<T>& one : many) same = same && one.get() == value;
  CHECK(same);
}

template <std::size_t N>
struct bytes {
  std::array<unsigned char, N> of;
  bool operator==(const bytes&) const = default;
};

template <std::size_t... N>
void check_sizes(world& w, std::index_sequence<N...>) {
  const auto check_one = [&w]<std::size_t Size>(std::integral_constant<std::size_t, Size>) {
    bytes<Size> value;
    for (std::size_t k = 0; k < Size; ++k) {
      value.of[k] = static_cast<unsigned char>(17 * k + Size);
    }
    check_echo(w, value);
  };
  (check_one(std::integral_constant<std::size_t, N + 1>{}), ...);
}

enum class colour : std::uint8_t { red = 3, green = 200 };

struct point {
  double x;
  std::int8_t tag;  // padding behind it
  bool operator==(const point&) const = default;
};

struct mixed {
  std::string name;
  std::vector<point> points;
  std::map<std::string, std::vector<int>> table;
  std::optional<double> perhaps;
  bool operator==(const mixed&) const = default;
};

class with_serialize {
 public:
  with_serialize() = default;
  with_serialize(int a, std::string b) : number_{a}, text_{std::move(b)} {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_, text_);
  }
  bool operator==(const with_serialize&) const = default;

 private:
  int number_ = 0;
  std::string text_;
};

// Counts of one process: under `local` all PEs share them.
std::atomic<int> copies{0};
std::atomic<int> moves{0};

class counted {
 public:
  counted() = default;
  explicit counted(int value) : value_{value} {}
  counted(const counted& other) : value_{other.value_} { ++copies; }
  counted(counted&& other) noexcept : value_{other.value_} { ++moves; }
  counted& operator=(const counted& other) {
    value_ = other.value_;
    ++copies;
    return *this;
  }
  counted& operator=(counted&& other) noexcept {
    value_ = other.value_;
    ++moves;
    return *this;
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value_);
  }
  int value() const { return value_; }

 private:
  int value_ = 0;
};

}  // namespace

TEST_CASE("plain values of 1 to 16 bytes arrive as they were sent") {
  on_pes([](world& w) { check_sizes(w, std::make_index_sequence<16>{}); });
}

TEST_CASE("numbers, enumerations, pairs and aggregates arrive as they were sent") {
  on_pes([](world& w) {
    check_echo(w, true);
    check_echo(w, false);
    check_echo(w, 'x');
    check_echo(w, std::int64_t{-1});
    check_echo(w, 1.5f);
    check_echo(w, -0.125);
    check_echo(w, colour::green);
    check_echo(w, std::pair<std::uint8_t, std::uint64_t>{255, ~std::uint64_t{0}});
    check_echo(w, std::array<std::uint16_t, 5>{1, 2, 3, 4, 5});
    check_echo(w, point{2.5, -7});
    // Larger than the line of a lone call, than a slot's room, than a fixed record may be.
    check_echo(w, std::array<std::uint64_t, 6>{1, 2, 3, 4, 5, 6});
    std::array<std::uint64_t, 300> many;
    std::iota(many.begin(), many.end(), 1);
    check_echo(w, many);
    std::array<std::uint64_t, 700> too_many;
    std::iota(too_many.begin(), too_many.end(), 1);
    check_echo(w, too_many);
  });
}

TEST_CASE("nothing at all is an argument list and a result") {
  on_pes([](world& w) {
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      w.call(w.at(to), [] {}).get();
      CHECK(w.call(w.at(to), [] { return true; }).get());
      w.call(
           w.at(to), [](int, double) {}, 1, 2.0)
          .get();
    }
  });
}

TEST_CASE("strings, containers and classes arrive as they were sent") {
  on_pes([](world& w) {
    check_echo(w, std::string{});
    check_echo(w, std::string{"a\0b", 3});
    check_echo(w, std::string(100, 'x'));
    check_echo(w, std::vector<int>{});
    check_echo(w, std::vector<int>{1, -2, 3});
    check_echo(w, std::vector<bool>{true, false, true});
    check_echo(w, std::vector<std::string>{"", "a", "bc"});
    check_echo(w, std::vector<std::vector<std::uint8_t>>{{}, {1}, {2, 3}});
    check_echo(w, std::map<std::string, std::pair<int, double>>{{"a", {1, 2}}, {"b", {3, 4}}});
    check_echo(w, std::optional<std::string>{});
    check_echo(w, std::optional<std::string>{"there"});
    check_echo(w, mixed{});
    check_echo(w, mixed{"n", {{1, 2}, {3, 4}}, {{"k", {5, 6}}, {"l", {}}}, 0.5});
    check_echo(w, with_serialize{42, "of cereal"});
    check_echo(w, std::vector<with_serialize>{{1, "a"}, {2, ""}});
  });
}

TEST_CASE("many arguments of different alignment keep their order and values") {
  on_pes([](world& w) {
    const auto f = [](bool a, double b, char c, std::uint64_t d, std::string_view e,
                      std::uint16_t g, std::span<const double> h, const std::vector<char>& i) {
      return a && b == 1.5 && c == 'c' && d == ~std::uint64_t{1} && e == "text" && g == 65535 &&
             h.size() == 3 && h[2] == 3 && i == std::vector<char>{'x'} &&
             reinterpret_cast<std::uintptr_t>(h.data()) % alignof(double) == 0;
    };
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      CHECK(w.call(w.at(to), f, true, 1.5, 'c', ~std::uint64_t{1}, "text", 65535,
                   std::vector<double>{1, 2, 3}, std::vector<char>{'x'})
                .get());
    }
  });
}

TEST_CASE("spans and string views read the arrived record in place, aligned") {
  on_pes([](world& w) {
    auto random = lamellar::testing::seeded(w, 5);
    const auto sum = [](std::string_view text, std::span<const std::uint64_t> values) {
      const bool aligned = reinterpret_cast<std::uintptr_t>(values.data()) % 8 == 0;
      return aligned ? std::accumulate(values.begin(), values.end(), text.size()) : 0;
    };
    for (int round = 0; round < 300; ++round) {
      const std::string text(random() % 40, 'x');
      std::vector<std::uint64_t> values(random() % 100);
      for (auto& v : values) v = random() % 1000;
      const std::uint64_t expected = std::accumulate(values.begin(), values.end(), text.size());
      const auto to = static_cast<std::uint32_t>(random() % w.size());
      if (w.call(w.at(to), sum, text, values).get() != expected) {
        FAIL_CHECK("wrong sum for ", text.size(), " characters and ", values.size(), " values");
      }
    }
    const std::uint32_t plain[] = {1, 2, 3, 4};
    CHECK(w.call(
               next_of(w),
               [](std::span<const std::uint32_t> of) {
                 return std::accumulate(of.begin(), of.end(), 0u);
               },
               plain)
              .get() == 10);
  });
}

TEST_CASE("an argument is written from where it is and never copied") {
  on_pes([](world& w) -> task<> {
    const pe next = next_of(w);
    const auto take_reference = [](const counted& c) { return c.value(); };
    const auto take_value = [](counted c) { return c.value(); };
    const counted mine{42};
    for (int round = 0; round < 4; ++round) {
      co_await w.barrier();
      copies = 0;
      moves = 0;
      co_await w.barrier();
      int result = 0;
      switch (round) {
        case 0:
          result = w.call(next, take_reference, mine).get();
          break;
        case 1:
          result = w.call(next, take_value, mine).get();
          break;
        case 2:
          w.send(next, take_reference, mine);
          break;
        default:
          w.send(next, take_value, mine);
          break;
      }
      w.wait_all();
      co_await w.barrier();
      CHECK(result == (round < 2 ? 42 : 0));
      CHECK(copies.load() == 0);
      // Moved into the tuple of all arguments and out of it, and into a parameter that is a
      // value.
      const int handled = static_cast<int>(w.able().pes_in_process);
      CHECK(moves.load() <= (round % 2 == 1 ? 4 : 3) * handled);
    }
  });
}

TEST_CASE("a result is copied as seldom as its argument") {
  on_pes([](world& w) -> task<> {
    const int handled = static_cast<int>(w.able().pes_in_process);
    co_await w.barrier();
    copies = 0;
    moves = 0;
    co_await w.barrier();
    const auto make = [](int value) { return counted{value}; };
    CHECK(w.call(next_of(w), make, 7).get().value() == 7);
    co_await w.barrier();
    CHECK(copies.load() <= handled);  // read out of the tuple that its record was decoded into
  });
}
