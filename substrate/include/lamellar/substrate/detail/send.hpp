// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstdint>
#include <lamellar/substrate/detail/handler.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <source_location>
#include <tuple>

// One message from its arguments into a buffer. World, darc and context all send through this.
namespace lamellar::detail {

/// A PE, and the line of the program that named it.
struct located_pe {
  pe value;
  std::source_location where;
  located_pe(pe v, std::source_location w = std::source_location::current())  // NOLINT
      : value{v}, where{w} {}
  template <std::same_as<team_position> T>
  located_pe(T) {  // NOLINT: only to say it in words
    static_assert(!std::same_as<T, team_position>,
                  "a place in a team is not the number of a PE: translate it with team.at()");
  }
};

/// A place in a team, and the line of the program that named it.
struct located_position {
  team_position value;
  std::source_location where;
  located_position(team_position v,
                   std::source_location w = std::source_location::current())  // NOLINT
      : value{v}, where{w} {}
  template <std::same_as<pe> T>
  located_position(T) {  // NOLINT: only to say it in words
    static_assert(!std::same_as<T, pe>,
                  "the number of a PE is not its place in a team: translate it with "
                  "team.position_of(), or send to the world");
  }
};

[[noreturn]] void no_such_pe(const engine& at, const located_pe& to);
/// The object is one of a team, of which `to` is no member.
[[noreturn]] void no_part_there(const engine& at, const located_pe& to, std::uint32_t object);

inline std::uint32_t checked(const engine& at, const located_pe& to) {
  if (to.value.index() >= at.size()) [[unlikely]] {
    no_such_pe(at, to);
  }
  return to.value.index();
}

template <class F, class Object, bool Call, class Record>
struct handler_from;
template <class F, class Object, bool Call, class... Args>
struct handler_from<F, Object, Call, record<Args...>>
    : std::type_identity<handler<F, Object, Call, Args...>> {};

/// The handler that a message with these arguments reaches: one for each record layout, however
/// the arguments were spelled.
template <class F, class Object, bool Call, class... Given>
using handler_for = typename handler_from<F, Object, Call,
                                          typename shape<F, Object, Given...>::arguments>::type;

template <class Handler>
std::uint64_t key_of(std::uint32_t object) {
  return std::uint64_t{object} << 16 | registered<Handler>.id;
}

template <class Layout, class F, class... Given>
void write_record(std::byte* out, const F& f, const Given&... given) {
  if constexpr (std::is_empty_v<F>) {
    Layout::write(out, given...);
  } else {
    Layout::write(out, f, given...);
  }
}

/// The same; what an argument throws while it is converted or serialised leaves no trace.
template <class Layout, class Withdraw, class F, class... Given>
void write_record_or(const Withdraw& withdraw, std::byte* out, const F& f,
                     const Given&... given) {
  try {
    write_record<Layout>(out, f, given...);
  } catch (...) {
    withdraw();
    throw;
  }
}

template <class Layout, class F, class... Given>
std::size_t measure_record(const F& f, const Given&... given) {
  if constexpr (std::is_empty_v<F>) {
    return Layout::measure(given...);
  } else {
    return Layout::measure(f, given...);
  }
}

/// Write the record through a function pointer: for messages larger than a buffer.
template <class Writer>
void write_through(void* writer, std::byte* out) {
  (*static_cast<Writer*>(writer))(out);
}

template <class Object, class F, class... Given>
void send_message(engine& at, std::uint32_t to, std::uint32_t object, const F& f,
                  const Given&... given) {
  check_handler<F, Object, Given...>();
  using code = handler_for<F, Object, false, Given...>;
  using layout = typename code::s::layout;
  lane& from = at.here();
  const std::uint64_t key = key_of<code>(object);
  if constexpr (code::s::fixed) {
    std::byte* out = at.append<layout::size>(from, to, key, code::acknowledged);
    if constexpr (layout::size != 0) {
      write_record_or<layout>([&] { at.withdraw(from, to, layout::size, false); }, out, f,
                              given...);
    }
  } else {
    const std::size_t bytes = measure_record<layout>(f, given...);
    if (bytes <= at.largest_record()) {
      write_record_or<layout>([&] { at.withdraw(from, to, variable_bytes(bytes), true); },
                              at.append_variable(from, to, key, bytes, code::acknowledged), f,
                              given...);
    } else {
      auto writer = [&](std::byte* out) { write_record<layout>(out, f, given...); };
      at.send_large(from, to, key, bytes, &write_through<decltype(writer)>, &writer,
                    code::acknowledged, nullptr, nullptr);
    }
  }
}

/// As call_message, for a group or for nobody: with `terms.unread` there is nothing to hold.
template <class Object, class F, class... Given>
auto call_on_terms(engine& at, const call_terms& terms, std::uint32_t to, std::uint32_t object,
                   const F& f, const Given&... given) {
  check_handler<F, Object, Given...>();
  using code = handler_for<F, Object, true, Given...>;
  using layout = typename code::s::layout;
  using result = typename code::result;
  lane& from = at.here();
  const std::uint64_t key = key_of<code>(object);
  reply_slot* slot = nullptr;
  if constexpr (code::s::fixed) {
    if constexpr (layout::size <= line_argument_bytes && inline_answer<result>) {
      if (lamellae::line* on = at.free_line(from, to); on != nullptr) {
        slot = at.begin_call_on_line(*on, to, key, static_cast<std::uint16_t>(layout::size),
                                     answer_size<result>(), terms);
        if constexpr (layout::size != 0) {
          write_record_or<layout>([&] { at.withdraw_call_on_line(to); }, line_arguments(*on), f,
                                  given...);
        }
        at.publish_line(to);
        return reply<result>{terms.unread ? nullptr : slot};
      }
    }
    std::byte* out = nullptr;
    std::tie(out, slot) = at.append_call<layout::size>(from, to, key, terms);
    if constexpr (layout::size != 0) {
      write_record_or<layout>([&] { at.withdraw_call(from, to, layout::size, *slot); }, out, f,
                              given...);
    }
    at.ship_lone_call(from, to);
  } else {
    const std::size_t bytes = measure_record<layout>(f, given...);
    if (bytes <= at.largest_record()) {
      std::byte* out = nullptr;
      std::tie(out, slot) = at.append_variable_call(from, to, key, bytes, terms);
      write_record_or<layout>([&] { at.withdraw_call(from, to, variable_bytes(bytes), *slot); },
                              out, f, given...);
      at.ship_lone_call(from, to);
    } else {
      auto writer = [&](std::byte* out) { write_record<layout>(out, f, given...); };
      at.send_large(from, to, key, bytes, &write_through<decltype(writer)>, &writer, false,
                    &terms, &slot);
    }
  }
  return reply<result>{terms.unread ? nullptr : slot};
}

template <class Object, class F, class... Given>
auto call_message(engine& at, std::uint32_t to, std::uint32_t object, const F& f,
                  const Given&... given) {
  return call_on_terms<Object>(at, {}, to, object, f, given...);
}

/// The same for a call whose line in the program is known: warnings name it.
template <class Object, class F, class... Given>
auto call_from(engine& at, std::source_location where, std::uint32_t to, std::uint32_t object,
               const F& f, const Given&... given) {
  return call_on_terms<Object>(at, {nullptr, false, where}, to, object, f, given...);
}

template <class F, class Object, class... Given>
using call_result = typename handler_for<F, Object, true, Given...>::result;

}  // namespace lamellar::detail

// Messages that handlers return are sent, and handlers are what sends.
#include <lamellar/substrate/detail/run_returned.hpp>
