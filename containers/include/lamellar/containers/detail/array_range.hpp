// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <lamellar/containers/access.hpp>
#include <lamellar/containers/detail/array_errors.hpp>
#include <lamellar/containers/detail/each_run.hpp>
#include <lamellar/containers/detail/element_range.hpp>
#include <lamellar/containers/detail/range_handlers.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/completion.hpp>
#include <lamellar/substrate/detail/call_each.hpp>
#include <lamellar/substrate/detail/counted_as_work.hpp>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <variant>
#include <vector>

// Put and get of a range of indices. What a part has of it lies at consecutive offsets, so each
// owner sends or receives rows of consecutive elements, in pieces; here they are scattered to
// their places, or gathered, run by run.
//
// Where the owner's memory is mapped and the access allows it, the elements are copied in
// place. A global lock is taken once, by the caller; then all memory that is mapped may be
// touched. A local lock is taken by the owner: for each piece, or, where the memory is mapped
// and the range is long, while the caller makes the copy.
namespace lamellar::detail {

/// A get that others may outlive: what comes is put to place->at, as long as that is not
/// nullptr.
struct landing_under_way {
  reply<> rest;
  std::shared_ptr<landing> place;
};

template <class T>
std::shared_ptr<landing> make_landing(engine* home, std::span<T> into,
                                      std::source_location where) {
  auto place = std::make_shared<landing>();
  place->home = home;
  place->bytes = into.size_bytes();
  place->where = where;
  place->at = reinterpret_cast<std::byte*>(into.data());
  return place;
}

template <class Array>
struct range_route {
  using T = typename Array::value_type;
  using access = typename Array::access_type;
  using layout = typename Array::layout_type;
  using goods = cargo<T>;
  using unit = typename goods::unit;
  using element = typename access::template element<T>;
  using cells = element_range<element>;
  using part_type = array_part<T, layout>;
  using handle_type = typename access::template handle<part_type>;

  static constexpr std::size_t piece_bytes = std::size_t{256} << 10;
  static constexpr std::size_t piece = std::max<std::size_t>(1, piece_bytes / sizeof(T));
  /// Pieces of a get that are under way at a time.
  static constexpr std::size_t most_under_way = 8;
  /// The lock is the whole array's, and taken here.
  static constexpr bool lock_here = std::same_as<access, lamellar::access::global_lock>;
  /// The lock is the owner's; the copy may be made here.
  static constexpr bool lock_there = access::locks && !lock_here && bitwise<T>;
  /// Elements that make this worth two round trips.
  static constexpr std::size_t worth_a_lock =
      std::max<std::size_t>(1, (std::size_t{4} << 10) / sizeof(T));
  static constexpr bool plain = std::same_as<element, plain_element<T>>;
  static constexpr bool writes_in_place =
      access::template direct_writes<T> || (lock_here && bitwise<T>);
  static constexpr bool reads_in_place =
      access::template direct_reads<T> || (lock_here && bitwise<T>);

  // ---- one run, in place ----
  static void write(const Array& of, const element_place& at, std::size_t n, const unit* from) {
    cells::write(of.part()->reach()[at.part] + at.offset, n, from, of.part()->locks(),
                 at.offset);
  }
  static void read(const Array& of, const element_place& at, std::size_t n, unit* into) {
    cells::read(of.part()->reach()[at.part] + at.offset, n, into, of.part()->locks(),
                at.offset);
  }

  // ---- one piece, by message ----
  static reply<> call_write(const Array& of, const element_place& at,
                            std::span<const unit> units) {
    const pe to{of.part()->pes()[at.part]};
    const std::uint64_t offset = at.offset;
    if constexpr (lock_here) {
      return of.parts().call(to, write_range_held<element, handle_type>{}, offset,
                             as_argument(units));
    } else if constexpr (access::locks) {
      return of.parts().call(to, write_range_locked<element, handle_type>{}, offset,
                             typename goods::owned(units.begin(), units.end()));
    } else {
      return of.parts().call(to, write_range<element, part_type>{}, offset, as_argument(units));
    }
  }
  static reply<typename goods::owned> call_read(const Array& of, const element_place& at,
                                                std::size_t n) {
    const pe to{of.part()->pes()[at.part]};
    const std::uint64_t offset = at.offset;
    const std::uint64_t count = n;
    if constexpr (lock_here) {
      return of.parts().call(to, read_range_held<element, handle_type>{}, offset, count);
    } else if constexpr (access::locks) {
      return of.parts().call(to, read_range_locked<element, handle_type>{}, offset, count);
    } else {
      return of.parts().call(to, read_range<element, part_type>{}, offset, count);
    }
  }

  // ---- put ----
  static completion<> put(const Array& of, std::size_t first, std::span<const T> values,
                          std::source_location where) {
    of.home()->here().put_off.drain();  // what this thread has asked for before
    if constexpr (access::template direct_writes<T>) {
      if (of.layout().run_length(first) >= values.size()) [[likely]] {
        const element_place at = of.layout().locate(first);
        if constexpr (plain) {
          return of.part()->memory().put({pe{of.part()->pes()[at.part]}, where}, at.offset,
                                         values);
        } else if (of.part()->reach()[at.part] != nullptr) {
          write(of, at, values.size(), goods::of(values.data()));
          return {};
        }
      }
      if (of.part()->all_reached()) {
        each_run_of_all(of.layout(), first, values.size(),
                        [&](std::size_t i, const element_place& at, std::size_t n) {
                          write(of, at, n, goods::of(values.data() + (i - first)));
                        });
        return {};
      }
    }
    const std::span<const unit> units{goods::of(values.data()), values.size() * goods::units};
    if constexpr (lock_here) {
      typename goods::owned copied(units.begin(), units.end());
      return completion<>{reply<>{put_under_lock(of, first, std::move(copied), where)}};
    } else {
      std::vector<reply<>> pieces = send_pieces(of, first, units);
      if (pieces.size() == 1) {
        return completion<>{std::move(pieces.front())};
      }
      return completion<>{reply<>{gather_replies<void>(std::move(pieces))}};
    }
  }

  // ---- get ----
  /// What can be read at once is; false: nothing has been done.
  static bool read_now(const Array& of, std::size_t first, std::size_t count, unit* into) {
    if constexpr (access::template direct_reads<T>) {
      if (of.part()->all_reached()) [[likely]] {
        of.home()->here().put_off.drain();
        each_run_of_all(of.layout(), first, count,
                        [&](std::size_t i, const element_place& at, std::size_t n) {
                          read(of, at, n, into + (i - first) * goods::units);
                        });
        return true;
      }
    }
    return false;
  }

  static completion<> get(const Array& of, std::size_t first, std::span<T> into,
                          std::source_location where) {
    if constexpr (access::template direct_reads<T>) {
      if (of.layout().run_length(first) >= into.size()) [[likely]] {
        of.home()->here().put_off.drain();
        const element_place at = of.layout().locate(first);
        if constexpr (plain) {
          return of.part()->memory().get({pe{of.part()->pes()[at.part]}, where}, at.offset,
                                         into);
        } else if (of.part()->reach()[at.part] != nullptr) {
          read(of, at, into.size(), goods::of(into.data()));
          return {};
        }
      }
    }
    if (read_now(of, first, into.size(), goods::of(into.data()))) {
      return {};
    }
    auto [rest, place] = begin_get(of, first, into, where);
    return {std::move(rest), std::move(place)};
  }

  /// Ask the owners.
  static landing_under_way begin_get(const Array& of, std::size_t first, std::span<T> into,
                                     std::source_location where) {
    auto place = make_landing(of.home(), into, where);
    reply<> rest{fetch(of, first, into.size(), place)};
    return {std::move(rest), std::move(place)};
  }

 private:
  static decltype(auto) as_argument(std::span<const unit> units) {
    if constexpr (goods::as_bytes) {
      return std::span<const std::byte>{units};
    } else {
      return std::vector<T>(units.begin(), units.end());
    }
  }

  /// Have the owner take its lock and call for the copy.
  template <bool Writes, class Copy>
  static reply<> copy_under_lock(const Array& of, std::uint32_t part, Copy copy) {
    const std::uint64_t number = of.part()->copies().add(std::move(copy));
    return of.parts().call(pe{of.part()->pes()[part]}, lock_for_copy<handle_type, Writes>{},
                           number);
  }

  /// To all owners but those whose memory may be written to here; these are written to.
  static std::vector<reply<>> send_pieces(const Array& of, std::size_t first,
                                          std::span<const unit> units) {
    const std::size_t last = first + units.size() / goods::units;
    std::vector<reply<>> sent;
    std::vector<unit> gathered;
    const auto units_at = [&](std::size_t i, std::size_t n) {
      return units.subspan((i - first) * goods::units, n * goods::units);
    };
    for (std::uint32_t part = 0; part < of.layout().parts(); ++part) {
      const std::size_t end = of.layout().before(part, last);
      for (std::size_t begin = of.layout().before(part, first); begin < end;) {
        if (writes_in_place && of.part()->reach()[part] != nullptr) {
          each_run(of.layout(), part, begin, end,
                   [&](std::size_t i, const element_place& at, std::size_t n) {
                     write(of, at, n, units_at(i, n).data());
                   });
          break;
        }
        if constexpr (lock_there) {
          if (of.part()->reach()[part] != nullptr && end - begin >= worth_a_lock) {
            auto row = std::make_shared<std::vector<unit>>();
            row->reserve((end - begin) * goods::units);
            each_run(of.layout(), part, begin, end,
                     [&](std::size_t i, const element_place&, std::size_t n) {
                       const auto run = units_at(i, n);
                       row->insert(row->end(), run.begin(), run.end());
                     });
            const element_place at{part, begin};
            const std::size_t n = end - begin;
            sent.push_back(copy_under_lock<true>(
                of, part, [of, at, n, row] { write(of, at, n, row->data()); }));
            break;
          }
        }
        const std::size_t now = std::min(piece, end - begin);
        const std::size_t i = of.layout().index_of({part, begin});
        if (of.layout().run_length(i) >= now) {
          sent.push_back(call_write(of, {part, begin}, units_at(i, now)));
        } else {
          gathered.clear();
          each_run(of.layout(), part, begin, begin + now,
                   [&](std::size_t at, const element_place&, std::size_t n) {
                     const auto run = units_at(at, n);
                     gathered.insert(gathered.end(), run.begin(), run.end());
                   });
          sent.push_back(call_write(of, {part, begin}, gathered));
        }
        begin += now;
      }
    }
    return sent;
  }

  static task<> put_under_lock(Array of, std::size_t first, typename goods::owned values,
                               std::source_location where) {
    const counted_as_work until_it_is_there{*of.home()};
    auto entering = of.parts().write(where);
    const auto guard = co_await entering;
    std::vector<reply<>> pieces = send_pieces(of, first, values);
    for (reply<>& each : pieces) {
      co_await each;
    }
  }

  /// In place, the offsets [begin, end) of a part.
  static void read_part(const Array& of, std::size_t first, std::uint32_t part,
                        std::size_t begin, std::size_t end, unit* into) {
    each_run(of.layout(), part, begin, end,
             [&](std::size_t i, const element_place& at, std::size_t n) {
               read(of, at, n, into + (i - first) * goods::units);
             });
  }

  /// Put what has come of a part, from offset `begin` on, to its places.
  static void scatter(const layout& of, std::size_t first, std::uint32_t part,
                      std::size_t begin, typename goods::owned& units, unit* into) {
    unit* next = units.data();
    each_run(of, part, begin, begin + units.size() / goods::units,
             [&](std::size_t i, const element_place&, std::size_t n) {
               unit* const to = into + (i - first) * goods::units;
               if constexpr (goods::as_bytes) {
                 std::memcpy(to, next, n * sizeof(T));
               } else {
                 std::move(next, next + n, to);
               }
               next += n * goods::units;
             });
  }

  /// Ask the owners for their pieces, by turns; put each piece where it belongs.
  static task<std::monostate> nothing_to_wait_for() { co_return std::monostate{}; }
  static task<> fetch(Array of, std::size_t first, std::size_t count,
                      std::shared_ptr<landing> into) {
    const counted_as_work until_the_last_piece{*of.home()};
    const auto held = [&] {
      if constexpr (lock_here) {
        return of.parts().read(into->where);
      } else {
        return nothing_to_wait_for();
      }
    };
    auto entering = held();
    [[maybe_unused]] const auto guard = co_await entering;
    auto fetching = fetch_pieces(of, first, count, into);
    co_await fetching;
  }

  static task<> fetch_pieces(Array of, std::size_t first, std::size_t count,
                             std::shared_ptr<landing> into) {
    struct part_rest {
      std::uint32_t part;
      std::size_t begin;
      std::size_t end;
    };
    struct piece_asked {
      reply<typename goods::owned> units;
      std::uint32_t part;
      std::size_t begin;
    };
    const layout& how = of.layout();
    std::deque<part_rest> rest;
    std::vector<reply<>> copies;
    for (std::uint32_t part = 0; part < how.parts(); ++part) {
      const part_rest all{part, how.before(part, first), how.before(part, first + count)};
      if (all.begin == all.end) {
        continue;
      }
      if (reads_in_place && of.part()->reach()[part] != nullptr) {
        const std::lock_guard lock{into->mutex};
        if (into->at == nullptr) {
          co_return;
        }
        read_part(of, first, part, all.begin, all.end, units_of(*into));
        continue;
      }
      if constexpr (lock_there) {
        if (of.part()->reach()[part] != nullptr && all.end - all.begin >= worth_a_lock) {
          copies.push_back(copy_under_lock<false>(of, part, [of, first, all, into] {
            const std::lock_guard lock{into->mutex};
            if (into->at != nullptr) {
              read_part(of, first, all.part, all.begin, all.end, units_of(*into));
            }
          }));
          continue;
        }
      }
      rest.push_back(all);
    }
    std::deque<piece_asked> asked;
    while (!rest.empty() || !asked.empty()) {
      while (!rest.empty() && asked.size() < most_under_way) {
        part_rest next = rest.front();
        rest.pop_front();
        const std::size_t now = std::min(piece, next.end - next.begin);
        asked.push_back({call_read(of, {next.part, next.begin}, now), next.part, next.begin});
        next.begin += now;
        if (next.begin != next.end) {
          rest.push_back(next);
        }
      }
      piece_asked oldest = std::move(asked.front());
      asked.pop_front();
      typename goods::owned units = co_await oldest.units;
      const std::lock_guard lock{into->mutex};
      if (into->at == nullptr) {
        co_return;  // nobody wants it any more
      }
      scatter(how, first, oldest.part, oldest.begin, units, units_of(*into));
    }
    for (reply<>& each : copies) {
      co_await each;
    }
  }

  static unit* units_of(const landing& into) {
    return goods::of(reinterpret_cast<T*>(into.at));
  }
};

}  // namespace lamellar::detail
