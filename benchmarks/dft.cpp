// SPDX-License-Identifier: BSD-3-Clause
//
// dft: how fast do all PEs compute a discrete Fourier transform by its definition? Beside it
// stands one thread that does it alone.

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/complex.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/world.hpp>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "support/by_turns.hpp"
#include "support/mixed.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t length = 4096;
};

using complex = std::complex<double>;
using signal = std::vector<complex>;

/// A factor of the transform: the j-th power of a root of unity.
complex power(std::uint64_t j, std::uint64_t length) {
  return std::polar(
      1.0, -2 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(length));
}

/// Element k of the spectrum. `powers` are those of the root of unity, one for each element.
complex element(const signal& given, const signal& powers, std::uint64_t k) {
  double real = 0;
  double imaginary = 0;
  std::uint64_t at = 0;
  for (const complex& x : given) {
    const complex by = powers[at];
    real += x.real() * by.real() - x.imag() * by.imag();
    imaginary += x.real() * by.imag() + x.imag() * by.real();
    at += k;
    at -= at >= powers.size() ? powers.size() : 0;
  }
  return {real, imaginary};
}

class transforms {
 public:
  transforms(world& w, const settings& set)
      : world_{w}, length_{set.length}, spectrum_{array_type::create(w, length_).get()} {
    auto given = array_type::create(w, length_).get();
    for (std::size_t k = 0; k < given.local_size(); ++k) {
      given.local()[k] = value_at(given.global_index(k));
    }
    if (set.common.sabotage && w.me() == pe(0)) given.local()[0] += 1;
    given_ = std::move(given).into_read_only().get();
    for (std::uint64_t j = 0; j < length_; ++j) {
      powers_.push_back(power(j, length_));
      whole_.push_back(value_at(j));
    }
  }

  double serially() {
    signal found(length_);
    const double seconds = seconds_on_first(world_, [&] {
      for (std::uint64_t k = 0; k < length_; ++k) found[k] = element(whole_, powers_, k);
    });
    expected_ = broadcast(world_, std::move(found)).get();
    return seconds;
  }
  double together() {
    const double seconds = seconds_together(world_, [&] {
      signal copy(length_);
      given_.get(0, copy).get();
      const auto mine = spectrum_.local();
      for (std::size_t k = 0; k < mine.size(); ++k) {
        mine[k] = element(copy, powers_, spectrum_.global_index(k));
      }
      world_.barrier().get();
    });
    check();
    return seconds;
  }

  bool right() const { return right_; }

 private:
  using array_type = unsafe_array<complex>;

  static complex value_at(std::uint64_t j) {
    return {fraction_of(mixed(2 * j)), fraction_of(mixed(2 * j + 1))};
  }
  /// The elements are those of one thread; a few of these are by the definition; and Parseval's
  /// theorem holds.
  void check() {
    const auto mine = spectrum_.local();
    double squares = 0;
    for (std::size_t k = 0; k < mine.size(); ++k) {
      right_ = right_ && mine[k] == expected_[spectrum_.global_index(k)];
      squares += std::norm(mine[k]);
    }
    const double allowed = 1e-12 * static_cast<double>(length_ * length_);
    for (const std::uint64_t k : {std::uint64_t{0}, length_ / 3, length_ - 1}) {
      complex sum = 0;
      for (std::uint64_t j = 0; j < length_; ++j) {
        sum += whole_[j] * power(j * k % length_, length_);
      }
      right_ = right_ && std::abs(sum - expected_[k]) <= allowed;
    }
    double wanted = 0;
    for (const complex& x : whole_) wanted += std::norm(x) * static_cast<double>(length_);
    squares = all_reduce(world_, squares).get();
    right_ = right_ && std::abs(squares - wanted) <= 1e-9 * wanted;
  }

  world& world_;
  std::uint64_t length_;
  array_type spectrum_;
  read_only_array<complex> given_;
  signal powers_;
  signal whole_;
  signal expected_;
  bool right_ = true;
};

void measure(world& w, const settings& set, report* out) {
  transforms work{w, set};
  measure_turns(w, set.common, out, "dft", "serial_dft", work, [&](result& r) {
    r.operations = static_cast<double>(set.length * set.length);
    r.unit = "terms/s";
    r.parameters = {{"length", static_cast<std::int64_t>(set.length)}};
  });
}

constexpr const char* problem =
    "Lamellar's dft_proxy: the discrete Fourier transform of an array of complex numbers, by\n"
    "its definition. Each PE gets the whole array, and computes its block of the spectrum.";
constexpr const char* metric =
    "terms per second, all PEs together: the square of the length. Powers of the root of unity "
    "are\n"
    "there before. The limit is the same loop for all of the spectrum by one thread of PE 0.\n"
    "All elements are compared with its, a few of these with the definition, and Parseval's\n"
    "theorem must hold.";

int main(int argc, char** argv) {
  settings set;
  command_line command("dft", problem, metric);
  command.add_size("--length", set.length, "Elements of the array");
  return run_benchmark(command, argc, argv, set, measure);
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
