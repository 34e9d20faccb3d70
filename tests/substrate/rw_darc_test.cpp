// SPDX-License-Identifier: BSD-3-Clause
// Read-write darcs: who may be inside together, in which order, and what a guard may outlive.
#include <atomic>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/when_all.hpp>
#include <map>
#include <optional>
#include <vector>

#include "counted.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::alive;
using lamellar::testing::counted;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::parts_here;
using lamellar::testing::work_divisor;

namespace {

/// Counts without an atomic: a lost update shows that two writers were inside.
struct counter : counted {
  counter() = default;
  explicit counter(std::uint64_t v) : value{v} {}
  std::uint64_t value = 0;
};

/// Sees who has access, wherever they are: each tells when it comes and goes.
struct watch {
  int readers = 0;
  int writers = 0;
  int most_readers = 0;
  bool wrong = false;

  void come(bool writes) {
    ++(writes ? writers : readers);
    most_readers = std::max(most_readers, readers);
    wrong = wrong || writers > 1 || (writers == 1 && readers != 0);
  }
  void go(bool writes) { --(writes ? writers : readers); }
};
struct come {
  void operator()(watch& seen, bool writes) const { seen.come(writes); }
};
struct go {
  void operator()(watch& seen, bool writes) const { seen.go(writes); }
};

/// Add one, slowly: read, let others run, write.
template <class Object>
task<> add_slowly(Object to) {
  auto mine = co_await to.write();
  const std::uint64_t before = mine->value;
  for (int k = 0; k < 3; ++k) co_await to.where().yield();
  mine->value = before + 1;
}

/// The same as a handler of the object.
template <class Object>
struct add_here {
  task<std::uint64_t> operator()(context, Object to) const {
    co_await add_slowly(to);
    const auto now = co_await to.read();
    co_return now->value;
  }
};

template <class Object>
task<> visit(Object object, darc<watch> seen, pe at, bool writes) {
  if (writes) {
    const auto guard = co_await object.write();
    co_await seen.call(at, come{}, true);
    co_await seen.call(at, go{}, true);
  } else {
    const auto guard = co_await object.read();
    co_await seen.call(at, come{}, false);
    co_await object.where().yield();
    co_await seen.call(at, go{}, false);
  }
}

/// Many readers and writers on all PEs; `one`: they exclude each other across PEs.
template <class Object>
task<> storm_of_visits(world& w, bool one) {
  const auto object = co_await Object::create(w);
  const auto seen = co_await darc<watch>::create(w);
  const pe at = one ? w.at(w.size() - 1) : w.me();
  std::vector<spawned<>> visits;
  for (int k = 0; k < 200 / work_divisor; ++k) {
    visits.push_back(w.spawn(visit(object, seen, at, k % 4 == 0)));
  }
  co_await when_all(std::move(visits));
  co_await w.quiesce();
  CHECK(!seen->wrong);
  CHECK(seen->readers == 0);
  CHECK(seen->writers == 0);
  if (at == w.me()) CHECK(seen->most_readers > 1);
}

/// Readers that overlap all the time, until the writer has been inside.
template <class Object>
task<> read_on(Object object, const std::atomic<bool>& written, std::atomic<int>& reads) {
  while (!written && reads < 100000) {
    const auto guard = co_await object.read();
    ++reads;
    for (int k = 0; k < 3; ++k) co_await object.where().yield();
  }
}

template <class Object>
task<> write_once(Object object, std::atomic<bool>& written) {
  const auto guard = co_await object.write();
  written = true;
}

template <class Object>
task<> try_to_starve_a_writer(world& w) {
  const auto object = co_await Object::create(w);
  std::atomic<bool> written{false};
  std::atomic<int> reads{0};
  std::vector<spawned<>> all;
  for (int k = 0; k < 4; ++k) {
    all.push_back(w.spawn(read_on(object, written, reads)));
    co_await w.yield();
  }
  all.push_back(w.spawn(write_once(object, written)));
  co_await when_all(std::move(all));
  CHECK(written);
  CHECK(reads < 100000);
  co_await w.quiesce();
}

}  // namespace

TEST_CASE("one writer or many readers are inside a PE's part") {
  on_pes([](world& w) { return storm_of_visits<local_rw_darc<counter>>(w, false); });
}

TEST_CASE("one writer or many readers of all PEs are inside a global object") {
  on_pes([](world& w) { return storm_of_visits<global_rw_darc<counter>>(w, true); });
}

TEST_CASE("no update is lost, whoever writes from wherever") {
  on_pes([](world& w) -> task<> {
    const auto mine = co_await local_rw_darc<counter>::create(w);
    const auto ours = co_await global_rw_darc<counter>::create(w);
    const int each = 60 / work_divisor + 1;
    for (int k = 0; k < each; ++k) {
      mine.send_all(add_here<local_rw_darc<counter>>{});
      ours.send_all(add_here<global_rw_darc<counter>>{});
      (void)w.spawn(add_slowly(mine));
      (void)w.spawn(add_slowly(ours));
    }
    co_await w.quiesce();
    const std::uint64_t expected = static_cast<std::uint64_t>(each) * (w.size() + 1);
    CHECK((co_await mine.read())->value == expected);
    CHECK((co_await ours.read())->value == expected);
  });
}

TEST_CASE("get() in the body makes progress while it waits for access") {
  on_pes([](world& w) {
    const auto object = global_rw_darc<counter>::create(w).get();
    for (int k = 0; k < 20; ++k) {
      auto guard = object.write().get();
      ++guard->value;
    }
    w.quiesce().get();
    CHECK(object.read().get()->value == 20);
    const auto here = local_rw_darc<counter>::create(w).get();
    spawned<> other = w.spawn(add_slowly(here));
    w.poll();
    ++here.write().get()->value;
    other.get();
    CHECK(here.read().get()->value == 2);
  });
}

TEST_CASE("a collective write lets every PE in at once, and nobody else") {
  on_pes([](world& w) -> task<> {
    const auto object = co_await global_rw_darc<counter>::create(w);
    const auto seen = co_await darc<watch>::create(w);
    std::vector<spawned<>> visits;
    for (int round = 0; round < 10; ++round) {
      for (int k = 0; k < 5; ++k) {
        visits.push_back(w.spawn(visit(object, seen, w.at(0), k % 2 == 0)));
      }
      auto guard = co_await object.collective_write();
      co_await w.barrier();  // all are inside
      if (w.me().index() == 0) {
        CHECK(seen->readers == 0);
        CHECK(seen->writers == 0);
      }
      ++guard->value;
      co_await w.barrier();
      guard.release();
    }
    co_await when_all(std::move(visits));
    co_await w.quiesce();
    CHECK(!seen->wrong);
    CHECK((co_await object.read())->value == 10);
  });
}

TEST_CASE("starvation of writers: readers that overlap all the time do not keep one out") {
  on_pes([](world& w) { return try_to_starve_a_writer<local_rw_darc<counter>>(w); });
  on_pes([](world& w) { return try_to_starve_a_writer<global_rw_darc<counter>>(w); });
}

TEST_CASE("a guard held across an await of the same lock: others wait, nothing else stops") {
  on_pes([](world& w) -> task<> {
    const auto object = co_await local_rw_darc<counter>::create(w);
    const auto other = co_await darc<counter>::create(w);
    co_await w.quiesce();
    std::optional<reply<std::uint64_t>> waits;
    {
      const auto guard = co_await object.write();
      waits = object.call(w.me(), add_here<local_rw_darc<counter>>{});
      // Messages to this object and to others run all the same.
      CHECK(co_await object.call(w.me(), [](context) { return 7; }) == 7);
      const std::uint64_t seen =
          co_await other.call(next_of(w), [](counter& c) { return ++c.value; });
      CHECK(seen == 1);
      CHECK(!waits->ready());
    }
    CHECK(co_await *waits == 1);
    co_await w.quiesce();
  });
}

TEST_CASE("a reader that asks for another read waits behind nobody but writers") {
  on_pes([](world& w) -> task<> {
    const auto object = co_await global_rw_darc<counter>::create(w);
    const auto one = co_await object.read();
    const auto two = co_await object.read();
    co_await w.barrier();
    CHECK(&*one == &*two);
  });
}

TEST_CASE("a guard moves, ends once, and can be let go early") {
  on_pes([](world& w) -> task<> {
    const auto object = co_await local_rw_darc<counter>::create(w);
    auto first = co_await object.write();
    auto second = std::move(first);
    CHECK(!first);
    CHECK(static_cast<bool>(second));
    second->value = 3;
    second.release();
    CHECK(!second);
    second.release();
    second = co_await object.write();
    CHECK(second->value == 3);
    local_rw_darc<counter>::write_guard none;
    second = std::move(none);
    const auto reader = co_await object.read();
    CHECK(reader->value == 3);
  });
}

TEST_CASE("who stops waiting for access gives it back when it comes") {
  on_pes([](world& w) -> task<> {
    const auto local = co_await local_rw_darc<counter>::create(w);
    const auto global = co_await global_rw_darc<counter>::create(w);
    {
      const auto held = co_await local.write();
      auto waiting = local.write();
      waiting.start();
      CHECK(!waiting.finished());
    }
    {
      const auto held = co_await global.write();
      auto waiting = global.write();
      waiting.start();
    }
    co_await w.yield();
    CHECK((co_await local.write())->value == 0);
    CHECK((co_await global.write())->value == 0);
    co_await w.quiesce();
  });
}

TEST_CASE("a guard keeps the object, and one that is let go by a handler does not wait") {
  on_pes([](world& w) -> task<> {
    co_await w.quiesce();
    co_await w.barrier();
    const int before = alive;
    co_await w.barrier();
    auto object = co_await global_rw_darc<counter>::create(w, std::uint64_t{4});
    auto guard = co_await object.read();
    object = {};
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == before + parts_here(w));
    CHECK(guard->value == 4);
    co_await w.barrier();
    guard.release();
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == before);
  });
}

namespace {
struct parcel {
  local_rw_darc<counter> mine;
  std::map<int, std::vector<global_rw_darc<counter>>> ours;
};
struct open_parcel {
  task<parcel> operator()(context, parcel got) const {
    ++(co_await got.mine.write())->value;
    for (const auto& one : got.ours[7]) ++(co_await one.write())->value;
    co_return got;
  }
};
}  // namespace

TEST_CASE("read-write handles travel, nested in other values, there and back") {
  on_pes([](world& w) -> task<> {
    parcel one;
    one.mine = co_await local_rw_darc<counter>::create(w);
    const auto global = co_await global_rw_darc<counter>::create(w);
    one.ours[7] = {global, global};
    auto asked = w.call(next_of(w), open_parcel{}, one);
    const parcel back = co_await asked;
    co_await w.quiesce();
    CHECK((co_await back.mine.read())->value == 1);
    CHECK((co_await back.ours.at(7)[1].read())->value == 2);
    co_await w.quiesce();
  });
}

TEST_CASE("unlock after team without PE 0: the first PE of the team keeps the lock") {
  on_pes([](world& w) -> task<> {
    if (w.size() == 1) co_return;
    // The others, backwards: the last PE comes first.
    std::vector<team_position> all_but_first;
    for (std::uint32_t k = w.size() - 1; k != 0; --k) all_but_first.emplace_back(k);
    const team everybody{w};
    const team others = co_await everybody.subteam(all_but_first);
    if (others.is_member()) {
      auto object = co_await global_rw_darc<counter>::create(others);
      for (int k = 0; k < 10; ++k) {
        auto guard = co_await object.write();
        ++guard->value;
      }
      {
        auto guard = co_await object.collective_write();
        ++guard->value;
      }
      CHECK((co_await object.read())->value == 11);
      auto local = co_await std::move(object).into_local_rw();
      CHECK((co_await local.read())->value == 11);
      auto plain = co_await std::move(local).into_darc();
      auto clone = plain;
      bool refused = false;
      try {
        (void)co_await std::move(plain).into_global_rw();
      } catch (const still_referenced&) {
        refused = true;
      }
      CHECK(refused);
      clone = {};
      object = co_await std::move(plain).into_global_rw();
      CHECK((co_await object.write())->value == 11);
    }
    co_await w.quiesce();
  });
}
