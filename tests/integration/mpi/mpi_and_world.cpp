// SPDX-License-Identifier: BSD-3-Clause
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <lamellar/lamellar.hpp>

// A program that uses MPI and holds a world too: PEs and ranks are the same processes, and have
// the same numbers. MPI is initialised first and finalised last, and no PE waits in it while
// another still wants something from the world.
namespace {

bool all_is_well = true;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "mpi_and_world: %s\n", what);
  all_is_well = false;
}

int use_both(lamellar::world& world) {
  int rank = -1;
  int size = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const unsigned me = world.me().index();
  expect(me == static_cast<unsigned>(rank), "a PE has another number than its rank");
  expect(world.size() == static_cast<unsigned>(size), "there are not as many PEs as ranks");

  // By turns: each PE's square, through the one and through the other.
  for (unsigned turn = 0; turn < 10; ++turn) {
    unsigned long by_calls = 0;
    const auto square = [](lamellar::context& here, unsigned add) -> unsigned long {
      return std::uint64_t{here.me().index()} * here.me().index() + add;
    };
    for (const unsigned long one : world.call_all(square, turn).get()) by_calls += one;
    // A PE that waits in MPI serves nobody, so first all calls have been answered.
    world.barrier().get();

    const unsigned long mine = std::uint64_t{me} * me + turn;
    unsigned long by_mpi = 0;
    MPI_Allreduce(&mine, &by_mpi, 1, MPI_UNSIGNED_LONG, MPI_SUM, MPI_COMM_WORLD);
    expect(by_calls == by_mpi, "calls and MPI give different sums");
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  // MPI keeps the process in its job, so one world may follow another.
  for (int k = 0; k < 2; ++k)
    expect(lamellar::run(argc, argv, use_both) == 0, "a world failed");
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
  if (all_is_well) std::puts("both are well");
  return all_is_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
