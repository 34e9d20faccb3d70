// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lamellar/substrate/detail/exchange_end.hpp>
#include <lamellar/substrate/detail/exchange_placed.hpp>
#include <lamellar/substrate/detail/landing.hpp>
#include <lamellar/substrate/exchanged_items.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/team_position.hpp>
#include <span>
#include <utility>
#include <vector>

// Items that the caller has gathered into rows, each to where it belongs: the placed form of an
// exchange without a route.
//
// Thread-safety: the body.
namespace lamellar::detail {

/// Ends the job: not as many items as announced went to a member.
[[noreturn]] void wrong_number_of_items(const located_team& of, std::uint32_t to,
                                        std::uint64_t counted, std::uint64_t put);

/// Puts rows in their places. For the function that an exchange of rows calls.
template <class T, class End>
class row_placer {
 public:
  row_placer(const located_team& of, const darc<End>& ends,
             const std::vector<landing_place>& places, const std::vector<std::uint64_t>& counts,
             exchanged_items<T>& result, std::vector<std::uint64_t>& sent)
      : of_{of}, pieces_{ends, sent}, here_{of.value.position().index()}, home_{*ends->home} {
    std::vector<way_to_member> ways;
    if constexpr (exchanged_items<T>::plain) {
      ways = find_ways(of, places, counts, result);
    }
    for (std::uint32_t k = 0; k < counts.size(); ++k) {
      place to{nullptr, places[k].first, counts[k], counts[k]};
      if constexpr (exchanged_items<T>::plain) {
        to.next = ways[k].next;
      } else if (k == here_ && counts[k] != 0) {
        to.next = reinterpret_cast<std::byte*>(result.data() + places[k].first);
      }
      to_.push_back(to);
    }
  }

  /// The next items for a member; they may be moved from. Requires: in all
  /// as many for each member as were counted.
  void put(team_position member, std::span<T> items) {
    const std::uint32_t to = member.index();
    if (to >= to_.size()) [[unlikely]] {
      wrong_number_of_items(of_, to, 0, items.size());
    }
    place& at = to_[to];
    if (items.size() > at.left) [[unlikely]] {
      wrong_number_of_items(of_, to, at.counted, at.counted - at.left + items.size());
    }
    at.left -= items.size();
    if (at.next != nullptr) {
      if constexpr (exchanged_items<T>::plain) {
        std::memcpy(at.next, items.data(), items.size_bytes());
      } else {
        std::move(items.begin(), items.end(), reinterpret_cast<T*>(at.next));
      }
      at.next += items.size_bytes();
    } else {
      for (const T& each : items) {
        pieces_.add(to, each, at.first++);
      }
    }
  }

  /// Serve others now and then.
  void poll() { home_.progress(home_.here(), resume::anywhere); }

  void finish() {
    for (std::uint32_t k = 0; k < to_.size(); ++k) {
      if (to_[k].left != 0) {
        wrong_number_of_items(of_, k, to_[k].counted, to_[k].counted - to_[k].left);
      }
    }
    pieces_.finish();
  }

 private:
  struct place {
    std::byte* next;      // where it is mapped
    std::uint64_t first;  // elsewhere: the place of the next item
    std::uint64_t left;
    std::uint64_t counted;
  };

  const located_team& of_;
  piece_sender<End> pieces_;
  std::vector<place> to_;
  std::uint32_t here_;
  engine& home_;
};

template <class T, class Fill>
task<exchanged_items<T>> place_rows(located_team of, std::vector<std::uint64_t> counts,
                                    Fill fill) {
  check_exchange(of, "exchange_rows()");
  check_row_counts(of, counts.size());
  const auto store = [&](const auto& ends, const auto& places, exchanged_items<T>& result,
                         std::vector<std::uint64_t>& sent) {
    row_placer<T, exchange_end<placed<T>>> placer{of, ends, places, counts, result, sent};
    fill(placer);
    placer.finish();
  };
  auto placing = place_counted<T>(of, counts, failure_log{}, typeid(Fill).name(),
                                  "exchange_rows()", &store);
  co_return co_await placing;
}

}  // namespace lamellar::detail
