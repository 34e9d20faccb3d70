// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/detail/exchange_end.hpp>
#include <lamellar/substrate/detail/exchange_rows.hpp>
#include <lamellar/substrate/detail/landing.hpp>
#include <lamellar/substrate/detail/region_access.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/exchanged_items.hpp>

namespace lamellar::detail {

namespace {

constexpr std::string_view heap_name = "exchange_placed";

/// The first failure in the order of positions, and the number of all.
struct join_failures {
  failure_log operator()(failure_log before, failure_log after) const {
    if (before.count == 0) {
      before.first = std::move(after.first);
    }
    before.count += after.count;
    return before;
  }
};

}  // namespace

// ---- ends -----------------------------------------------------------------------------------

exchange_end_base::exchange_end_base(const team& of, take_function f, void* with,
                                     std::string called)
    : home{&engine_of(of.where())},
      members{team_access::part(of).members},
      taker{f},
      state{with},
      name{std::move(called)},
      unannounced{members.size()} {}

void exchange_end_base::take(context& at, std::uint64_t first, std::uint64_t count,
                             std::span<const std::byte> bytes) {
  if (failures.count == 0) {
    const auto from = members.position_of(at.origin().index());
    try {
      if (!from) {
        throw corrupt_message{
            fmt::format("PE {} takes no part in the exchange", at.origin().index())};
      }
      taker(state, {team_position{*from}, first, count, bytes, home});
    } catch (...) {
      failed(name);
    }
  }
  came += count;
  look_whether_complete();
}

void exchange_end_base::announced(std::uint64_t items) {
  expected += items;
  --unannounced;
  look_whether_complete();
}

void exchange_end_base::failed(const std::string& handler) {
  add_failure(failures, *home, handler);
}

void exchange_end_base::look_whether_complete() {
  if (unannounced == 0 && came == expected) {
    complete.store(true, std::memory_order_release);
  }
}

// ---- failures -------------------------------------------------------------------------------

void add_failure(failure_log& log, const engine& at, const std::string& thrower) {
  const std::string text = text_of_current_exception();
  if (log.count++ == 0) {
    log.first = {at.me(), thrower, text};
  }
}

task<> throw_if_failed(located_team of, failure_log mine) {
  const failure_log all = co_await all_reduce(of, std::move(mine), join_failures{});
  if (all.count != 0) {
    throw remote_error(all.first.on, all.first.handler, all.first.text, all.count);
  }
}

void check_exchange(const located_team& of, const char* what) {
  const team_part& part = team_access::part(of.value);
  if (part.home->here().in_handler()) {
    misuse(part.home,
           fmt::format("{} in a handler; only the body may take part in collectives", what),
           of.where);
  }
  if (part.position == team_part::nowhere) {
    misuse(part.home, fmt::format("{} of a team of which this PE is no member", what),
           of.where);
  }
}

void no_such_destination(const located_team& of, const char* what, std::size_t index,
                         std::uint32_t to) {
  const team_part& part = team_access::part(of.value);
  misuse(part.home,
         fmt::format("{}: item {} is routed to position {} of a team of {} PEs", what, index,
                     to, part.members.size()),
         of.where);
}

void changed_destination(const located_team& of, std::size_t index, std::uint32_t to) {
  misuse(
      team_access::part(of.value).home,
      fmt::format("exchange_placed(): item {} is routed to position {} now, but was not when "
                  "the items were counted; the route must give the same answer each time",
                  index, to),
      of.where);
}

void wrong_number_of_items(const located_team& of, std::uint32_t to, std::uint64_t counted,
                           std::uint64_t put) {
  misuse(team_access::part(of.value).home,
         fmt::format("exchange_rows(): {} items were put for position {}, {} were counted", put,
                     to, counted),
         of.where);
}

void check_row_counts(const located_team& of, std::size_t counts) {
  if (counts != of.value.size()) {
    misuse(team_access::part(of.value).home,
           fmt::format("exchange_rows(): {} counts for {} members; there must be one for each",
                       counts, of.value.size()),
           of.where);
  }
}

void no_such_source(std::uint32_t position, std::size_t sources, std::source_location where) {
  misuse(nullptr,
         fmt::format("the items from position {} of an exchange of {} PEs", position, sources),
         where);
}

// ---- memory ---------------------------------------------------------------------------------

landing_memory::landing_memory(engine& home, std::uint64_t count, std::size_t element_bytes)
    : block_{home.heap().allocate(bytes_of_elements(count, element_bytes), heap_name,
                                  heap_contents::anything)} {
  home_ = &home;
}

landing_memory::~landing_memory() {
  if (home_ != nullptr) {
    home_->heap().free(block_, heap_name);
  }
}

task<std::vector<landing_place>> exchange_landing_places(located_team of,
                                                         std::vector<landing_place> mine,
                                                         std::string refusal) {
  std::vector<landing_place> places = co_await all_to_all(of, std::move(mine));
  for (std::uint32_t k = 0; k < places.size(); ++k) {
    if (places[k].refused) {
      const std::string why = co_await broadcast(of, std::move(refusal), team_position{k});
      throw out_of_memory{why};
    }
  }
  co_return places;
}

}  // namespace lamellar::detail
