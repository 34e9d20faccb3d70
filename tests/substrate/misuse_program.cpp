// SPDX-License-Identifier: BSD-3-Clause
// Breaks one rule of the library, or loses a PE, as the first argument says; misuse_test.py
// runs it and reads what is said.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/exchange.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/message_group.hpp>
#include <lamellar/substrate/one_sided_memory_region.hpp>
#include <lamellar/substrate/run.hpp>
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/task_group.hpp>
#include <lamellar/substrate/team.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lamellar;

namespace {

pe next_of(const world& w) { return w.at((w.me().index() + 1) % w.size()); }

bool is_first(const world& w) { return w.me().index() == 0; }

/// A handler without an end, to nest.
struct nest {
  int operator()(context& at) const {
    return 1 + at.world().call(at.world().at((at.me().index() + 1) % at.size()), nest{}).get();
  }
};

/// Takes the object itself, so that it is being served; the handle comes in the message.
struct waits_for_own_object {
  int operator()(context& at, int&, const darc<int>& self) const {
    return self.call(at.me(), [](int& value) { return value; }).get();
  }
};

/// A region of 10 elements.
shared_memory_region<int> ten(world& w) {
  return shared_memory_region<int>::create(w, 10).get();
}

const std::map<std::string, std::function<void(world&)>> cases{
    {"wait_all_in_handler",
     [](world& w) {
       if (is_first(w)) w.send(next_of(w), [](context& at) { at.world().wait_all(); });
     }},
    {"quiesce_in_handler",
     [](world& w) {
       if (is_first(w)) w.send(next_of(w), [](context& at) { at.world().quiesce().get(); });
     }},
    {"barrier_in_handler",
     [](world& w) {
       if (is_first(w)) w.send(next_of(w), [](context& at) { at.world().barrier().get(); });
     }},
    {"exclusive_in_handler",
     [](world& w) {
       auto d = darc<int>::create(w, 0).get();
       if (is_first(w)) {
         w.send(
             next_of(w), [](const darc<int>& got) { got.exclusive([](int&) {}); }, d);
       }
       w.quiesce().get();
     }},
    {"mismatched_collectives",
     [](world& w) {
       if (is_first(w)) {
         w.barrier().get();
       } else {
         w.quiesce().get();
       }
     }},
    {"barrier_and_reduction",
     [](world& w) {
       if (is_first(w)) {
         w.barrier().get();
       } else {
         (void)all_reduce(w, 1).get();
       }
     }},
    {"exchange_out_of_team",
     [](world& w) {
       const std::vector<int> items(30, 1);
       const auto route = [&w](int, std::size_t k) {
         return team_position{is_first(w) && k == 17 ? w.size() : 0};
       };
       exchange(w, items, route, [](std::span<const int>) {}).get();
     }},
    {"placed_out_of_team",
     [](world& w) {
       const std::vector<int> items(30, 1);
       const auto route = [&w](int, std::size_t k) {
         return team_position{is_first(w) && k == 17 ? w.size() : 0};
       };
       exchange_placed(w, items, route).get();
     }},
    {"route_changes",
     [](world& w) {
       const std::vector<int> items(30, 1);
       std::size_t asked = 0;
       const auto route = [&](int, std::size_t) {
         return team_position{is_first(w) && ++asked > items.size() ? 1u : 0u};
       };
       exchange_placed(w, items, route).get();
     }},
    {"rows_left_out",
     [](world& w) {
       exchange_rows<int>(w, std::vector<std::uint64_t>(w.size(), 7), [](auto&) {}).get();
     }},
    {"row_too_long",
     [](world& w) {
       std::vector<int> items(8, 1);
       const auto fill = [&items](auto& rows) { rows.put(team_position{0}, items); };
       exchange_rows<int>(w, std::vector<std::uint64_t>(w.size(), 7), fill).get();
     }},
    {"rows_without_counts", [](world& w) { exchange_rows<int>(w, {}, [](auto&) {}).get(); }},
    {"source_outside",
     [](world& w) {
       const std::vector<int> items(3, 1);
       const auto to_first = [](int) { return team_position{0}; };
       const auto got = exchange_placed(w, items, to_first).get();
       (void)got.from(team_position{w.size()});
     }},
    {"exchange_in_handler",
     [](world& w) {
       if (!is_first(w)) return;
       w.send(next_of(w), [](context& at) {
         const std::vector<int> items;
         const auto route = [](int) { return team_position{0}; };
         exchange(at.world(), items, route, [](std::span<const int>) {}).get();
       });
     }},
    {"exchanges_of_different_items",
     [](world& w) {
       const std::vector<int> items(3, 1);
       const auto to_first = [](int) { return team_position{0}; };
       const auto as_double = [](int item) {
         return parcel<double>{team_position{0}, static_cast<double>(item)};
       };
       if (is_first(w)) {
         exchange(w, items, to_first, [](std::span<const int>) {}).get();
       } else {
         exchange(w, items, as_double, [](std::span<const double>) {}).get();
       }
     }},
    {"reduction_and_gather",
     [](world& w) {
       if (is_first(w)) {
         (void)all_reduce(w, 1).get();
       } else {
         (void)gather(w, 1).get();
       }
     }},
    {"reduction_of_some",
     [](world& w) {
       if (is_first(w)) (void)all_reduce(w, 1).get();
     }},
    {"barrier_of_some",
     [](world& w) {
       if (is_first(w)) w.barrier().get();
     }},
    {"types_of_reduction",
     [](world& w) {
       if (is_first(w)) {
         (void)all_reduce(w, 1).get();
       } else {
         (void)all_reduce(w, 1.0).get();
       }
     }},
    {"operations_of_reduction",
     [](world& w) {
       if (is_first(w)) {
         (void)all_reduce(w, 1).get();
       } else {
         (void)all_reduce(w, 1, std::multiplies<>{}).get();
       }
     }},
    {"roots_of_broadcast",
     [](world& w) {
       // Each waits for the other's value.
       (void)broadcast(w, 1, team_position{is_first(w) ? 1u : 0u}).get();
     }},
    {"root_outside", [](world& w) { (void)broadcast(w, 1, team_position{w.size()}).get(); }},
    {"too_few_values",
     [](world& w) { (void)all_to_all(w, std::vector<int>(w.size() - 1)).get(); }},
    {"different_teams", [](world& w) { (void)team{w}.block(is_first(w) ? 0 : 1, 1).get(); }},
    {"team_beyond_the_end", [](world& w) { (void)team{w}.block(1, w.size()).get(); }},
    {"team_with_a_pe_twice",
     [](world& w) {
       (void)team{w}.subteam({team_position{0}, team_position{0}}).get();
     }},
    {"collective_of_others",
     [](world& w) {
       const team t = team{w}.block(0, 1).get();
       (void)all_reduce(t, 1).get();
     }},
    {"position_outside",
     [](world& w) {
       const team t = team{w}.block(0, 1).get();
       t.send(team_position{1}, [] {});
     }},
    {"task_group_position",
     [](world& w) {
       task_group group{team{w}.block(0, 1).get()};
       group.send(team_position{1}, [] {});
     }},
    {"task_group_pe",
     [](world& w) {
       task_group group{team{w}.block(0, 1).get()};
       (void)group.call(w.at(1), [] { return 1; });
     }},
    {"message_group_position",
     [](world& w) {
       message_group group{team{w}.block(0, 1).get(), [](int) {}};
       group.add(team_position{1}, 5);
     }},
    {"message_group_pe",
     [](world& w) {
       message_group group{team{w}.block(0, 1).get()};
       group.add(w.at(1), [] {});
     }},
    {"message_group_no_pe",
     [](world& w) {
       message_group group{w};
       group.add(pe{w.size()}, [] {});
     }},
    {"group_of_nobody", [](world&) { const task_group group{team{}}; }},
    {"team_moved_away",
     [](world& w) {
       team t = team{w}.block(0, 1).get();
       const team taken = std::move(t);
       t.send(team_position{0}, [] {});
     }},
    {"object_of_others",
     [](world& w) {
       const team t = team{w}.block(0, 1).get();
       if (is_first(w)) darc<int>::create(t, 1).get().send(w.at(1), [](int&) {});
       w.quiesce().get();
     }},
    {"collective_in_handler",
     [](world& w) {
       if (is_first(w)) {
         w.send(next_of(w), [](context& at) { (void)all_reduce(at.world(), 1).get(); });
       }
       w.quiesce().get();
     }},
    {"mismatched_creation",
     [](world& w) {
       if (is_first(w)) {
         (void)darc<int>::create(w, 0).get();
       } else {
         (void)darc<double>::create(w, 0.0).get();
       }
     }},
    {"mismatched_collective_write",
     [](world& w) {
       const auto d = global_rw_darc<int>::create(w, 0).get();
       if (is_first(w)) {
         (void)d.collective_write().get();
       } else {
         w.barrier().get();
       }
     }},
    {"conversion_of_nothing", [](world&) { (void)darc<int>{}.into_local_rw().get(); }},
    {"pe_out_of_range_at", [](world& w) { (void)w.at(w.size()); }},
    {"pe_out_of_range_send", [](world& w) { w.send(pe{w.size() + 5}, [] {}); }},
    {"pe_out_of_range_call", [](world& w) { (void)w.call(pe{w.size() + 5}, [] {}); }},
    {"pe_out_of_range_darc",
     [](world& w) {
       auto d = darc<int>::create(w, 0).get();
       d.send(pe{w.size()}, [](int&) {});
     }},
    {"waits_for_own_object",
     [](world& w) {
       auto d = darc<int>::create(w, 0).get();
       if (is_first(w)) (void)d.call(next_of(w), waits_for_own_object{}, d).get();
       w.quiesce().get();
     }},
    {"nests_too_deep",
     [](world& w) {
       if (is_first(w)) (void)w.call(next_of(w), nest{}).get();
       w.quiesce().get();
     }},
    {"exception_in_body",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) throw std::runtime_error("the body gave up");
       w.barrier().get();
     }},
    {"odd_exception_in_body",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) throw 42;
       w.barrier().get();
     }},
    {"unnoticed_failure",
     [](world& w) {
       if (is_first(w)) w.send(next_of(w), [] { throw std::runtime_error("nobody looked"); });
     }},
    {"exit_in_body",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) std::exit(3);
       w.barrier().get();
     }},
    {"abort_in_body",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) std::abort();
       w.barrier().get();
     }},
    {"killed_in_body",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) kill(getpid(), SIGKILL);
       w.barrier().get();
     }},
    {"killed_in_handler",
     [](world& w) {
       if (is_first(w)) {
         w.send(w.at(w.size() - 1), [] { kill(getpid(), SIGKILL); });
         w.wait_all();
       }
     }},
    {"segmentation_fault",
     [](world& w) {
       if (w.me().index() + 1 == w.size()) raise(SIGSEGV);
       w.barrier().get();
     }},
    {"foreign_thread",
     [](world& w) {
       std::thread([&w] { w.send(w.at(0), [] {}); }).join();
       w.quiesce().get();
     }},
    {"region_index_put", [](world& w) { ten(w).put(w.me(), 10, 1).get(); }},
    {"region_index_view",
     [](world& w) { (void)ten(w).sub_region(2, 5).get(next_of(w), 5).get(); }},
    {"region_index_atomic", [](world& w) { (void)ten(w).fetch_add(next_of(w), 11, 1).get(); }},
    {"region_index_at", [](world& w) { ten(w).at(12) = 1; }},
    {"region_range_put",
     [](world& w) { ten(w).put(next_of(w), 8, std::vector<int>(3)).get(); }},
    {"region_range_get",
     [](world& w) {
       std::vector<int> into(11);
       ten(w).get(next_of(w), 0, into).get();
     }},
    {"region_range_view", [](world& w) { (void)ten(w).sub_region(7, 4); }},
    {"region_range_huge", [](world& w) { (void)ten(w).sub_region(5, ~std::size_t{0}); }},
    {"region_pe", [](world& w) { ten(w).put(pe{w.size()}, 0, 1).get(); }},
    {"region_empty", [](world& w) { shared_memory_region<int>{}.put(w.me(), 0, 1).get(); }},
    {"region_member",
     [](world& w) {
       const team all{w};
       const team first = all.block(0, 1).get();
       if (is_first(w)) {
         const auto r = shared_memory_region<int>::create(first, 10).get();
         r.put(w.at(1), 0, 1).get();
       }
       w.quiesce().get();
     }},
    {"region_sizes",
     [](world& w) {
       (void)shared_memory_region<int>::create(w, w.me().index() + 1 == w.size() ? 20 : 10)
           .get();
     }},
    {"region_types",
     [](world& w) {
       if (is_first(w)) {
         (void)shared_memory_region<int>::create(w, 10).get();
       } else {
         (void)shared_memory_region<float>::create(w, 10).get();
       }
     }},
    {"region_dropped_get",
     [](world& w) {
       const auto r = ten(w);
       std::vector<int> into(10);
       if (is_first(w)) (void)r.get(next_of(w), 0, into);
       w.quiesce().get();
     }},
    {"region_elsewhere",
     [](world& w) {
       if (is_first(w)) {
         w.send(
             next_of(w), [](const one_sided_memory_region<int>& r) { (void)r.local(); },
             one_sided_memory_region<int>::create(w, 5));
       }
       w.quiesce().get();
     }},
    {"region_one_sided_index",
     [](world& w) { (void)one_sided_memory_region<int>::create(w, 5).get(5).get(); }},
    {"region_statistics",
     [](world& w) {
       const auto r = ten(w);
       const pe to = next_of(w);
       r.put(to, 0, 1).get();
       r.put(to, 1, std::vector<int>(2)).get();
       (void)r.get(to, 2).get();
       (void)r.fetch_add(to, 3, 1).get();
       r.add(to, 3, 1).get();
     }},
    {"leaves_early",
     [](world& w) {
       if (is_first(w)) return;
       int sum = 0;
       for (int k = 0; k < 10000; ++k) {
         w.send(
             w.at(0), [](int) {}, k);
         if (k % 100 == 0)
           sum += w.call(
                       w.at(0), [](int a) { return a; }, 1)
                      .get();
       }
       if (sum != 100) std::abort();
     }},
    {"nothing", [](world&) {}},
};

}  // namespace

int main(int argc, char** argv) {
  const auto which = cases.find(argc > 1 ? argv[1] : "");
  if (which == cases.end()) {
    std::fprintf(stderr, "misuse_program: which case?\n");
    return 99;
  }
  const int code = run(argc, argv, [&](world& w) { which->second(w); });
  if (code == 0) std::puts("ended well");
  return code;
}
