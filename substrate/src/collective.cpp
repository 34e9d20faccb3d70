// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstring>
#include <lamellar/substrate/detail/collective.hpp>
#include <lamellar/substrate/detail/send.hpp>

namespace lamellar::detail {

namespace {

struct take_letter {
  void operator()(context& at, letter_key key, collective_mark mark,
                  std::span<const char> bytes) const {
    const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
    engine_of(at.world()).mail().put(key, {mark, {first, first + bytes.size()}});
  }
};

}  // namespace

const char* collective_name(collective_kind kind) {
  switch (kind) {
    case collective_kind::barrier:
      return "a barrier of a team";
    case collective_kind::quiesce:
      return "a quiesce of a team";
    case collective_kind::broadcast:
      return "broadcast()";
    case collective_kind::reduce:
      return "reduce()";
    case collective_kind::all_reduce:
      return "all_reduce()";
    case collective_kind::inclusive_scan:
      return "inclusive_scan()";
    case collective_kind::exclusive_scan:
      return "exclusive_scan()";
    case collective_kind::gather:
      return "gather()";
    case collective_kind::all_gather:
      return "all_gather()";
    case collective_kind::scatter:
      return "scatter()";
    case collective_kind::all_to_all:
      return "all_to_all()";
    case collective_kind::team_creation:
      return "the creation of a team";
    case collective_kind::object_creation:
      return "the creation of a distributed object";
    case collective_kind::region_creation:
      return "the creation of a memory region";
  }
  return "an unknown collective";
}

std::uint16_t letter_handler() {
  using code =
      handler_for<take_letter, void, false, letter_key, collective_mark, std::span<const char>>;
  return registered<code>.id;
}

namespace {

/// The team's part on this PE. Ends the job if the collective may not begin here.
team_part& part_for(const team& of, collective_kind kind, std::source_location where) {
  team_part& part = team_access::part(of);
  if (part.home->here().in_handler()) {
    misuse(part.home,
           fmt::format("{} in a handler; only the body may take part in collectives",
                       collective_name(kind)),
           where);
  }
  if (part.position == team_part::nowhere) {
    misuse(part.home,
           fmt::format("{} of a team of which this PE is no member", collective_name(kind)),
           where);
  }
  return part;
}

}  // namespace

collective::collective(const located_team& on, collective_kind kind, std::uint64_t agreed)
    : keep_{on.value},
      part_{part_for(keep_, kind, on.where)},
      waiting_{*part_.home, collective_name(kind), on.where},
      sequence_{part_.collectives++},
      mark_{static_cast<std::uint32_t>(kind), on.where.line(), part_.home->waves_started(),
            agreed} {}

void collective::send(std::uint32_t to, std::uint32_t step,
                      std::span<const std::byte> bytes) const {
  const letter_key key{part_.number, sequence_, part_.position, step};
  send_message<void>(
      *part_.home, part_.members.at(to), 0, take_letter{}, key, mark_,
      std::span<const char>{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  // Others wait for it, and this PE may be done with the collective, and compute.
  part_.home->ship(part_.home->here(), part_.members.at(to));
}

task<letter_bytes> collective::receive(std::uint32_t from, std::uint32_t step) const {
  const letter_key key{part_.number, sequence_, from, step};
  letter got = co_await part_.home->mail().receive(key);
  if (got.mark.kind != mark_.kind) {
    misuse(part_.home,
           fmt::format("collectives do not match: this PE is in {}, PE {} is in {} (line {} of "
                       "its file); all members of a team must start the same collectives in "
                       "the same order",
                       collective_name(static_cast<collective_kind>(mark_.kind)),
                       part_.members.at(from),
                       collective_name(static_cast<collective_kind>(got.mark.kind)),
                       got.mark.line),
           waiting_.where());
  }
  if (got.mark.print != mark_.print) {
    misuse(part_.home,
           fmt::format("PEs call {} with different arguments or types: this PE and PE {} "
                       "(there in line {} of its file); what says which, and of what type, "
                       "must be the same on all members",
                       collective_name(static_cast<collective_kind>(mark_.kind)),
                       part_.members.at(from), got.mark.line),
           waiting_.where());
  }
  co_return std::move(got.bytes);
}

task<letter_bytes> collective::spread(std::uint32_t root, letter_bytes mine,
                                      std::uint32_t step) const {
  // A binomial tree, counted from the root.
  const std::uint32_t n = size();
  const std::uint32_t rank = (position() + n - root) % n;
  std::uint32_t reach = 1;
  while (reach < n && (rank & reach) == 0) {
    reach <<= 1;
  }
  if (rank != 0) {
    mine = co_await receive((rank - reach + root) % n, step);
  }
  for (reach >>= 1; reach != 0; reach >>= 1) {
    if (rank + reach < n) {
      send((rank + reach + root) % n, step, mine);
    }
  }
  co_return mine;
}

task<std::vector<letter_bytes>> collective::collect(std::uint32_t root, letter_bytes mine,
                                                    std::uint32_t step) const {
  std::vector<letter_bytes> all;
  if (position() != root) {
    send(root, step, mine);
    co_return all;
  }
  all.resize(size());
  all[root] = std::move(mine);
  for (std::uint32_t from = 0; from < size(); ++from) {
    if (from != root) {
      all[from] = co_await receive(from, step);
    }
  }
  co_return all;
}

task<std::vector<letter_bytes>> collective::exchange(letter_bytes mine,
                                                     std::uint32_t step) const {
  std::vector<letter_bytes> all = co_await collect(0, std::move(mine), step);
  letter_bytes packed;
  for (const letter_bytes& one : all) {
    const std::uint64_t length = one.size();
    const auto* const bytes = reinterpret_cast<const std::byte*>(&length);
    packed.insert(packed.end(), bytes, bytes + sizeof(length));
    packed.insert(packed.end(), one.begin(), one.end());
  }
  packed = co_await spread(0, std::move(packed), step + 1);
  if (position() != 0) {
    std::size_t at = 0;
    for (std::uint32_t k = 0; k < size(); ++k) {
      std::uint64_t length = 0;
      std::memcpy(&length, packed.data() + at, sizeof(length));
      at += sizeof(length);
      all.emplace_back(packed.data() + at, packed.data() + at + length);
      at += length;
    }
  }
  co_return all;
}

task<> collective::meet(std::uint32_t step) const {
  const std::uint32_t n = size();
  for (std::uint32_t reach = 1; reach < n; reach <<= 1, ++step) {
    send((position() + reach) % n, step, {});
    co_await receive((position() + n - reach) % n, step);
  }
}

task<> collective::throw_failures(std::uint32_t step) const {
  letter_bytes mine = bytes_of_log(home().take_failures());
  sum_of_logs(co_await exchange(std::move(mine), step)).rethrow();
}

void collective::check_root(team_position root) const {
  if (root.index() >= size()) {
    misused(fmt::format("the root is position {} of a team of {} PEs", root.index(), size()));
  }
}

void collective::check_count(std::size_t values) const {
  if (values != size()) {
    misused(
        fmt::format("{} values for a team of {} PEs: one is needed for each", values, size()));
  }
}

void collective::misused(const std::string& what) const {
  misuse(part_.home, what, waiting_.where());
}

}  // namespace lamellar::detail
