// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <lamellar/substrate/detail/checked_build.hpp>
#include <lamellar/substrate/detail/collective.hpp>
#include <lamellar/substrate/record.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <vector>

// What all PEs of a team (or of the world) do together with one value each: broadcast, reduce,
// all_reduce, scans, gather, all_gather, scatter, all_to_all.
//
// Each is a task: `co_await` it, or `.get()`. All members must start the same collectives of a
// team in the same order, with the same types and the same root; where they do not, the job
// ends and names the PEs. Values are of any type that can travel; an operation need only be
// associative, and is applied in the order of positions, in a grouping that depends on nothing
// but the number of PEs: a sum of floating-point numbers is the same in every run.
//
// Thread-safety: the body.
namespace lamellar {

namespace detail {

template <class T>
letter_bytes to_letter(const T& value) {
  letter_bytes bytes(record<T>::measure(value));
  record<T>::write(bytes.data(), value);
  return bytes;
}

template <class T>
T from_letter(const letter_bytes& bytes, engine& home) {
  return std::get<0>(record<T>::read(bytes, &home));
}

/// Of the type of the values, the operation, and the root.
template <class T, class Op = void>
std::uint64_t print_of(std::uint32_t root = 0) {
  return fingerprint{}.add(typeid(T).name()).add(typeid(Op).name()).add(root);
}

/// All values in the order of positions, on the first member. Steps: `step`.
template <class T, class Op>
task<T> reduce_to_first(const collective& c, T value, Op& op, std::uint32_t step) {
  // Each round joins neighbouring ranges, so the order stays.
  for (std::uint32_t reach = 1; reach < c.size(); reach <<= 1) {
    if ((c.position() & reach) != 0) {
      c.send(c.position() - reach, step, to_letter(value));
      break;
    }
    if (c.position() + reach < c.size()) {
      const letter_bytes theirs = co_await c.receive(c.position() + reach, step);
      value = op(std::move(value), from_letter<T>(theirs, c.home()));
    }
  }
  co_return value;
}

/// The values of this member and of all before it.
template <class T, class Op>
task<T> scan_to_here(const collective& c, T value, Op& op) {
  std::uint32_t step = 0;
  for (std::uint32_t reach = 1; reach < c.size(); reach <<= 1, ++step) {
    if (c.position() + reach < c.size()) {
      c.send(c.position() + reach, step, to_letter(value));
    }
    if (c.position() >= reach) {
      const letter_bytes theirs = co_await c.receive(c.position() - reach, step);
      value = op(from_letter<T>(theirs, c.home()), std::move(value));
    }
  }
  co_return value;
}

}  // namespace detail

/// The root's `value`, on every member. Collective. Cost: log2(size) messages one after the
/// other. Requires: the same root everywhere.
template <transferable T>
task<T> broadcast(detail::located_team of, T value, team_position root = team_position{0}) {
  const detail::collective c{of, detail::collective_kind::broadcast,
                             detail::print_of<T>(root.index())};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  c.check_root(root);
  detail::letter_bytes mine;
  if (c.position() == root.index()) {
    mine = detail::to_letter(value);
  }
  const detail::letter_bytes got = co_await c.spread(root.index(), std::move(mine), 0);
  if (c.position() == root.index()) {
    co_return value;
  }
  co_return detail::from_letter<T>(got, c.home());
}

/// op(v0, op(v1, ...)) of all values, on the root; a value of no meaning elsewhere. Collective.
/// Cost: log2(size) messages one after the other. Requires: op is associative.
template <transferable T, class Op = std::plus<>>
task<T> reduce(detail::located_team of, T value, Op op = {},
               team_position root = team_position{0}) {
  const detail::collective c{of, detail::collective_kind::reduce,
                             detail::print_of<T, Op>(root.index())};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  c.check_root(root);
  T whole = co_await detail::reduce_to_first(c, std::move(value), op, 0);
  if (root.index() != 0) {
    if (c.position() == 0) {
      c.send(root.index(), 1, detail::to_letter(whole));
    } else if (c.position() == root.index()) {
      const detail::letter_bytes got = co_await c.receive(0, 1);
      co_return detail::from_letter<T>(got, c.home());
    }
  }
  co_return whole;
}

/// op(v0, op(v1, ...)) of all values, on every member. Collective. Cost: 2 log2(size) messages
/// one after the other. Requires: op is associative.
template <transferable T, class Op = std::plus<>>
task<T> all_reduce(detail::located_team of, T value, Op op = {}) {
  const detail::collective c{of, detail::collective_kind::all_reduce,
                             detail::print_of<T, Op>()};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  T whole = co_await detail::reduce_to_first(c, std::move(value), op, 0);
  detail::letter_bytes mine;
  if (c.position() == 0) {
    mine = detail::to_letter(whole);
  }
  const detail::letter_bytes got = co_await c.spread(0, std::move(mine), 1);
  if (c.position() == 0) {
    co_return whole;
  }
  co_return detail::from_letter<T>(got, c.home());
}

/// op(v0, ... v_k) on the member at position k. Collective. Cost: log2(size) messages one after
/// the other. Requires: op is associative.
template <transferable T, class Op = std::plus<>>
task<T> inclusive_scan(detail::located_team of, T value, Op op = {}) {
  const detail::collective c{of, detail::collective_kind::inclusive_scan,
                             detail::print_of<T, Op>()};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  co_return co_await detail::scan_to_here(c, std::move(value), op);
}

/// op(init, v0, ... v_k-1) on the member at position k: init on the first. Collective.
/// Cost: log2(size) + 1 messages one after the other. Requires: op is associative.
template <transferable T, class Op = std::plus<>>
task<T> exclusive_scan(detail::located_team of, T value, T init, Op op = {}) {
  const detail::collective c{of, detail::collective_kind::exclusive_scan,
                             detail::print_of<T, Op>()};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  const T whole = co_await detail::scan_to_here(c, std::move(value), op);
  constexpr std::uint32_t last = 63;
  if (c.position() + 1 < c.size()) {
    c.send(c.position() + 1, last, detail::to_letter(whole));
  }
  if (c.position() == 0) {
    co_return init;
  }
  const detail::letter_bytes before = co_await c.receive(c.position() - 1, last);
  co_return op(std::move(init), detail::from_letter<T>(before, c.home()));
}

/// All values in the order of positions, on the root; nothing elsewhere. Collective.
/// Cost: one message for each member.
template <transferable T>
task<std::vector<T>> gather(detail::located_team of, T value,
                            team_position root = team_position{0}) {
  const detail::collective c{of, detail::collective_kind::gather,
                             detail::print_of<T>(root.index())};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  c.check_root(root);
  std::vector<T> values;
  const std::vector<detail::letter_bytes> all =
      co_await c.collect(root.index(), detail::to_letter(value), 0);
  for (const detail::letter_bytes& one : all) {
    values.push_back(detail::from_letter<T>(one, c.home()));
  }
  co_return values;
}

/// All values in the order of positions, on every member. Collective.
/// Cost: a gather and a broadcast.
template <transferable T>
task<std::vector<T>> all_gather(detail::located_team of, T value) {
  const detail::collective c{of, detail::collective_kind::all_gather, detail::print_of<T>()};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  std::vector<T> values;
  const std::vector<detail::letter_bytes> all =
      co_await c.exchange(detail::to_letter(value), 0);
  for (const detail::letter_bytes& one : all) {
    values.push_back(detail::from_letter<T>(one, c.home()));
  }
  co_return values;
}

/// values[k] of the root, on the member at position k. Collective. Cost: one message for each
/// member. Requires: on the root, one value for each member.
template <transferable T>
task<T> scatter(detail::located_team of, std::vector<T> values,
                team_position root = team_position{0}) {
  const detail::collective c{of, detail::collective_kind::scatter,
                             detail::print_of<T>(root.index())};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  c.check_root(root);
  if (c.position() == root.index()) {
    c.check_count(values.size());
    for (std::uint32_t k = 0; k < c.size(); ++k) {
      if (k != root.index()) {
        c.send(k, 0, detail::to_letter<T>(values[k]));
      }
    }
    co_return std::move(values[root.index()]);
  }
  const detail::letter_bytes got = co_await c.receive(root.index(), 0);
  co_return detail::from_letter<T>(got, c.home());
}

/// values[k] goes to the member at position k; the result holds what all of them sent here, in
/// the order of positions. With T = std::vector<U>, as many to each as you like. Collective.
/// Cost: one message to each member. Requires: one value for each member.
template <transferable T>
task<std::vector<T>> all_to_all(detail::located_team of, std::vector<T> values) {
  const detail::collective c{of, detail::collective_kind::all_to_all, detail::print_of<T>()};
  if constexpr (detail::checked_build) {
    co_await c.agree();
  }
  c.check_count(values.size());
  const std::uint32_t n = c.size();
  for (std::uint32_t k = 1; k < n; ++k) {
    const std::uint32_t to = (c.position() + k) % n;  // not all to the same one at first
    c.send(to, 0, detail::to_letter<T>(values[to]));
  }
  std::vector<T> got;
  got.reserve(n);
  for (std::uint32_t from = 0; from < n; ++from) {
    if (from == c.position()) {
      got.push_back(std::move(values[from]));
    } else {
      const detail::letter_bytes bytes = co_await c.receive(from, 0);
      got.push_back(detail::from_letter<T>(bytes, c.home()));
    }
  }
  co_return got;
}

}  // namespace lamellar
