// SPDX-License-Identifier: BSD-3-Clause
// What all containers do, on those whose items lie where they were put.
#include <cereal/types/string.hpp>
#include <cstdint>
#include <lamellar/containers/bag.hpp>
#include <lamellar/containers/channel.hpp>
#include <lamellar/containers/vector.hpp>
#include <lamellar/containers/work_queue.hpp>
#include <string>
#include <utility>

#include "common_behaviour.hpp"

using namespace lamellar;
using lamellar::testing::check_common_behaviour;

namespace {

/// A channel with room for what the tests put in.
template <class T>
struct roomy_channel : channel<T> {
  roomy_channel() = default;
  explicit roomy_channel(channel<T> c) : channel<T>{std::move(c)} {}
  static task<roomy_channel> create(detail::located_team of) {
    const team_position last{of.value.size() - 1};
    auto making = channel<T>::create(std::move(of), 1000, last);
    co_return roomy_channel{co_await making};
  }
};

}  // namespace

TEST_CASE("a channel is a container") {
  check_common_behaviour<roomy_channel<std::uint16_t>>();
  check_common_behaviour<roomy_channel<std::string>>();
}

TEST_CASE("a work queue is a container") {
  check_common_behaviour<work_queue<std::uint64_t>>();
  check_common_behaviour<work_queue<std::string, work_order::lifo>>();
}

TEST_CASE("a bag is a container") {
  check_common_behaviour<bag<std::uint32_t>>();
  check_common_behaviour<bag<std::string>>();  // whose namespace brings std::size and
                                               // std::empty
}

TEST_CASE("a vector is a container") {
  check_common_behaviour<lamellar::vector<double>>();
  check_common_behaviour<lamellar::vector<std::string>>();
}
