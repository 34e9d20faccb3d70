// SPDX-License-Identifier: BSD-3-Clause
// The smallest user program: each PE greets.
#include <cstdio>
#include <lamellar/lamellar.hpp>

int main(int argc, char** argv) {
  return lamellar::run(argc, argv, [](lamellar::world& world) {
    std::printf("hello from PE %u of %u\n", world.me().index(), world.size());
  });
}
