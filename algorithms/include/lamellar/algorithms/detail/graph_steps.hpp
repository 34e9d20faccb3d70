// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/graph_errors.hpp>
#include <lamellar/containers/graph.hpp>
#include <lamellar/containers/layout.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/detail/spin_lock.hpp>
#include <lamellar/substrate/team.hpp>
#include <mutex>
#include <source_location>
#include <span>
#include <vector>

// What algorithms on graphs have in common that go in rounds: in each, a PE goes over some of
// its vertices and sends records to others, wherever they lie; a quiesce ends it.
//
// A part of such an algorithm has `take(std::span<const Record>)`, called under its lock.
//
// Thread-safety: parts are touched under their lock, or by the body when nothing is under way.
namespace lamellar::detail {

/// Ends the job unless the graph is frozen.
template <class V, class E>
void check_frozen(const graph<V, E>& g, const char* what, std::source_location where) {
  if (!g.frozen()) [[unlikely]] {
    graph_not_frozen(g.members(), what, where);
  }
}
/// And unless it has this vertex.
template <class V, class E>
void check_start(const graph<V, E>& g, vertex_id v, const char* what,
                 std::source_location where) {
  check_frozen(g, what, where);
  if (v >= g.vertices()) [[unlikely]] {
    no_such_vertex(g.members(), what, v, g.vertices(), where);
  }
}
/// And unless its edges lie both ways.
template <class V, class E>
void check_both_ways(const graph<V, E>& g, const char* what, std::source_location where) {
  check_frozen(g, what, where);
  if (!g.both_ways()) [[unlikely]] {
    edges_one_way(g.members(), what, where);
  }
}

/// One PE's part of an algorithm, which goes with its part of a graph.
struct round_part {
  round_part(team of, layout::block how)
      : members{std::move(of)},
        layout{how},
        me{members.position().index()},
        first{how.first(me)},
        own{part_size(how, me)},
        lock{members.where().threads() > 1} {
    for (std::uint32_t k = 0; k < members.size(); ++k) {
      pes.push_back(members.at(team_position{k}).index());
    }
  }

  team members;
  layout::block layout;
  std::uint32_t me;
  vertex_id first;
  std::uint64_t own;
  std::vector<std::uint32_t> pes;
  spin_lock lock;
};

template <class Part, class Record>
struct take_records {
  void operator()(Part& mine, std::span<const Record> records) const {
    const std::lock_guard held{mine.lock};
    mine.take(records);
  }
};

/// Brings records to vertices: those to vertices of this PE without a message.
template <class Part, class Record>
class vertex_mail {
 public:
  explicit vertex_mail(const darc<Part>& parts) : parts_{parts}, part_{*parts} {}

  /// `make(offset)` is the record; offset is the vertex' on its owner.
  template <class Make>
  void put(vertex_id to, Make make) {
    if (const std::uint64_t offset = to - part_.first; offset < part_.own) {
      here_[own_++] = make(offset);
      if (own_ == here_.size()) {
        flush_own();
      }
    } else {
      const element_place at = part_.layout.locate(to);
      there_[others_++] = {part_.pes[at.part], make(at.offset)};
      if (others_ == there_.size()) {
        flush_others();
      }
    }
  }
  void flush() {
    flush_own();
    flush_others();
  }

 private:
  void flush_own() {
    const std::lock_guard held{part_.lock};
    part_.take(std::span<const Record>{here_.data(), own_});
    own_ = 0;
  }
  void flush_others() {
    parts_.send_each(take_records<Part, Record>{},
                     std::span<const routed<Record>>{there_.data(), others_},
                     [](const routed<Record>& each) { return each; });
    others_ = 0;
  }

  const darc<Part>& parts_;
  Part& part_;
  std::array<Record, 256> here_;
  std::array<routed<Record>, 256> there_;
  std::size_t own_ = 0;
  std::size_t others_ = 0;
};

}  // namespace lamellar::detail
