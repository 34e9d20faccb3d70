// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/substrate/signature.hpp>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// A handler that returns `on_caller(g, args...)` has g run on the PE that called, as a handler
// there. The caller's reply holds g's result, and is complete when g has ended:
//
//   const auto look = [](std::uint64_t key) { return on_caller(keep{}, key, value_of(key)); };
//   const bool fresh = co_await world.call(owner, look, key);     // what keep returned, here
//
// After a send() g runs on the sender too; nobody waits for it but wait_all() and quiesce().
namespace lamellar {

namespace detail {

/// What keeps the content of an argument that was sent as `Sent`.
template <class Sent>
struct owner_of : std::type_identity<Sent> {};
template <>
struct owner_of<std::string_view> : std::type_identity<std::string> {};
template <class T>
struct owner_of<std::span<const T>> : std::type_identity<std::vector<T>> {};

template <class Given>
using owned = typename owner_of<sent_type<Given>>::type;

/// A message on its way back. Its parts travel, it does not.
template <class G, class... Args>
struct returned_message {
  G callable;
  std::tuple<Args...> arguments;
};

}  // namespace detail

/// The message `g(args...)`, to be returned by a handler. g is what may be sent: a stateless
/// callable or one with members that travel; it may take a context& first, whose origin() is
/// the PE that returned it, and it may be a coroutine.
///
/// Cost: a message to the caller instead of an answer.
template <class G, class... Given>
auto on_caller(G g, const Given&... args) {
  return detail::returned_message<G, detail::owned<const Given&>...>{
      std::move(g), {detail::owned<const Given&>(args)...}};
}

}  // namespace lamellar
