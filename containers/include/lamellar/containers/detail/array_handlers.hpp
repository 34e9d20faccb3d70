// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/action.hpp>
#include <lamellar/substrate/context.hpp>
#include <lamellar/substrate/detail/prefetch.hpp>
#include <lamellar/substrate/task.hpp>
#include <span>
#include <type_traits>
#include <vector>

// What the owner of elements runs: an action on each element that a message names. `tell` is
// without answers, `ask` with them; the locked ones wait for the part's lock, once for all
// elements of a message.
namespace lamellar::detail {

/// How a result travels in a list. A list of bool would be packed.
template <class R>
using listed = std::conditional_t<std::same_as<R, bool>, std::uint8_t, R>;

template <class Element, class Action, class Part>
typename Action::result act(Part& part, std::size_t offset,
                            const typename Action::operand& operand) {
  return Action::template run<Element>(part.at(offset), stripe{part.locks(), offset}, operand);
}

/// For a run of records. `Sent` is the operand, or a type that has it as its only value and
/// takes no bytes.
template <class Element, class Part, class Offset, class Action,
          class Sent = typename Action::operand>
struct tell_elements {
  using record = element_record<Offset, Sent>;

  static const void* address(const Part& part, const record& r) {
    return part.own().data() + r.offset();
  }
  void operator()(Part& part, std::span<const record> all) const {
    constexpr std::size_t ahead = 16;
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (k + ahead < all.size()) {
        prefetch_for_write(address(part, all[k + ahead]));
      }
      const typename Action::operand operand = all[k].operand();
      static_cast<void>(act<Element, Action>(part, all[k].offset(), operand));
    }
  }
};

/// For one element, with an operand of any kind.
template <class Element, class Part, class Offset, class Action>
struct tell_element {
  void operator()(Part& part, Offset offset, const typename Action::operand& operand) const {
    static_cast<void>(act<Element, Action>(part, offset, operand));
  }
};

template <class Element, class Part, class Offset, class Action>
struct ask_element {
  typename Action::result operator()(Part& part, Offset offset,
                                     const typename Action::operand& operand) const {
    return act<Element, Action>(part, offset, operand);
  }
};

/// For many in one message.
template <class Element, class Part, class Offset, class Action>
struct ask_elements {
  using record = element_record<Offset, typename Action::operand>;
  std::vector<listed<typename Action::result>> operator()(Part& part,
                                                          std::span<const record> all) const {
    std::vector<listed<typename Action::result>> results(all.size());
    constexpr std::size_t ahead = 16;
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (k + ahead < all.size()) {
        prefetch_for<Action::writes>{}(part.own().data() + all[k + ahead].offset());
      }
      results[k] = act<Element, Action>(part, all[k].offset(), all[k].operand());
    }
    return results;
  }
};

// ---- under a lock ---------------------------------------------------------------------------

template <class Action, class Handle>
auto lock_for(const Handle& object) {
  if constexpr (Action::writes) {
    return object.write();
  } else {
    return object.read();
  }
}
template <class Part>
Part& unguarded(Part& part) {
  return part;
}
template <class Part>
Part& unguarded(const Part& part) {
  return const_cast<Part&>(part);  // a reader's guard: the action only loads
}

template <class Element, class Handle, class Offset, class Action>
struct tell_locked {
  task<> operator()(context, Handle object, Offset offset,
                    typename Action::operand operand) const {
    auto entering = lock_for<Action>(object);
    auto guard = co_await entering;
    static_cast<void>(act<Element, Action>(unguarded(*guard), offset, operand));
  }
};

template <class Element, class Handle, class Offset, class Action>
struct ask_locked {
  task<typename Action::result> operator()(context, Handle object, Offset offset,
                                           typename Action::operand operand) const {
    auto entering = lock_for<Action>(object);
    auto guard = co_await entering;
    co_return act<Element, Action>(unguarded(*guard), offset, operand);
  }
};

template <class Element, class Handle, class Offset, class Action>
struct tell_many_locked {
  using record = element_record<Offset, typename Action::operand>;
  task<> operator()(context, Handle object, std::vector<record> all) const {
    auto entering = lock_for<Action>(object);
    auto guard = co_await entering;
    for (const record& each : all) {
      static_cast<void>(act<Element, Action>(unguarded(*guard), each.offset(), each.operand()));
    }
  }
};

template <class Element, class Handle, class Offset, class Action>
struct ask_many_locked {
  using record = element_record<Offset, typename Action::operand>;
  task<std::vector<listed<typename Action::result>>> operator()(context, Handle object,
                                                                std::vector<record> all) const {
    auto entering = lock_for<Action>(object);
    auto guard = co_await entering;
    std::vector<listed<typename Action::result>> results(all.size());
    for (std::size_t k = 0; k < all.size(); ++k) {
      results[k] = act<Element, Action>(unguarded(*guard), all[k].offset(), all[k].operand());
    }
    co_return results;
  }
};

}  // namespace lamellar::detail
