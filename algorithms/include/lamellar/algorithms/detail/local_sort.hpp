// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lamellar/algorithms/detail/deal_out.hpp>
#include <lamellar/algorithms/detail/radix_sort.hpp>
#include <lamellar/algorithms/detail/sort_order.hpp>
#include <lamellar/algorithms/detail/string_sort.hpp>
#include <lamellar/algorithms/detail/vector_sort.hpp>
#include <lamellar/substrate/bitwise.hpp>
#include <lamellar/substrate/on_node.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Sorting what one PE has, with its threads. Numbers are sorted by vector instructions, small
// records by the digits of their keys, strings by eight characters at a time, and everything
// else by pdqsort, or by a merge sort if equal elements shall stay in order. With several
// threads each sorts a piece, and then all merge.
//
// What is sorted already, or in reverse, is seen, and costs one pass.
//
// Thread-safety: the thread that the execution belongs to.
namespace lamellar::detail {

enum class sort_kernel { numbers, digits, strings, comparisons };

/// Strings in their own order, that lie in the elements.
template <class T, class Order>
concept string_keys = Order::natural && requires(const Order& order, const T& element) {
  { order.key_of(element) } -> std::same_as<const std::string&>;
};

/// What sorts Ts by an order.
template <class T, class Order>
consteval sort_kernel kernel_for() {
  if constexpr (Order::bare && sizeof(T) >= 2) {
    return sort_kernel::numbers;
  } else if constexpr (Order::ranked && bitwise<T> && std::default_initializable<T> &&
                       sizeof(T) <= 64) {
    return sort_kernel::digits;
  } else if constexpr (string_keys<T, Order>) {
    return sort_kernel::strings;
  } else {
    return sort_kernel::comparisons;
  }
}

/// Whether a kernel puts its result elsewhere.
constexpr bool moves_elements(sort_kernel kernel) {
  return kernel == sort_kernel::digits || kernel == sort_kernel::strings;
}

/// Numbers are their rank words while they are sorted, in the same memory.
template <class T, class Order>
void sort_numbers(std::span<T> numbers, const Order& order) {
  using word = rank_word<T>;
  static_assert(sizeof(word) == sizeof(T));
  // May alias: a word has the number's memory.
  using alias [[gnu::may_alias]] = word;
  auto* const words = reinterpret_cast<alias*>(numbers.data());
  constexpr bool as_it_is = std::unsigned_integral<T> && !Order::descends;
  if constexpr (!as_it_is) {
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      words[k] = order.rank(numbers[k]);
    }
  }
  vector_sort(std::span<word>{reinterpret_cast<word*>(numbers.data()), numbers.size()});
  if constexpr (!as_it_is) {
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      const word rank = words[k];
      numbers[k] = from_rank<T>(Order::descends ? static_cast<word>(~rank) : rank);
    }
  }
}

/// Sort in place, by comparisons.
template <class T, class Order>
void sort_by_comparisons(std::span<T> items, const Order& order, bool stable) {
  if (stable) {
    std::stable_sort(items.begin(), items.end(), order);
  } else if constexpr (std::is_arithmetic_v<typename Order::key> && Order::natural) {
    boost::sort::pdqsort_branchless(items.begin(), items.end(), order);
  } else {
    boost::sort::pdqsort(items.begin(), items.end(), order);
  }
}

/// Whether they are sorted; if they are in strictly reverse order, they are turned round first.
template <class T, class Order>
bool sorted_already(std::span<T> items, const Order& order) {
  if (items.size() < 2) {
    return true;
  }
  std::size_t k = 1;
  if (order(items[1], items[0])) {
    while (k < items.size() && order(items[k], items[k - 1])) {
      ++k;
    }
    if (k == items.size()) {
      std::reverse(items.begin(), items.end());
      return true;
    }
    return false;
  }
  while (k < items.size() && !order(items[k], items[k - 1])) {
    ++k;
  }
  return k == items.size();
}

/// Sort by one thread. The result is in `items`, or in `other` if the kernel moves elements.
template <class T, class Order>
void sort_piece(std::span<T> items, std::span<T> other, const Order& order, bool stable) {
  constexpr sort_kernel kernel = kernel_for<T, Order>();
  if (sorted_already(items, order)) {
    if constexpr (moves_elements(kernel)) {
      std::move(items.begin(), items.end(), other.begin());
    }
  } else if constexpr (kernel == sort_kernel::numbers) {
    sort_numbers(items, order);
  } else if constexpr (kernel == sort_kernel::digits) {
    const auto rank = [order](const T& of) { return order.rank(of); };
    radix_sorter<T, decltype(rank)>{rank}(items, other);
  } else if constexpr (kernel == sort_kernel::strings) {
    string_sorter<T, Order>{order}(items, other);
  } else {
    sort_by_comparisons(items, order, stable);
  }
}

/// How many of the first `d` elements of a merge of two sorted rows are of the first row.
template <class T, class Order>
std::size_t merged_from_first(std::span<const T> a, std::span<const T> b, std::size_t d,
                              const Order& order) {
  std::size_t low = d > b.size() ? d - b.size() : 0;
  std::size_t high = std::min(d, a.size());
  while (low < high) {
    const std::size_t i = low + (high - low) / 2;
    if (order(b[d - i - 1], a[i])) {
      high = i;
    } else {
      low = i + 1;
    }
  }
  return low;
}

/// Merge two sorted rows; of equal elements those of the first come first.
template <class T, class Order>
void merge_rows(std::span<T> a, std::span<T> b, T* to, const Order& order) {
  if constexpr (std::is_trivially_copyable_v<T> && sizeof(T) <= 16 && Order::natural) {
    // Without a branch that nobody can foresee.
    const T* i = a.data();
    const T* j = b.data();
    const T* const i_end = i + a.size();
    const T* const j_end = j + b.size();
    while (i != i_end && j != j_end) {
      const bool second = order(*j, *i);
      *to++ = *(second ? j : i);
      j += second;
      i += !second;
    }
    to = std::copy(i, i_end, to);
    std::copy(j, j_end, to);
  } else {
    std::merge(std::make_move_iterator(a.begin()), std::make_move_iterator(a.end()),
               std::make_move_iterator(b.begin()), std::make_move_iterator(b.end()), to, order);
  }
}

/// Merge neighbouring rows of `items`, whose ends are given, into `other`; all threads take
/// part. The ends become those of the merged rows.
template <class T, class Order>
void merge_neighbours(const on_node::execution& how, std::span<T> items, std::span<T> other,
                      std::vector<std::size_t>& ends, const Order& order) {
  const std::size_t pairs = (ends.size() + 1) / 2;
  const std::size_t pieces = (how.threads() + pairs - 1) / pairs;
  deal_out(how, pairs * pieces, [&](std::size_t k) {
    const std::size_t pair = k / pieces;
    const std::size_t begin = pair == 0 ? 0 : ends[2 * pair - 1];
    const std::size_t middle = ends[2 * pair];
    const std::size_t end = 2 * pair + 1 < ends.size() ? ends[2 * pair + 1] : middle;
    const std::span<T> a = items.subspan(begin, middle - begin);
    const std::span<T> b = items.subspan(middle, end - middle);
    const std::size_t from = (end - begin) * (k % pieces) / pieces;
    const std::size_t to = (end - begin) * (k % pieces + 1) / pieces;
    const std::size_t i = merged_from_first<T>(a, b, from, order);
    const std::size_t i_end = merged_from_first<T>(a, b, to, order);
    merge_rows(a.subspan(i, i_end - i), b.subspan(from - i, to - i_end - (from - i)),
               other.data() + begin + from, order);
  });
  std::vector<std::size_t> merged;
  for (std::size_t k = 1; k < ends.size(); k += 2) {
    merged.push_back(ends[k]);
  }
  if (ends.size() % 2 == 1) {
    merged.push_back(ends.back());
  }
  ends = std::move(merged);
}

/// Sort `items`; the result is in them, or in `other` if that is wanted. `other` has the same
/// length, or is empty if there is no memory and the result is wanted in place: that takes
/// longer. What is left where the result is not has no meaning.
template <class T, class Order>
void local_sort(const on_node::execution& how, std::span<T> items, std::span<T> other,
                bool wanted_in_other, const Order& order, bool stable) {
  const std::size_t n = items.size();
  if (other.size() != n) {
    if constexpr (kernel_for<T, Order>() == sort_kernel::numbers) {
      sort_piece(items, other, order, stable);
    } else {
      sort_by_comparisons(items, order, stable);
    }
    return;
  }
  constexpr std::size_t least_piece = 8192;
  const std::size_t pieces =
      std::clamp<std::size_t>(n / least_piece, 1, std::max<std::size_t>(how.threads(), 1));
  std::vector<std::size_t> ends;
  for (std::size_t k = 1; k <= pieces; ++k) {
    ends.push_back(n * k / pieces);
  }
  const auto sort_one = [&](std::size_t k) {
    const std::size_t begin = k == 0 ? 0 : ends[k - 1];
    sort_piece(items.subspan(begin, ends[k] - begin), other.subspan(begin, ends[k] - begin),
               order, stable);
  };
  if (pieces == 1) {
    sort_one(0);
  } else {
    deal_out(how, pieces, sort_one);
  }
  bool in_other = moves_elements(kernel_for<T, Order>());
  while (ends.size() > 1) {
    merge_neighbours(how, in_other ? other : items, in_other ? items : other, ends, order);
    in_other = !in_other;
  }
  if (in_other != wanted_in_other) {
    const std::span<T> from = in_other ? other : items;
    const std::span<T> to = in_other ? items : other;
    on_node::for_each_range(how, n, [&](std::size_t begin, std::size_t end) {
      std::move(from.data() + begin, from.data() + end, to.data() + begin);
    });
  }
}

}  // namespace lamellar::detail
