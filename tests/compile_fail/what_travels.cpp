// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/by_value.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <lamellar/substrate/weak_darc.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What must not travel, and what the compiler says then.

using lamellar::check_message_argument;
using lamellar::check_sendable_callable;

struct node {
  int value;
  node* next;
};

struct borrowed {
  std::string name;
  int& counter;
};

class account {
 public:
  explicit account(int number) : number_{number}, owner_{} {}
  int number() const { return number_; }

 private:
  int number_;
  std::string owner_;
};

void function(int) {}

inline void what_travels() {
  int k = 1;
  auto captures = [k](int x) { return k + x; };

  check_message_argument<int>();
  check_message_argument<std::vector<std::string>>();
  check_message_argument<std::string_view>();
  check_sendable_callable<lamellar::closure<decltype(captures)>>();

  check_message_argument<lamellar::darc<int>>();
  check_message_argument<std::vector<lamellar::local_rw_darc<int>>>();
#ifdef WEAK_HANDLE
  check_message_argument<lamellar::weak_darc<int>>();
#endif
#ifdef GUARD
  check_message_argument<lamellar::local_rw_darc<int>::read_guard>();
#endif
#ifdef POINTER
  check_message_argument<int*>();
#endif
#ifdef TEXT_POINTER
  check_message_argument<const char*>();
#endif
#ifdef HIDDEN_POINTER
  check_message_argument<node>();
#endif
#ifdef POINTER_IN_CONTAINER
  check_message_argument<std::vector<node*>>();
#endif
#ifdef REFERENCE_MEMBER
  check_message_argument<borrowed>();
#endif
#ifdef NOT_SERIALISABLE
  check_message_argument<account>();
#endif
#ifdef MUTABLE_SPAN
  check_message_argument<std::span<int>>();
#endif
#ifdef CLOSURE_AS_ARGUMENT
  check_message_argument<decltype(captures)>();
#endif
#ifdef CLOSURE
  check_sendable_callable<decltype(captures)>();
#endif
#ifdef REFERENCE_CLOSURE
  auto by_reference = [&k] { ++k; };
  check_sendable_callable<decltype(by_reference)>();
#endif
#ifdef FUNCTION_POINTER
  check_sendable_callable<decltype(&function)>();
#endif
#ifdef STRING_IN_CLOSURE
  const std::string text = "a";
  static_cast<void>(lamellar::by_value([text] { return text.size(); }));
#endif
}
