// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/team.hpp>

// The number of a PE is not its place in a team, and what the compiler says about that.

inline void who_gets_it(lamellar::world& w, const lamellar::team& t,
                        const lamellar::darc<int>& d,
                        const lamellar::shared_memory_region<int>& r) {
  const lamellar::pe one{1};
  const lamellar::team_position first{0};
  w.send(one, [] {});
  t.send(first, [] {});
  d.send(t.at(first), [](int&) {});
  t.send(*t.position_of(one), [] {});
#ifdef PE_IN_TEAM_SEND
  t.send(one, [] {});
#endif
#ifdef PE_IN_TEAM_CALL
  (void)t.call(one, [] { return 1; });
#endif
#ifdef POSITION_IN_WORLD_SEND
  w.send(first, [] {});
#endif
#ifdef POSITION_IN_WORLD_CALL
  (void)w.call(first, [] { return 1; });
#endif
#ifdef POSITION_IN_DARC
  d.send(first, [](int&) {});
#endif
#ifdef POSITION_IN_REGION
  r.put(first, 0, 1).get();
#endif
#ifdef PE_AS_POSITION
  const lamellar::team_position wrong = one;
#endif
#ifdef POSITION_AS_PE
  const lamellar::pe wrong = first;
#endif
#ifdef COMPARED
  static_cast<void>(one == first);
#endif
  r.put(one, 0, 1).get();
}
