// SPDX-License-Identifier: BSD-3-Clause
//
// sort: what does it cost to sort a distributed array? The limit is the library's best local
// sort by every PE of what it has, all at once, which leaves the array unsorted as a whole;
// beside it stands std::sort by one thread.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cereal/types/string.hpp>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lamellar/algorithms/detail/local_sort.hpp>
#include <lamellar/algorithms/sort.hpp>
#include <lamellar/containers/array.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/index_list.hpp"
#include "support/job.hpp"
#include "support/options.hpp"
#include "support/pages.hpp"
#include "support/report.hpp"
#include "support/timing.hpp"

namespace lamellar::benchmark {
namespace {

struct settings {
  options common;
  std::uint64_t elements = 10'000'000;  // of each PE
  std::vector<std::string> types{"u64"};
  std::vector<std::string> inputs{"uniform"};
};

// ---- elements: made of a number, whose order they have ----

struct u64 {
  using type = std::uint64_t;
  static constexpr std::identity key{};
  static type make(std::uint64_t x) { return x; }
  static std::uint64_t mixed(type x) { return x; }
};

struct f64 {
  using type = double;
  static constexpr std::identity key{};
  static type make(std::uint64_t x) { return static_cast<double>(x) - 0x1p63; }
  static std::uint64_t mixed(type x) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
  }
};

struct keyed_record {
  std::uint64_t key;
  std::uint64_t value;
};
struct record16 {
  using type = keyed_record;
  static constexpr auto key = &keyed_record::key;
  static type make(std::uint64_t x) { return {x, ~x * 3}; }
  static std::uint64_t mixed(const type& x) { return x.key + x.value * 0x9e3779b97f4a7c15U; }
};

struct string20 {
  using type = std::string;
  static constexpr std::identity key{};
  static type make(std::uint64_t x) {
    type text(20, 'a');
    for (std::size_t k = 20; k-- > 0; x /= 26) text[k] = static_cast<char>('a' + x % 26);
    // Numbers below 2^64 fill 14 places; the first ones shall be as good as any.
    std::rotate(text.begin(), text.begin() + 6, text.end());
    return text;
  }
  static std::uint64_t mixed(const type& x) { return std::hash<std::string>{}(x); }
};

/// The number that element `i` of `n` is made of.
class numbers {
 public:
  numbers(const std::string& input, std::uint64_t n, std::uint64_t seed)
      : input_{input}, n_{n}, random_{seed}, ranks_{1U << 20, 1.0} {}
  std::uint64_t operator()(std::uint64_t i) {
    const std::uint64_t step = ~std::uint64_t{0} / n_;
    if (input_ == "sorted") return i * step;
    if (input_ == "reversed") return (n_ - i) * step;
    if (input_ == "equal") return std::uint64_t{1} << 60;
    if (input_ == "few") return (random_() >> 60) << 56;
    if (input_ == "zipf") return ranks_(random_) << 40;
    return random_();
  }

 private:
  std::string input_;
  std::uint64_t n_;
  std::mt19937_64 random_;
  zipf_distribution ranks_;
};

/// Independent of the order.
template <class Kind>
std::uint64_t multiset_hash(std::span<const typename Kind::type> elements) {
  std::uint64_t sum = 0;
  for (const auto& each : elements) {
    std::uint64_t x = Kind::mixed(each) + 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    sum += x ^ (x >> 31);
  }
  return sum;
}

template <class Kind>
class sorting {
  using T = typename Kind::type;
  using key_type = decltype(Kind::key);
  using order = lamellar::detail::sort_order<T, std::less<>, std::remove_const_t<key_type>>;

 public:
  sorting(world& w, const settings& set, const std::string& input)
      : world_{w},
        elements_{unsafe_array<T>::create(w, set.elements * w.size()).get()},
        original_{std::make_unique<T[]>(set.elements)},
        sabotage_{set.common.sabotage} {
    numbers number{input, elements_.size(), w.me().index() + 1U};
    const std::uint64_t first = set.elements * w.me().index();
    for (std::size_t k = 0; k < set.elements; ++k) original_[k] = Kind::make(number(first + k));
    expected_ = all_reduce(w, multiset_hash<Kind>({original_.get(), set.elements})).get();
  }

  double together() {
    std::copy_n(original_.get(), elements_.local_size(), elements_.local().begin());
    world_.barrier().get();
    const stopwatch watch;
    sort(elements_, std::less<>{}, Kind::key).get();
    const double seconds = watch.seconds();
    if (sabotage_ && world_.me() == pe(0)) elements_.local()[0] = Kind::make(4711);
    right_ = right_ && is_right();
    return seconds;
  }

  /// Every PE sorts what it has.
  double alone() {
    const std::size_t n = elements_.local_size();
    std::copy_n(original_.get(), n, elements_.local().begin());
    exchanged_items<T> other = lamellar::detail::scratch_for<T>(world_, n);
    std::fill_n(other.data(), n, T{});
    world_.barrier().get();
    const stopwatch watch;
    const order by{{}, Kind::key};
    constexpr bool moves =
        lamellar::detail::moves_elements(lamellar::detail::kernel_for<T, order>());
    lamellar::detail::local_sort<T>(world_.on_node(), elements_.local(), {other.data(), n},
                                    moves, by, false);
    world_.barrier().get();
    return watch.seconds();
  }

  /// PE 0 alone sorts what it has, on one thread.
  double by_the_standard() {
    double seconds = 0;
    if (world_.me() == pe(0)) {
      std::vector<T> own(original_.get(), original_.get() + elements_.local_size());
      const auto less = [](const T& a, const T& b) {
        return std::invoke(Kind::key, a) < std::invoke(Kind::key, b);
      };
      const stopwatch watch;
      std::sort(own.begin(), own.end(), less);
      seconds = watch.seconds();
    }
    return broadcast(world_, seconds).get();
  }

  bool right() const { return right_; }
  std::string pages() const {
    return page_kind(elements_.local().data(), elements_.local().size_bytes());
  }

 private:
  /// Sorted from PE to PE, and the same elements.
  bool is_right() const {
    const auto less = [](const T& a, const T& b) {
      return std::invoke(Kind::key, a) < std::invoke(Kind::key, b);
    };
    const std::span<const T> own = elements_.local();
    bool right = std::is_sorted(own.begin(), own.end(), less);
    const auto ends = all_gather(world_, std::vector<T>{own.front(), own.back()}).get();
    for (std::size_t k = 1; k < ends.size(); ++k) {
      right = right && !less(ends[k].front(), ends[k - 1].back());
    }
    return all_reduce(world_, multiset_hash<Kind>(own)).get() == expected_ && right;
  }

  world& world_;
  unsafe_array<T> elements_;
  std::unique_ptr<T[]> original_;
  std::uint64_t expected_ = 0;
  bool sabotage_;
  bool right_ = true;
};

template <class Kind>
void measure(world& w, const settings& set, const std::string& type, const std::string& input,
             report* out) {
  on_node::start(w.threads());
  sorting<Kind> work{w, set, input};
  std::vector<double> together;
  std::vector<double> alone;
  for (unsigned k = 0; k <= set.common.repetitions; ++k) {
    together.push_back(work.together());
    alone.push_back(work.alone());
  }
  together.erase(together.begin());
  alone.erase(alone.begin());
  const double standard = work.by_the_standard();
  together = slowest(w, together);
  alone = slowest(w, alone);
  const bool right = on_all(w, work.right());
  if (out != nullptr) {
    result r = job_result(w, "sort/" + type + "/" + input, set.common);
    r.operations = static_cast<double>(set.elements) * w.size();
    r.seconds = summarise(together);
    r.unit = "elements/s";
    r.verified = right;
    r.bound = {"local_sort", r.operations / summarise(alone).median};
    const double standard_rate = static_cast<double>(set.elements) / standard;
    r.parameters = {{"type", type},
                    {"input", input},
                    {"elements_per_pe", static_cast<std::int64_t>(set.elements)},
                    {"std_sort", standard_rate},
                    {"of_std_sort", r.rate() / standard_rate},
                    {"pages", work.pages()}};
    out->add(std::move(r));
  }
  w.barrier().get();
}

constexpr const char* problem =
    "An array in blocks, of --elements on each PE, is filled and then sorted, anew each time.\n"
    "  u64       numbers of 64 bits\n"
    "  f64       doubles\n"
    "  record16  a key and a value of 64 bits each, by key\n"
    "  string20  std::string of 20 characters\n"
    "and what they are:\n"
    "  uniform, sorted, reversed, equal, zipf (of 2^20 values, exponent 1), few (16 values)";
constexpr const char* metric =
    "elements per second, all PEs together. The limit is the same local sort, by all PEs at\n"
    "once, of what each one has. The parameter `of_std_sort` compares with std::sort by one\n"
    "thread of what one PE has, measured once while the others wait.";

int main(int argc, char** argv) {
  settings set;
  command_line command("sort", problem, metric);
  command.add_size("--elements", set.elements, "Elements of each PE");
  command.parser()
      .add_option("--type", set.types, "u64, f64, record16, string20")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"u64", "f64", "record16", "string20"}));
  command.parser()
      .add_option("--input", set.inputs, "uniform, sorted, reversed, equal, zipf, few")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::IsMember({"uniform", "sorted", "reversed", "equal", "zipf", "few"}));
  return run_benchmark(command, argc, argv, set,
                       [](world& w, const settings& with, report* out) {
                         for (const std::string& type : with.types) {
                           for (const std::string& input : with.inputs) {
                             if (type == "u64") measure<u64>(w, with, type, input, out);
                             if (type == "f64") measure<f64>(w, with, type, input, out);
                             if (type == "record16")
                               measure<record16>(w, with, type, input, out);
                             if (type == "string20")
                               measure<string20>(w, with, type, input, out);
                           }
                         }
                       });
}

}  // namespace
}  // namespace lamellar::benchmark

int main(int argc, char** argv) { return lamellar::benchmark::main(argc, argv); }
