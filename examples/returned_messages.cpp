// SPDX-License-Identifier: BSD-3-Clause
// A handler may answer with a message: it runs on the PE that called, where the data is that
// belongs to the answer, and before the reply is complete.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>
#include <map>
#include <string>

// What a PE knows of its own, and what it has learned from others.
struct knowledge {
  std::map<std::uint32_t, std::string> own;
  std::map<std::uint32_t, std::string> learned;
};

// Runs on the caller: keeps what came. Its result is what the caller's reply gives.
struct learn {
  std::size_t operator()(const lamellar::darc<knowledge>& here, std::uint32_t key,
                         std::string_view value) const {
    here->learned[key] = value;
    return here->learned.size();
  }
};

// Runs on the owner of the key.
struct look_up {
  auto operator()(const lamellar::darc<knowledge>& there, std::uint32_t key) const {
    return lamellar::on_caller(learn{}, there, key, there->own.at(key));
  }
};

// The clocks of two PEs: the answer is compared on the PE that asked, as soon as it is there.
struct compare_clocks {
  std::uint64_t asked_at;
  auto operator()(lamellar::context& there) const {
    const auto here = [](std::uint64_t asked, std::uint64_t theirs) { return theirs - asked; };
    return lamellar::on_caller(here, asked_at, asked_at + there.me().index());
  }
};

lamellar::task<int> body(lamellar::world& world) {
  const std::uint32_t me = world.me().index();
  const auto known = co_await lamellar::darc<knowledge>::create(world);
  known->own[me] = fmt::format("the secret of PE {}", me);
  co_await world.barrier();

  std::size_t learned = 0;
  for (std::uint32_t key = 0; key < world.size(); ++key) {
    learned = co_await world.call(world.at(key), look_up{}, known, key);
  }
  const std::uint64_t ahead =
      co_await world.call(world.at(world.size() - 1), compare_clocks{1000});
  co_await world.quiesce();

  if (me == 0) {
    fmt::print("PE 0 has learned {} things, the last is {}\n", learned,
               known->learned.rbegin()->second);
  }
  co_return learned == world.size() && ahead == world.size() - 1 ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
