// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/containers/detail/ask_owners.hpp>
#include <lamellar/containers/detail/keyed_handlers.hpp>
#include <lamellar/containers/detail/keyed_part.hpp>
#include <lamellar/containers/detail/repeated_keys.hpp>
#include <lamellar/containers/keyed_reply.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <ranges>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

// The handle of a container of keyed_parts: brings actions to the owners of keys, one at a time
// or many, with and without answers. Maps, sets and counters have one each.
//
// Thread-safety: as a value; operations: any thread of the PE.
namespace lamellar::detail {

template <class Part>
class keyed_handle {
 public:
  using key_type = typename Part::key_type;
  using lookup = typename Part::lookup;

  keyed_handle() noexcept = default;
  static task<keyed_handle> create(located_team of) {
    auto making = darc<Part>::create(of, of.value);
    keyed_handle made;
    made.parts_ = co_await making;
    made.part_ = &made.parts_.local();
    co_return made;
  }

  explicit operator bool() const { return part_ != nullptr; }
  Part& part() const { return *part_; }
  const darc<Part>& parts() const { return parts_; }
  world& where() const { return part_->members().where(); }

  /// An action of one key; done some time.
  template <class Action, class... Given>
  void tell(const lookup& key, const Given&... given) const {
    tell_hashed<Action>(Part::hash_of(key), key, given...);
  }
  template <class Action, class... Given>
  void tell_hashed(std::uint64_t h, const lookup& key, const Given&... given) const {
    using shape = shape_of_keyed<Action>;
    const pe owner{part_->owner_of(h)};
    if constexpr (shape::flat) {
      parts_.send(owner, tell_records<Action>{}, shape::record::of(key, given...));
    } else {
      parts_.send(owner, tell_one<Action>{}, h, key, given...);
    }
  }

  /// An action of one key, whose result comes back: a reply<wire_answer<result>>.
  template <class Action, class... Given>
  auto ask(const lookup& key, const Given&... given) const {
    using shape = shape_of_keyed<Action>;
    const std::uint64_t h = Part::hash_of(key);
    const pe owner{part_->owner_of(h)};
    if constexpr (shape::flat) {
      return parts_.call(owner, ask_records<Action>{}, shape::record::of(key, given...));
    } else {
      return parts_.call(owner, ask_one<Action>{}, h, key, given...);
    }
  }

  /// The same for an action that only looks: done at once, if the key is this PE's.
  template <class Action>
  auto look(const lookup& key) const {
    using answer = wire_answer<typename Action::result>;
    const std::uint64_t h = Part::hash_of(key);
    if (part_->position_of(h) == part_->me() && !part_->visited_here()) {
      context as_me{engine_of(where()), where().me().index()};
      return completion<answer>{static_cast<answer>(Action::run(as_me, *part_, h, key))};
    }
    return completion<answer>{ask<Action>(key)};
  }

  /// An action of each of n keys: `at(k)` gives a tuple of references to key and operands.
  template <class Action, class At>
  void tell_many(std::size_t n, const At& at) const {
    using shape = shape_of_keyed<Action>;
    if constexpr (shape::flat) {
      using record = typename shape::record;
      Part& here = *part_;
      parts_.send_each(tell_records<Action>{}, n, [&](std::size_t k) {
        return std::apply(
            [&](const auto& key, const auto&... operands) {
              return routed<record>{here.owner_of(Part::hash_of(key)),
                                    record::of(key, operands...)};
            },
            at(k));
      });
    } else {
      std::vector<std::vector<std::byte>> packs(part_->members_count());
      const auto ship = [&](std::uint32_t to) {
        parts_.send(pe{part_->pes()[to]}, tell_packed<Action>{},
                    std::span<const std::byte>{packs[to]});
        packs[to].clear();
      };
      for (std::size_t k = 0; k < n; ++k) {
        std::apply(
            [&](const auto& key, const auto&... operands) {
              const std::uint64_t h = Part::hash_of(key);
              const std::uint32_t to = part_->position_of(h);
              packed_records<Action>::append(packs[to], h, key, operands...);
              if (packs[to].size() >= pack_bytes) {
                ship(to);
              }
            },
            at(k));
      }
      for (std::uint32_t to = 0; to < packs.size(); ++to) {
        if (!packs[to].empty()) {
          ship(to);
        }
      }
    }
  }

  /// An action without operands of each key, which is asked for once if keys repeat: put(k,
  /// answer) for each k. `keys` must stay in place until the task has ended.
  template <class Action, class Keys, class Put>
  static task<> ask_many(keyed_handle of, Keys keys, Put put);

 private:
  // What is packed fills a part of a buffer, and stays in the cache while it is filled.
  static constexpr std::size_t pack_bytes = std::size_t{16} << 10;

  template <class Action, class Keys, class Put>
  static task<> ask_for_plain(keyed_handle of, Keys keys, Put put);
  template <class Action, class Keys, class Put>
  static task<> ask_for_packed(keyed_handle of, Keys keys, Put put);

  darc<Part> parts_;
  Part* part_ = nullptr;

 public:
  // Travelling: the parts' name.
  template <class Archive>
  void save(Archive& to) const {
    to(parts_);
  }
  template <class Archive>
  void load(Archive& from) {
    from(parts_);
    part_ = parts_ ? &parts_.local() : nullptr;
  }
};

/// Some questions of a packed message, and which they are.
struct packed_questions {
  std::vector<std::byte> bytes;
  std::vector<std::size_t> whose;
};

template <class Part>
template <class Action, class Keys, class Put>
task<> keyed_handle<Part>::ask_many(keyed_handle of, Keys keys, Put put) {
  if constexpr (shape_of_keyed<Action>::flat) {
    return ask_for_plain<Action>(std::move(of), std::move(keys), std::move(put));
  } else {
    return ask_for_packed<Action>(std::move(of), std::move(keys), std::move(put));
  }
}

template <class Part>
template <class Action, class Keys, class Put>
task<> keyed_handle<Part>::ask_for_plain(keyed_handle of, Keys keys, Put put) {
  using record = typename shape_of_keyed<Action>::record;
  using answer = wire_answer<typename Action::result>;
  Part& here = *of.part_;
  const std::size_t n = std::ranges::size(keys);
  const std::uint32_t me = here.me();
  engine& home = engine_of(of.where());
  context as_me{home, of.where().me().index()};
  const auto send = [&](std::uint32_t owner, std::span<const record> records) {
    return of.parts_.call(pe{here.pes()[owner]}, ask_list<Action>{}, records);
  };
  const std::size_t in_a_message =
      questions_in_a_message<record, answer>(home.largest_record());
  /// Ask for `count` keys: the j-th of them is keys[nth(j)].
  const auto ask_for = [&](std::size_t count, auto nth) {
    const auto question = [&keys, &here, nth](std::size_t j) {
      const auto& key = keys[nth(j)];
      return std::pair{here.position_of(Part::hash_of(key)), record{key}};
    };
    const auto take = [&put, nth](std::size_t j, const answer& one) { put(nth(j), one); };
    const auto serve = [&here, &as_me, me, take](std::uint32_t owner,
                                                 std::span<const record> records,
                                                 const std::size_t* whose) {
      if (owner != me) {
        return false;
      }
      answer_records<Action>(as_me, here, records, [&](std::size_t k, auto&& result) {
        take(whose[k], static_cast<answer>(std::forward<decltype(result)>(result)));
      });
      return true;
    };
    return ask_owners<record, answer>(here.members_count(), count, in_a_message, question,
                                      serve, send, take);
  };
  repeated_keys repeated;
  std::vector<std::size_t> asked;  // of a block that was searched: those that did not repeat
  constexpr std::size_t at_a_time = std::size_t{1} << 15;
  for (std::size_t next = 0; next < n;) {
    const std::size_t begin = next;
    next = std::min(n, begin + at_a_time * here.members_count());
    if (!repeated.begin(next - begin)) {
      auto asking = ask_for(next - begin, [begin](std::size_t j) { return begin + j; });
      co_await asking;
      continue;
    }
    asked.clear();
    for (std::size_t k = begin; k < next; ++k) {
      const auto same = [&](std::size_t other) { return Part::same_key(keys[other], keys[k]); };
      if (!repeated.find(Part::hash_of(keys[k]), k, same)) {
        asked.push_back(k);
      }
    }
    auto asking =
        ask_for(asked.size(), [which = asked.data()](std::size_t j) { return which[j]; });
    co_await asking;
    for (const auto& [again, first] : repeated.found()) {
      put.again(again, first);
    }
  }
}

template <class Part>
template <class Action, class Keys, class Put>
task<> keyed_handle<Part>::ask_for_packed(keyed_handle of, Keys keys, Put put) {
  using answer = wire_answer<typename Action::result>;
  struct under_way {
    reply<std::vector<answer>> answers;
    std::vector<std::size_t> whose;
  };
  Part& here = *of.part_;
  const std::size_t n = std::ranges::size(keys);
  const std::uint32_t owners = here.members_count();
  constexpr std::size_t at_a_time = std::size_t{1} << 14;
  repeated_keys repeated;
  std::vector<packed_questions> filling(owners);
  std::deque<under_way> waiting;
  const auto ship = [&](std::uint32_t to) {
    packed_questions& some = filling[to];
    waiting.push_back({of.parts_.call(pe{here.pes()[to]}, ask_packed<Action>{},
                                      std::span<const std::byte>{some.bytes}),
                       std::move(some.whose)});
    some.bytes.clear();
    some.whose.clear();
  };
  const auto take = [&](under_way& oldest, const std::vector<answer>& answers) {
    for (std::size_t j = 0; j < answers.size(); ++j) {
      put(oldest.whose[j], answers[j]);
    }
  };
  for (std::size_t begin = 0; begin < n;) {
    const std::size_t end = std::min(n, begin + at_a_time * owners);
    repeated.begin(end - begin);
    for (std::size_t k = begin; k < end; ++k) {
      const lookup key = keys[k];
      const std::uint64_t h = Part::hash_of(key);
      const auto same = [&](std::size_t other) { return Part::same_key(keys[other], keys[k]); };
      if (repeated.find(h, k, same)) {
        continue;
      }
      const std::uint32_t to = here.position_of(h);
      packed_records<Action>::append(filling[to].bytes, h, key);
      filling[to].whose.push_back(k);
      if (filling[to].bytes.size() < pack_bytes) {
        continue;
      }
      ship(to);
      if (waiting.size() > 4 * owners) {
        under_way oldest = std::move(waiting.front());
        waiting.pop_front();
        const std::vector<answer> answers = co_await oldest.answers;
        take(oldest, answers);
      }
    }
    begin = end;
    for (std::uint32_t to = 0; to < owners; ++to) {
      if (!filling[to].whose.empty()) {
        ship(to);
      }
    }
    while (!waiting.empty()) {
      under_way oldest = std::move(waiting.front());
      waiting.pop_front();
      const std::vector<answer> answers = co_await oldest.answers;
      take(oldest, answers);
    }
    for (const auto& [again, first] : repeated.found()) {
      put.again(again, first);
    }
  }
}

}  // namespace lamellar::detail
