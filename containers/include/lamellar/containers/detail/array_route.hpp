// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstring>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/detail/slots_ahead.hpp>
#include <lamellar/substrate/detail/prefetch.hpp>

// Which way an operation takes: in place where the element's memory is mapped here and the
// access allows it, else to the owner. Included by array.hpp.
namespace lamellar {

namespace detail {

/// As many operations as the longer one of a list of places and a list of operands has.
template <class Operand, class I, class V>
class pairs {
 public:
  pairs(const engine* at, const I& places, const V& operands, std::source_location where)
      : places_{places}, operands_{operands} {
    if constexpr (many_places) {
      count_ = std::ranges::size(places);
    }
    if constexpr (many_operands) {
      const std::size_t values = std::ranges::size(operands);
      if (many_places && values != count_) {
        lengths_differ(at, count_, values, where);
      }
      count_ = values;
    }
  }
  std::size_t size() const { return count_; }
  std::size_t index(std::size_t k) const {
    if constexpr (many_places) {
      return static_cast<std::size_t>(std::ranges::data(places_)[k]);
    } else {
      return static_cast<std::size_t>(places_);
    }
  }
  decltype(auto) operand(std::size_t k) const {
    if constexpr (many_operands) {
      return std::ranges::data(operands_)[k];
    } else {
      return operand_of_one(operands_);
    }
  }
  /// The single operand of all.
  static decltype(auto) operand_of_one(const V& given) {
    if constexpr (std::same_as<V, Operand>) {
      return (given);
    } else {
      return static_cast<Operand>(given);
    }
  }

  static constexpr bool many_places = !detail::index<I>;
  static constexpr bool many_operands = !std::convertible_to<const V&, Operand>;

 private:
  const I& places_;
  const V& operands_;
  std::size_t count_ = 1;
};

/// Why an operation has no result with this operand; nullptr: it has one.
template <class Action>
struct refusal {
  template <class V>
  static constexpr const char* of(const V&) {
    return nullptr;
  }
};
template <class T, class F>
  requires(is_integer<T> && (std::same_as<F, op::div> || std::same_as<F, op::rem>))
struct refusal<update_action<T, F, T>> {
  static const char* of(const T& value) { return value == T{0} ? "division by zero" : nullptr; }
};
template <class T, class F>
  requires(is_negative_possible<T> && (std::same_as<F, op::shl> || std::same_as<F, op::shr>))
struct refusal<update_action<T, F, T>> {
  static const char* of(const T& value) {
    return value < T{0} ? "a shift by a negative number of bits" : nullptr;
  }
};

/// Refuse operands before anything happens.
template <class Action>
struct operand_check {
  template <class V>
  static void look(const V& value, std::source_location where) {
    if (const char* const why = refusal<Action>::of(value); why != nullptr) [[unlikely]] {
      refuse_operand(why, where);
    }
  }
  template <class Pairs>
  static void look_at_all(const Pairs& all, std::source_location where) {
    for (std::size_t k = 0; k < (Pairs::many_operands ? all.size() : 1); ++k) {
      look(all.operand(k), where);
    }
  }
};

/// An action on a word, its operand in a word: to be put off.
template <class Element, class T, class Action>
struct apply_put_off {
  void operator()(std::byte* at, std::uint64_t operand) const noexcept {
    typename Action::operand value;
    std::memcpy(&value, &operand, sizeof(value));
    static_cast<void>(
        Action::template run<Element>(*reinterpret_cast<T*>(at), no_stripe, value));
  }
};

}  // namespace detail

template <array_element T, array_layout Layout, class Access>
template <class Action, class I, class V>
void array<T, Layout, Access>::tell(const I& at, const V& value,
                                    std::source_location where) const {
  using given = detail::pairs<typename Action::operand, I, V>;
  if constexpr (given::many_places || given::many_operands) {
    const given all{home_, at, value, where};
    detail::operand_check<Action>::look_at_all(all, where);
    tell_many<Action>(all, where);
  } else {
    const auto& operand = given::operand_of_one(value);
    detail::operand_check<Action>::look(operand, where);
    tell_one<Action>(static_cast<std::size_t>(at), operand, where);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class I, class V>
auto array<T, Layout, Access>::ask(const I& at, const V& value,
                                   std::source_location where) const {
  using given = detail::pairs<typename Action::operand, I, V>;
  if constexpr (given::many_places || given::many_operands) {
    const given all{home_, at, value, where};
    detail::operand_check<Action>::look_at_all(all, where);
    return ask_many<Action>(all, where);
  } else {
    const auto& operand = given::operand_of_one(value);
    detail::operand_check<Action>::look(operand, where);
    return ask_one<Action>(static_cast<std::size_t>(at), operand, where);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action>
inline void array<T, Layout, Access>::tell_one(std::size_t i,
                                               const typename Action::operand& operand,
                                               std::source_location where) const {
  check(i, "an operation", where);
  if constexpr (direct<Action>) {
    if (T* const slot = reached(i); slot != nullptr) [[likely]] {
      if constexpr (detail::deferrable<Action>::value) {
        detail::lane& on = home_->here();
        if (on.index == 0 && !on.in_handler()) [[likely]] {
          std::uint64_t bits = 0;
          std::memcpy(&bits, &operand, sizeof(operand));
          on.put_off.add<detail::apply_put_off<element, T, Action>>(
              reinterpret_cast<std::byte*>(slot), bits);
          return;
        }
      }
      static_cast<void>(run<Action>(*slot, operand));
      return;
    }
  }
  const element_place at = layout_.locate(first_ + i);
  if (wide_) [[unlikely]] {
    send_one<Action, std::uint64_t>(at, operand);
  } else {
    send_one<Action, std::uint32_t>(at, operand);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Offset>
void array<T, Layout, Access>::send_one(const element_place& at,
                                        const typename Action::operand& operand) const {
  const pe to{part_->pes()[at.part]};
  if constexpr (locked<Access>) {
    parts_.send(to, detail::tell_locked<element, handle_type, Offset, Action>{},
                static_cast<Offset>(at.offset), operand);
  } else if constexpr (bitwise<typename Action::operand>) {
    parts_.send(to, detail::tell_elements<element, part_type, Offset, Action>{},
                detail::element_record<Offset, typename Action::operand>{at.offset, operand});
  } else {
    parts_.send(to, detail::tell_element<element, part_type, Offset, Action>{},
                static_cast<Offset>(at.offset), operand);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action>
inline completion<typename Action::result> array<T, Layout, Access>::ask_one(
    std::size_t i, const typename Action::operand& operand, std::source_location where) const {
  check(i, "an operation", where);
  if constexpr (direct<Action>) {
    if (T* const slot = reached(i); slot != nullptr) [[likely]] {
      home_->here().put_off.drain();  // what this thread has asked for before
      return completion<typename Action::result>{run<Action>(*slot, operand)};
    }
  }
  const element_place at = layout_.locate(first_ + i);
  return completion<typename Action::result>{
      wide_ ? call_one<Action, std::uint64_t>(at, operand)
            : call_one<Action, std::uint32_t>(at, operand)};
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Offset>
auto array<T, Layout, Access>::call_one(const element_place& at,
                                        const typename Action::operand& operand) const {
  const pe to{part_->pes()[at.part]};
  const auto offset = static_cast<Offset>(at.offset);
  if constexpr (locked<Access>) {
    return parts_.call(to, detail::ask_locked<element, handle_type, Offset, Action>{}, offset,
                       operand);
  } else {
    return parts_.call(to, detail::ask_element<element, part_type, Offset, Action>{}, offset,
                       operand);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Pairs, class Take>
inline void array<T, Layout, Access>::run_many(const Pairs& all, std::source_location where,
                                               Take take) const {
  const slot_finder places{*this};
  const auto find = [&](std::size_t begin, std::size_t n, T** slots) {
    const auto index = [&](std::size_t k) { return all.index(begin + k); };
    check_all(n, index, "an operation", where);
    places.each(n, index, slots);
  };
  detail::each_slot_ahead<T>(all.size(), find, detail::prefetch_for<Action::writes>{},
                             [&](std::size_t k, T& slot) {
                               if constexpr (std::is_void_v<typename Action::result>) {
                                 run<Action>(slot, all.operand(k));
                               } else {
                                 take(k, run<Action>(slot, all.operand(k)));
                               }
                             });
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Offset, class Located>
void array<T, Layout, Access>::send_lists(std::size_t n, const Located& located) const {
  using record = detail::element_record<Offset, typename Action::operand>;
  const std::size_t most =
      detail::questions_in_a_message<record, char>(home_->largest_record());
  std::vector<std::vector<record>> lists(layout_.parts());
  const auto send = [&](std::uint32_t part) {
    parts_.send(pe{part_->pes()[part]},
                detail::tell_many_locked<element, handle_type, Offset, Action>{}, lists[part]);
    lists[part].clear();
  };
  for (std::size_t k = 0; k < n; ++k) {
    const auto [part, what] = located(k);
    lists[part].push_back(what);
    if (lists[part].size() == most) {
      send(part);
    }
  }
  for (std::uint32_t part = 0; part < layout_.parts(); ++part) {
    if (!lists[part].empty()) {
      send(part);
    }
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Pairs>
void array<T, Layout, Access>::tell_many(const Pairs& all, std::source_location where) const {
  const std::size_t n = all.size();
  if constexpr (direct<Action>) {
    if (all_reached_) [[likely]] {
      run_many<Action>(all, where, [](std::size_t, const auto&) {});
      return;
    }
  }
  if constexpr (bitwise<typename Action::operand>) {
    const auto send = [&]<class Offset, class Sent>(const auto& sent) {
      using record = detail::element_record<Offset, Sent>;
      const auto located = [&](std::size_t k) {
        const element_place at = place(all.index(k), "an operation", where);
        return std::pair{at.part, record{at.offset, sent(k)}};
      };
      if constexpr (locked<Access>) {
        send_lists<Action, Offset>(n, located);
      } else {
        const std::uint32_t* const pes = part_->pes();
        parts_.send_each(detail::tell_elements<element, part_type, Offset, Action, Sent>{}, n,
                         [&](std::size_t k) {
                           const auto [part, what] = located(k);
                           return routed<record>{pes[part], what};
                         });
      }
    };
    const auto send_all = [&]<class Sent>(std::type_identity<Sent>, const auto& sent) {
      if (wide_) {
        send.template operator()<std::uint64_t, Sent>(sent);
      } else {
        send.template operator()<std::uint32_t, Sent>(sent);
      }
    };
    if constexpr (detail::counts<Action> && !Pairs::many_operands && !locked<Access>) {
      if (all.operand(0) == 1) {  // then only the places need travel
        using one = std::integral_constant<typename Action::operand, 1>;
        send_all(std::type_identity<one>{}, [](std::size_t) { return one{}; });
        return;
      }
    }
    send_all(std::type_identity<typename Action::operand>{},
             [&](std::size_t k) { return all.operand(k); });
    return;
  }
  for (std::size_t k = 0; k < n; ++k) {
    tell_one<Action>(all.index(k), all.operand(k), where);
  }
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Pairs>
completion<std::vector<typename Action::result>> array<T, Layout, Access>::ask_many(
    const Pairs& all, std::source_location where) const {
  using result = typename Action::result;
  const std::size_t n = all.size();
  if constexpr (direct<Action>) {
    if (all_reached_) [[likely]] {
      home_->here().put_off.drain();
      std::vector<result> results(n);
      run_many<Action>(all, where,
                       [&results](std::size_t k, const result& value) { results[k] = value; });
      return completion<std::vector<result>>{std::move(results)};
    }
  }
  std::vector<element_place> places(n);
  std::vector<typename Action::operand> operands;
  operands.reserve(n);
  for (std::size_t k = 0; k < n; ++k) {
    places[k] = place(all.index(k), "an operation", where);
    operands.push_back(all.operand(k));
  }
  auto asking =
      wide_ ? ask_others<Action, std::uint64_t>(*this, std::move(places), std::move(operands))
            : ask_others<Action, std::uint32_t>(*this, std::move(places), std::move(operands));
  return completion<std::vector<result>>{reply<std::vector<result>>{std::move(asking)}};
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Offset, class Question, class Take>
task<> array<T, Layout, Access>::ask_parts(const array& of, std::size_t n, Question question,
                                           Take take) {
  using record = detail::element_record<Offset, typename Action::operand>;
  using answer = detail::listed<typename Action::result>;
  const auto serve = [&of, take](std::uint32_t owner, std::span<const record> records,
                                 const std::size_t* whose) {
    if constexpr (direct<Action>) {
      if (T* const base = of.part_->reach()[owner]; base != nullptr) {
        const auto find = [base, records](std::size_t begin, std::size_t count, T** slots) {
          for (std::size_t j = 0; j < count; ++j) {
            slots[j] = base + records[begin + j].offset();
          }
        };
        detail::each_slot_ahead<T>(
            records.size(), find, detail::prefetch_for<Action::writes>{},
            [&](std::size_t j, T& slot) {
              take(whose[j], static_cast<answer>(run<Action>(slot, records[j].operand())));
            });
        return true;
      }
    }
    return false;
  };
  const auto send = [&of](std::uint32_t owner, std::span<const record> records) {
    const pe to{of.part_->pes()[owner]};
    if constexpr (locked<Access>) {
      return of.parts_.call(to, detail::ask_many_locked<element, handle_type, Offset, Action>{},
                            std::vector<record>{records.begin(), records.end()});
    } else {
      return of.parts_.call(to, detail::ask_elements<element, part_type, Offset, Action>{},
                            records);
    }
  };
  const std::size_t most =
      detail::questions_in_a_message<record, answer>(of.home_->largest_record());
  return detail::ask_owners<record, answer>(of.layout_.parts(), n, std::min(most, n),
                                            std::move(question), serve, send, take);
}

template <array_element T, array_layout Layout, class Access>
template <class Action, class Offset>
task<std::vector<typename Action::result>> array<T, Layout, Access>::ask_others(
    array of, std::vector<element_place> places,
    std::vector<typename Action::operand> operands) {
  using result = typename Action::result;
  using operand = typename Action::operand;
  std::vector<result> results(places.size());
  if constexpr (bitwise<operand> && bitwise<result>) {
    using record = detail::element_record<Offset, operand>;
    using answer = detail::listed<result>;
    const auto question = [&](std::size_t k) {
      return std::pair{places[k].part, record{places[k].offset, operands[k]}};
    };
    const auto take = [&results](std::size_t k, const answer& value) {
      results[k] = static_cast<result>(value);
    };
    auto asking = ask_parts<Action, Offset>(of, places.size(), question, take);
    co_await asking;
  } else {
    std::vector<reply<result>> answers;
    answers.reserve(places.size());
    for (std::size_t k = 0; k < places.size(); ++k) {
      answers.push_back(of.template call_one<Action, Offset>(places[k], operands[k]));
    }
    for (std::size_t k = 0; k < answers.size(); ++k) {
      results[k] = co_await answers[k];
    }
  }
  co_return results;
}

}  // namespace lamellar
