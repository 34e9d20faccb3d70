// SPDX-License-Identifier: BSD-3-Clause
// Handlers are numbered alike on all PEs, and told apart even where the compiler gives two of
// them one name.
#include <lamellar/substrate/detail/handler_table.hpp>
#include <lamellar/substrate/world.hpp>
#include <set>
#include <string>

#include "pes.hpp"
#include "same_name.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

TEST_CASE("lambdas with equal names in two files are two handlers") {
  on_pes([](world& w) {
    for (std::uint32_t to = 0; to < w.size(); ++to) {
      CHECK(same_name::ask_one(w, w.at(to)) == 11);
      CHECK(same_name::ask_two(w, w.at(to)) == 12);
    }
  });
}

TEST_CASE("handlers have dense numbers, and all PEs the same") {
  on_pes([](world& w) {
    const auto print = [] {
      const detail::handler_table& table = detail::handler_table::instance();
      return std::pair{table.digest(), std::uint64_t{table.size()}};
    };
    for (const auto& one : w.call_all(print).get()) CHECK(one == print());
    const detail::handler_table& table = detail::handler_table::instance();
    CHECK(table.size() > 5);
    std::set<detail::run_function> different;
    for (std::size_t k = 0; k < table.size(); ++k) {
      const auto id = static_cast<std::uint16_t>(detail::first_handler + k);
      const detail::handler_node* node = table.find(id);
      REQUIRE(node != nullptr);
      CHECK(node->id == id);
      different.insert(node->run);
    }
    CHECK(different.size() == table.size());
    CHECK(table.find(0) == nullptr);
    CHECK(table.find(static_cast<std::uint16_t>(detail::first_handler + table.size())) ==
          nullptr);
    CHECK(table.find(0xffff) == nullptr);
  });
}

TEST_CASE("the list of handlers can be read by people") {
  on_pes([](world& w) {
    w.call(
         next_of(w), [](int) {}, 1)
        .get();
    const std::string all = detail::handler_table::instance().listing();
    CHECK(all.find("(records of 4 bytes)") != std::string::npos);
    CHECK(all.find("lambda(int)") != std::string::npos);
  });
}
