// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/record.hpp>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

using lamellar::by_value;
using lamellar::by_value_unchecked;
using lamellar::sendable_callable;
using lamellar::stateless_callable;

namespace {

struct stateless {
  int operator()(int k) const { return k; }
};
struct message {
  int a;
  std::string b;
  int operator()() const { return a; }
};
struct pointing {
  int* p;
  int operator()() const { return *p; }
};
int function(int k) { return k; }

static_assert(stateless_callable<stateless> && sendable_callable<stateless>);
static_assert(!stateless_callable<message> && sendable_callable<message>);
static_assert(!sendable_callable<pointing> && !sendable_callable<decltype(&function)>);
static_assert(!sendable_callable<int> && !sendable_callable<std::function<int()>>);

/// What the search finds in the closure.
template <class F>
std::optional<lamellar::detail::found_address> found_in(const F& f) {
  return lamellar::detail::find_address(std::as_bytes(std::span{&f, 1}));
}

template <class F>
std::string pointed_at_by(const F& f) {
  const auto found = found_in(f);
  return found ? found->points_to : "nothing";
}

int global = 0;

}  // namespace

TEST_CASE("lambdas without captures may be sent; those with captures only if wrapped") {
  int k = 3;
  const auto none = [](int x) { return x; };
  const auto generic = [](auto x) { return x; };
  const auto some = [k](int x) { return k + x; };
  using some_type = std::remove_const_t<decltype(some)>;
  CHECK(sendable_callable<std::remove_const_t<decltype(none)>>);
  CHECK(sendable_callable<std::remove_const_t<decltype(generic)>>);
  CHECK_FALSE(sendable_callable<some_type>);
  CHECK(sendable_callable<lamellar::closure<some_type>>);
  CHECK(lamellar::bitwise<lamellar::closure<some_type>>);
}

TEST_CASE("a wrapped closure keeps its captures through a record") {
  std::array<int, 3> values{1, 2, 3};
  const double factor = 0.5;
  auto wrapped = by_value([values, factor](int i) { return values[std::size_t(i)] * factor; });
  using carried = lamellar::record<decltype(wrapped)>;
  static_assert(carried::fixed);
  std::byte bytes[carried::size];
  carried::write(bytes, wrapped);
  const auto [arrived] = carried::read(bytes);
  CHECK(arrived(2) == 1.5);
}

TEST_CASE("a mutable closure changes its own copy") {
  int count = 0;
  auto counter = by_value([count]() mutable { return ++count; });
  auto copy = counter;
  CHECK(counter() == 1);
  CHECK(counter() == 2);
  CHECK(copy() == 1);
}

TEST_CASE("addresses are found, and named for where they point") {
  const auto heap = std::make_unique<int>(1);
  int local = 1;
  int* const on_heap = heap.get();
  int* const on_stack = &local;
  int* const in_program = &global;
  int (*const in_library)(const char*) = &std::puts;
  const std::uint64_t number = 42;

  CHECK(pointed_at_by([on_stack] { return on_stack; }) == "the stack");
  CHECK(pointed_at_by([&local] { return local; }) == "the stack");
  CHECK(pointed_at_by([in_program] { return in_program; }) == "the executable");
  CHECK(pointed_at_by([in_library] { return in_library; }).starts_with("the library /"));
  CHECK(pointed_at_by([on_heap] { return on_heap; }) == "the heap");

  const auto found = found_in([number, on_stack] { return number + (on_stack != nullptr); });
  REQUIRE(found);
  CHECK(found->offset == 8);
  CHECK(found->value == reinterpret_cast<std::uint64_t>(on_stack));
}

TEST_CASE("the stack of another thread is found too") {
  std::string named;
  std::thread{[&named] {
    int local = 0;
    named = pointed_at_by([&local] { return local; });
  }}.join();
  CHECK(named == "a thread's stack");
}

TEST_CASE("numbers are not taken for addresses") {
  const std::uint64_t small = 0x401000;  // where programs used to lie
  const std::uint64_t hash = 0x9e3779b97f4a7c15;
  const double real = 3.14159;
  const std::uint64_t unmapped = 0x0000'1234'5678'9ab0;
  CHECK_FALSE(found_in(
      [small, hash, real, unmapped] { return small + hash + unmapped + std::uint64_t(real); }));
  const int short_closure = 7;  // less than a word
  CHECK_FALSE(found_in([short_closure] { return short_closure; }));
}

namespace {

/// What a child process writes to its standard error while it runs `f`, and whether it ended by
/// itself.
template <class F>
std::pair<std::string, bool> run_in_child(F f) {
  int pipe_ends[2];
  REQUIRE(pipe(pipe_ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // the end of the child is no crash of the test
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[0]);
    f();
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string text;
  char part[256];
  for (ssize_t got = 0; (got = read(pipe_ends[0], part, sizeof(part))) > 0;) {
    text.append(part, static_cast<std::size_t>(got));
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {text, WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

}  // namespace

TEST_CASE("a closure with an address ends the job, and the message says where it was made") {
  const auto [text, survived] = run_in_child([] {
    int local = 1;
    lamellar::detail::search_closure([&local] { return local; },
                                     std::source_location::current());
  });
  CHECK_FALSE(survived);
  CHECK(text.find("misuse of by_value") != std::string::npos);
  CHECK(text.find("by_value_test.cpp:") != std::string::npos);
  CHECK(text.find("word at byte 0") != std::string::npos);
  CHECK(text.find("the stack") != std::string::npos);
}

namespace {

/// Search `harmless` instances of a closure type, then one with an address.
void search_many(unsigned harmless) {
  int local = 1;
  const int* p = nullptr;
  const auto make = [&p] { return [p] { return p; }; };
  for (unsigned i = 0; i < harmless; ++i) {
    lamellar::detail::search_closure(make(), std::source_location::current());
  }
  p = &local;
  lamellar::detail::search_closure(make(), std::source_location::current());
}

}  // namespace

TEST_CASE("the first 16 instances of a closure type are searched") {
  CHECK_FALSE(run_in_child([] { search_many(15); }).second);
  const auto [text, survived] = run_in_child([] { search_many(16); });
  CHECK(survived);
  CHECK(text.empty());
}

TEST_CASE("checked builds search what by_value wraps, and not what by_value_unchecked does") {
  const auto wrapped = run_in_child([] {
    int local = 1;
    static_cast<void>(by_value([&local] { return local; }));
  });
  CHECK(wrapped.second == !lamellar::detail::checked_build);
  const auto unchecked = run_in_child([] {
    int local = 1;
    static_cast<void>(by_value_unchecked([&local] { return local; }));
  });
  CHECK(unchecked.second);
}
