// SPDX-License-Identifier: BSD-3-Clause
// A darc is one object in parts, one on each PE. Here it is a set of vertices, and a handler
// explores a graph: it adds a vertex to the set of the PE where it runs, and sends itself on to
// the vertex' neighbours. Nobody counts messages: quiesce() knows when there are none left.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <unordered_set>

using vertices = std::unordered_set<std::uint32_t>;

// The corners of a hypercube: two are neighbours if they differ in one bit.
constexpr std::uint32_t dimensions = 12;

lamellar::pe owner(const lamellar::world& world, std::uint32_t vertex) {
  return world.at(vertex % world.size());
}

// A handler of a darc<T> takes a T&, or the darc itself, to send from. Handlers of one darc run
// one at a time on a PE: the set needs no lock.
struct visit {
  void operator()(lamellar::context& at, lamellar::darc<vertices> found,
                  std::uint32_t vertex) const {
    if (!found->insert(vertex).second) {
      return;  // known already
    }
    for (std::uint32_t bit = 0; bit < dimensions; ++bit) {
      const std::uint32_t neighbour = vertex ^ 1u << bit;
      found.send(owner(at.world(), neighbour), visit{}, neighbour);
    }
  }
};

lamellar::task<int> body(lamellar::world& world) {
  const auto found = co_await lamellar::darc<vertices>::create(world);
  if (world.me().index() == 0) {
    found.send(owner(world, 0), visit{}, 0u);
  }
  // While messages are under way a PE may look at its part like this only: no handler of it
  // runs meanwhile.
  std::size_t early = 0;
  found.exclusive([&](const vertices& mine) { early = mine.size(); });

  co_await world.quiesce();  // every message, and every message that one led to, is handled

  // Now nothing is under way: a PE may use its part directly.
  std::size_t reached = 0;
  for (const std::size_t part :
       co_await found.call_all([](const vertices& part) { return part.size(); })) {
    reached += part;
  }
  if (world.me().index() == 0) {
    fmt::print("reached {} vertices of {}\n", reached, 1u << dimensions);
  }
  co_return reached == 1u << dimensions && early <= found->size() ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
