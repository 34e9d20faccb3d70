// SPDX-License-Identifier: BSD-3-Clause
// A discrete Fourier transform by its definition: each PE computes its block of the spectrum
// from the whole signal, which it streams from those who have it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <lamellar/containers/complex.hpp>
#include <lamellar/lamellar.hpp>
#include <numbers>
#include <vector>

using complex = std::complex<double>;

constexpr std::size_t length = 600;

// Two tones, one of them twice as loud and shifted by a quarter of a turn.
complex signal_at(std::size_t j) {
  const double turn = 2 * std::numbers::pi * static_cast<double>(j) / length;
  return {std::cos(5 * turn), 2 * std::cos(40 * turn)};
}

// The powers of the root of unity: all factors of the transform are among them.
std::vector<complex> make_roots() {
  std::vector<complex> roots;
  for (std::size_t j = 0; j < length; ++j) {
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(j) / length));
  }
  return roots;
}

// The transform by one PE alone.
std::vector<complex> by_one(const std::vector<complex>& roots) {
  std::vector<complex> spectrum(length);
  for (std::size_t k = 0; k < length; ++k) {
    for (std::size_t j = 0; j < length; ++j)
      spectrum[k] += signal_at(j) * roots[j * k % length];
  }
  return spectrum;
}

lamellar::task<int> body(lamellar::world& world) {
  const std::vector<complex> roots = make_roots();
  auto given = co_await lamellar::unsafe_array<complex>::create(world, length);
  for (std::size_t k = 0; k < given.local_size(); ++k) {
    given.local()[k] = signal_at(given.global_index(k));
  }
  const auto signal = co_await std::move(given).into_read_only();
  const auto spectrum = co_await lamellar::unsafe_array<complex>::create(world, length);

  // The kernel. No PE holds more than its block and a buffer of the signal.
  const auto mine = spectrum.local();
  std::size_t j = 0;
  for (const complex x : lamellar::stream(signal)) {
    for (std::size_t k = 0; k < mine.size(); ++k) {
      mine[k] += x * roots[j * spectrum.global_index(k) % length];
    }
    ++j;
  }
  co_await world.barrier();

  const std::vector<complex> expected = by_one(roots);
  std::vector<complex> found(length);
  co_await spectrum.get(0, found);
  double error = 0;
  std::vector<std::size_t> peaks;
  for (std::size_t k = 0; k < length; ++k) {
    error = std::max(error, std::abs(found[k] - expected[k]));
    if (std::abs(found[k]) > 1) peaks.push_back(k);
  }
  // A cosine has a positive and a negative frequency.
  const std::vector<std::size_t> tones{5, 40, length - 40, length - 5};
  bool right = error < 1e-9 && peaks == tones;
  right = co_await lamellar::all_reduce(world, right, std::logical_and<>{});
  if (world.me().index() == 0) {
    fmt::print("tones at {}: {}\n", fmt::join(peaks, ", "), right ? "right" : "wrong");
  }
  co_return right ? 0 : 1;
}

int main(int argc, char** argv) { return lamellar::run(argc, argv, body); }
