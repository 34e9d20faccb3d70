// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// The Kronecker product of stars: a graph of any size whose triangles are known. Its vertices
// are numbers with a digit for each star, 0 for the centre; two of them have an edge if in each
// star their digits have one. Loops of the product are left out.
//
// A star of m leaves has 3m + 1 closed walks of three steps if its centre has a loop, 4 if a
// leaf has one, else none; the product has as many as the product of these. Those that use its
// one loop are taken off, and six of the others are a triangle.
//
// Source: bale's triangles; Kepner and others, "Design, generation, and validation of extreme
// scale power-law graphs", 2018. Thread-safety: constant.
namespace lamellar::benchmark {

class star_product {
 public:
  /// Where each star has a loop; numbered as bale does.
  enum class loop { nowhere, at_centre, at_leaf };

  star_product(std::vector<std::uint64_t> leaves, loop where)
      : leaves_{std::move(leaves)}, loop_{where} {}

  std::uint64_t vertices() const {
    return of_each([](std::uint64_t m) { return m + 1; });
  }
  std::uint64_t triangles() const {
    if (loop_ == loop::nowhere) return 0;
    const bool centre = loop_ == loop::at_centre;
    const auto walks = of_each([=](std::uint64_t m) { return centre ? 3 * m + 1 : 4; });
    const auto ends = of_each([=](std::uint64_t m) { return centre ? m + 1 : 2; });
    return (walks - 3 * ends + 2) / 6;
  }

  /// f(u) of the neighbours u < v of a vertex, in order.
  template <class F>
  void for_lesser(std::uint64_t v, F f) const {
    struct range {
      std::uint64_t first, last, weight;
    };
    std::vector<range> ranges;
    std::uint64_t weight = 1;
    std::uint64_t count = 1;
    for (std::size_t k = leaves_.size(), rest = v; k-- > 0; weight *= leaves_[k] + 1) {
      const auto [first, last] = beside(rest % (leaves_[k] + 1), leaves_[k]);
      rest /= leaves_[k] + 1;
      ranges.push_back({first, last, weight});
      count *= last - first + 1;
    }
    for (std::uint64_t number = 0; number < count; ++number) {
      std::uint64_t u = 0;
      std::uint64_t left = number;
      for (const range& each : ranges) {
        const std::uint64_t choices = each.last - each.first + 1;
        u += (each.first + left % choices) * each.weight;
        left /= choices;
      }
      if (u >= v) return;
      f(u);
    }
  }

 private:
  struct digits {
    std::uint64_t first, last;
  };
  /// Those that have an edge to one.
  digits beside(std::uint64_t digit, std::uint64_t leaves) const {
    if (digit == 0) return {loop_ == loop::at_centre ? 0U : 1U, leaves};
    return {0, digit == 1 && loop_ == loop::at_leaf ? 1U : 0U};
  }
  template <class F>
  std::uint64_t of_each(F f) const {
    std::uint64_t product = 1;
    for (const std::uint64_t m : leaves_) product *= f(m);
    return product;
  }

  std::vector<std::uint64_t> leaves_;
  loop loop_;
};

}  // namespace lamellar::benchmark
