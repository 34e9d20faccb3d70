// SPDX-License-Identifier: BSD-3-Clause
// Breaks one rule of the library, or loses a PE, as the first argument says; misuse_test.py
// runs it and reads what is said.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <lamellar/substrate/darc.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/run.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

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
