// SPDX-License-Identifier: BSD-3-Clause
// Active messages as structs: the members travel, the call operator runs on arrival. A plain
// struct of numbers, strings and containers needs no code to be sent.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>

using lamellar::context;

// Says where it is, and answers.
struct introduction {
  std::string name;
  std::vector<int> scores;

  std::string operator()(context& at) const {
    int total = 0;
    for (const int score : scores) total += score;
    return fmt::format("{} scored {} on PE {}", name, total, at.me().index());
  }
};

// Goes once around all PEs, collecting their numbers, and ends where it began.
struct round_trip {
  std::vector<std::uint32_t> seen;
  lamellar::darc<std::vector<std::uint32_t>> result;

  void operator()(context& at) const {
    round_trip onward = *this;
    onward.seen.push_back(at.me().index());
    if (onward.seen.size() == at.size()) {
      result.send(lamellar::pe{onward.seen.front()}, keep{}, onward.seen);
    } else {
      at.world().send(at.world().at((at.me().index() + 1) % at.size()), onward);
    }
  }

  struct keep {
    void operator()(std::vector<std::uint32_t>& mine,
                    const std::vector<std::uint32_t>& way) const {
      mine = way;
    }
  };
};

lamellar::task<int> body(lamellar::world& world) {
  const std::uint32_t me = world.me().index();
  const lamellar::pe last = world.at(world.size() - 1);

  // Give a message a name before you co_await it: GCC 12 destroys a temporary of a
  // co_await expression twice.
  const introduction ada{"Ada", {1, 2, 3}};
  const std::string answer = co_await world.call(last, ada);

  const auto way = co_await lamellar::darc<std::vector<std::uint32_t>>::create(world);
  world.send(world.me(), round_trip{{}, way});
  co_await world.quiesce();  // the message, and all that it led to, has been handled

  bool right = answer == fmt::format("Ada scored 6 on PE {}", last.index());
  right = right && way->size() == world.size();
  for (std::uint32_t step = 0; right && step < world.size(); ++step) {
    right = way.local()[step] == (me + step) % world.size();
  }
  if (me == 0) {
    fmt::print("{}; a message went around {} PEs\n", answer, way->size());
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
