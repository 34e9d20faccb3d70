// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/containers/detail/array_handlers.hpp>
#include <lamellar/substrate/bytes.hpp>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/pe.hpp>
#include <lamellar/substrate/reply.hpp>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What the owner of a key runs, and how keys and operands get there. An action says what
// becomes of one item:
//
//   part, result, operands   types; operands: a std::tuple of them
//   run(context&, part&, hash, key, operands...)
//
// Where key and operands are plain values, the records of a message are handled as one span, so
// that the memory of many items is fetched at once. Else each is handled for itself, or, where
// the caller has brought many, packed: encoded back to back, with their hashes.
namespace lamellar::detail {

template <class K, class... A>
struct keyed_record {
  K key;
  detail::operands<A...> with;
  static keyed_record of(const K& key, const A&... all) { return {key, make_operands(all...)}; }
};
template <class K>
struct keyed_record<K> {
  K key;
  static constexpr detail::operands<> with{};
  static keyed_record of(const K& key) { return {key}; }
};

/// The records of an action, and whether they are plain.
template <class Action, class Operands = typename Action::operands>
struct shape_of_keyed;
template <class Action, class... A>
struct shape_of_keyed<Action, std::tuple<A...>> {
  using part = typename Action::part;
  using key = typename part::key_type;
  using lookup = typename part::lookup;
  static constexpr std::size_t largest_record = 256;

  template <class... All>
  static consteval bool plain() {
    if constexpr ((bitwise<All> && ...)) {
      return ((!std::is_empty_v<All> && alignof(All) <= 8) && ...) &&
             (sizeof(All) + ...) <= largest_record;
    } else {
      return false;
    }
  }
  static constexpr bool flat = plain<key, A...>();
  using record = keyed_record<key, A...>;
};

/// Call Action::end(part), where an action has one, at the end of a message without answers.
template <class Action>
void end_of_message([[maybe_unused]] typename Action::part& here) {
  if constexpr (requires { Action::end(here); }) {
    Action::end(here);
  }
}

/// An answer as it travels: a std::vector<bool> would have no elements to fill.
template <class R>
using wire_answer = listed<R>;

// ---- plain records --------------------------------------------------------------------------

template <class Action>
struct tell_records {
  using part = typename Action::part;
  using record = typename shape_of_keyed<Action>::record;
  void operator()(context& where, part& here, std::span<const record> all) const {
    here.each(
        all.size(), [&](std::size_t k) -> const auto& { return all[k].key; },
        [&](std::size_t k, std::uint64_t h) {
          all[k].with.pass_to([&](const auto&... operands) {
            static_cast<void>(Action::run(where, here, h, all[k].key, operands...));
          });
        });
    end_of_message<Action>(here);
  }
};

/// Fill answers[k] with what becomes of record k.
template <class Action, class Records, class Put>
void answer_records(context& where, typename Action::part& here, const Records& all,
                    const Put& put) {
  here.each(
      all.size(), [&](std::size_t k) -> const auto& { return all[k].key; },
      [&](std::size_t k, std::uint64_t h) {
        all[k].with.pass_to([&](const auto&... operands) {
          put(k, Action::run(where, here, h, all[k].key, operands...));
        });
      });
}

/// Many calls.
template <class Action>
struct ask_records {
  using part = typename Action::part;
  using record = typename shape_of_keyed<Action>::record;
  using answer = wire_answer<typename Action::result>;
  void operator()(context& where, part& here, std::span<const record> all,
                  std::span<answer> answers) const {
    answer_records<Action>(where, here, all, [&](std::size_t k, auto&& result) {
      answers[k] = static_cast<answer>(std::forward<decltype(result)>(result));
    });
  }
};

/// One call for many.
template <class Action>
struct ask_list {
  using part = typename Action::part;
  using record = typename shape_of_keyed<Action>::record;
  using answer = wire_answer<typename Action::result>;
  std::vector<answer> operator()(context& where, part& here,
                                 std::span<const record> all) const {
    std::vector<answer> answers(all.size());
    answer_records<Action>(where, here, all, [&](std::size_t k, auto&& result) {
      answers[k] = static_cast<answer>(std::forward<decltype(result)>(result));
    });
    return answers;
  }
};

// ---- others ---------------------------------------------------------------------------------

template <class Action, class Operands = typename Action::operands>
struct tell_one;
template <class Action, class... A>
struct tell_one<Action, std::tuple<A...>> {
  using part = typename Action::part;
  void operator()(context& where, part& here, std::uint64_t h, typename part::lookup key,
                  A... operands) const {
    here.enter();
    static_cast<void>(Action::run(where, here, h, key, operands...));
    end_of_message<Action>(here);
  }
};

template <class Action, class Operands = typename Action::operands>
struct ask_one;
template <class Action, class... A>
struct ask_one<Action, std::tuple<A...>> {
  using part = typename Action::part;
  wire_answer<typename Action::result> operator()(context& where, part& here, std::uint64_t h,
                                                  typename part::lookup key,
                                                  A... operands) const {
    here.enter();
    return static_cast<wire_answer<typename Action::result>>(
        Action::run(where, here, h, key, operands...));
  }
};

/// Encoded back to back: hash, key, operands.
template <class Action, class Operands = typename Action::operands>
struct packed_records;
template <class Action, class... A>
struct packed_records<Action, std::tuple<A...>> {
  using part = typename Action::part;
  using lookup = typename part::lookup;

  static std::size_t measure(const lookup& key, const A&... operands) {
    byte_writer out{std::span<std::byte>{}};
    encode<lookup>(out, key);
    (encode<A>(out, operands), ...);
    return sizeof(std::uint64_t) + out.size();
  }
  static void append(std::vector<std::byte>& to, std::uint64_t h, const lookup& key,
                     const A&... operands) {
    const std::size_t before = to.size();
    to.resize(before + measure(key, operands...));
    byte_writer out{to.data() + before};
    out.put_value(h);
    encode<lookup>(out, key);
    (encode<A>(out, operands), ...);
  }

  /// Run all, and call put(k, result) for each.
  template <class Put>
  static void run(context& where, part& here, std::span<const std::byte> bytes,
                  const Put& put) {
    using decoded = std::tuple<lookup, A...>;
    constexpr std::size_t at_a_time = 64;
    byte_reader in{bytes, &engine_of(where.world())};
    std::vector<std::pair<std::uint64_t, decoded>> some;
    some.reserve(at_a_time);
    for (std::size_t first = 0; in.left() != 0; first += some.size()) {
      some.clear();
      while (some.size() < at_a_time && in.left() != 0) {
        const auto h = in.get_value<std::uint64_t>();
        some.emplace_back(h, decoded{decode<lookup>(in), decode<A>(in)...});
      }
      here.each_hashed(
          some.size(), [&](std::size_t k) { return some[k].first; },
          [&](std::size_t k, std::uint64_t h) {
            std::apply(
                [&](const lookup& key, const A&... operands) {
                  if constexpr (std::is_void_v<typename Action::result>) {
                    Action::run(where, here, h, key, operands...);
                  } else {
                    put(first + k, Action::run(where, here, h, key, operands...));
                  }
                },
                some[k].second);
          });
    }
  }
};

template <class Action>
struct tell_packed {
  using part = typename Action::part;
  void operator()(context& where, part& here, std::span<const std::byte> all) const {
    packed_records<Action>::run(where, here, all, [](std::size_t, const auto&) {});
    end_of_message<Action>(here);
  }
};
template <class Action>
struct ask_packed {
  using part = typename Action::part;
  using answer = wire_answer<typename Action::result>;
  std::vector<answer> operator()(context& where, part& here,
                                 std::span<const std::byte> all) const {
    std::vector<answer> answers;
    packed_records<Action>::run(where, here, all, [&](std::size_t, auto&& result) {
      answers.push_back(static_cast<answer>(std::forward<decltype(result)>(result)));
    });
    return answers;
  }
};

}  // namespace lamellar::detail
