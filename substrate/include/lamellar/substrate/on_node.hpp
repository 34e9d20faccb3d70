// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

// Loops over the elements that a PE holds itself: nothing here communicates.
//
// A loop is cut into chunks, one for each thread that it may use, and the chunks run on Kokkos'
// threaded host space. Which threads those are is told by an `execution`: more than one only
// where the PE has several and the caller is its main thread. A loop that may use one thread is
// a plain loop on the calling thread, which is what Kokkos::Serial does, but without the lock
// that Kokkos keeps on its instance: many PEs of one process may loop at once. The same happens
// where threads are not to be had: a serial Kokkos, a Kokkos that accepts work from another
// thread only, a loop within a loop.
//
// Functions passed here run on several threads at once and must not call the world. The first
// exception that one throws leaves the loop, when all chunks have ended. This header does not
// include Kokkos; <kokkos_view.hpp> does.

namespace lamellar::on_node {

/// How many threads a loop may use. A world gives out the one that fits the calling thread.
class execution {
 public:
  /// The calling thread alone. Right everywhere.
  execution() = default;

  /// The threads of a PE that has `threads` of them. Requires: called, and used, on the PE's
  /// main thread.
  static execution threaded(std::uint32_t threads) noexcept { return execution{threads}; }

  /// Number of threads that a loop may use.
  [[nodiscard]] std::uint32_t threads() const noexcept { return threads_; }

 private:
  explicit execution(std::uint32_t threads) noexcept : threads_{threads == 0 ? 1 : threads} {}

  std::uint32_t threads_ = 1;
};

/// Start Kokkos with `threads` threads, unless it runs already. It ends when the process exits;
/// a Kokkos that somebody else has started is left to them. The first threaded loop does this
/// too, but only a call before the main thread is pinned gives the threads room. Requires: the
/// main thread of the process.
void start(std::uint32_t threads);

/// Call `f(i)` for every i < n, in any order.
/// Cost: O(n / threads); with more than one thread about 1 us more.
template <std::invocable<std::size_t> F>
void for_each(const execution& how, std::size_t n, F&& f);

/// Call `f(begin, end)` for ranges that together are [0, n), each once. For loops that prepare
/// something per range.
template <std::invocable<std::size_t, std::size_t> F>
void for_each_range(const execution& how, std::size_t n, F&& f);

/// Call `f(t)` for t = 0, 1, ... on as many threads as the loop may use, all at the same time
/// if Kokkos' threads are free, else one after the other. For loops that deal out their work
/// themselves.
template <std::invocable<std::size_t> F>
void for_each_thread(const execution& how, F&& f);

/// Return op(init, f(0), f(1), ... f(n - 1)). Requires: op is associative; it need not be
/// commutative. The grouping depends on n alone: a sum of floating-point numbers is the same
/// for any number of threads.
template <class T, std::invocable<std::size_t> F, class Op>
[[nodiscard]] T reduce(const execution& how, std::size_t n, T init, F&& f, Op op);

/// The same for elements that come in blocks: `of(begin, end)` gives a std::optional<T> for
/// them, without a value if there is nothing. The blocks depend on n alone. Returns nothing if
/// no block has given anything.
template <class T, std::invocable<std::size_t, std::size_t> Block, class Op>
[[nodiscard]] std::optional<T> reduce_blocks(const execution& how, std::size_t n, Block&& of,
                                             Op op);

/// Return op(f(begin), ... f(end - 1)) on the calling thread. f may be called in any order.
/// Requires: begin < end; op is associative.
template <class T, std::invocable<std::size_t> F, class Op>
[[nodiscard]] T reduce_range(std::size_t begin, std::size_t end, const F& f, Op& op);

/// Set out[i] = op(init, in[0], ... in[i - 1]), and return what out[n] would be. `out` may be
/// `in`. Requires: out.size() >= in.size(); op is associative.
template <class T, class Op = std::plus<>>
T exclusive_scan(const execution& how, std::span<const T> in, std::span<T> out, T init,
                 Op op = {});

/// Set every element to `value`.
template <class T>
void fill(const execution& how, std::span<T> elements, const std::type_identity_t<T>& value);

// ---- detail ----------------------------------------------------------------------

namespace detail {

/// Into how many chunks a loop is cut: 1 if it is short or may not use threads.
[[nodiscard]] std::size_t count_chunks(const execution& how, std::size_t n);

/// Call body(context, chunk) for every chunk, on Kokkos' threads if they are free, and wait for
/// all.
void run_chunks(std::size_t chunks, void (*body)(void* context, std::size_t chunk),
                void* context);

/// The first element of chunk number `chunk`.
[[nodiscard]] constexpr std::size_t chunk_begin(std::size_t chunk, std::size_t chunks,
                                                std::size_t n) {
  return n / chunks * chunk + (chunk < n % chunks ? chunk : n % chunks);
}

/// Call f(chunk, begin, end) for each of `chunks` chunks. With one chunk the compiler sees a
/// plain call.
template <class F>
void for_chunks(std::size_t chunks, std::size_t n, F&& f) {
  if (chunks == 1) {
    f(std::size_t{0}, std::size_t{0}, n);
    return;
  }
  auto body = [&](std::size_t chunk) {
    f(chunk, chunk_begin(chunk, chunks, n), chunk_begin(chunk + 1, chunks, n));
  };
  run_chunks(
      chunks,
      [](void* context, std::size_t chunk) { (*static_cast<decltype(body)*>(context))(chunk); },
      &body);
}

}  // namespace detail

template <std::invocable<std::size_t, std::size_t> F>
void for_each_range(const execution& how, std::size_t n, F&& f) {
  if (n == 0) {
    return;
  }
  detail::for_chunks(detail::count_chunks(how, n), n,
                     [&](std::size_t, std::size_t begin, std::size_t end) { f(begin, end); });
}

template <std::invocable<std::size_t> F>
void for_each(const execution& how, std::size_t n, F&& f) {
  for_each_range(how, n, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      f(i);
    }
  });
}

template <std::invocable<std::size_t> F>
void for_each_thread(const execution& how, F&& f) {
  const std::size_t threads = detail::count_chunks(how, ~std::size_t{0});
  detail::for_chunks(threads, threads,
                     [&](std::size_t thread, std::size_t, std::size_t) { f(thread); });
}

template <class T, std::invocable<std::size_t> F, class Op>
T reduce_range(std::size_t begin, std::size_t end, const F& f, Op& op) {
  const auto next = [&](T& sum, std::size_t i) {
    sum = static_cast<T>(op(std::move(sum), static_cast<T>(f(i))));
  };
  if constexpr (std::is_arithmetic_v<T>) {
    // One addition after the other would wait for each: several stretches side by side.
    constexpr std::size_t lanes = 4;
    if (const std::size_t each = (end - begin) / lanes; each >= 16) {
      T sums[lanes];
      for (std::size_t j = 0; j < lanes; ++j) {
        sums[j] = static_cast<T>(f(begin + j * each));
      }
      for (std::size_t i = begin + 1; i < begin + each; ++i) {
        for (std::size_t j = 0; j < lanes; ++j) {
          next(sums[j], i + j * each);
        }
      }
      for (std::size_t j = 1; j < lanes; ++j) {
        sums[0] = static_cast<T>(op(sums[0], sums[j]));
      }
      for (std::size_t i = begin + lanes * each; i < end; ++i) {
        next(sums[0], i);
      }
      return sums[0];
    }
  }
  T sum = static_cast<T>(f(begin));
  for (std::size_t i = begin + 1; i < end; ++i) {
    next(sum, i);
  }
  return sum;
}

namespace detail {

/// The sums of blocks of n elements, and theirs.
template <class T>
class block_sums {
 public:
  // Enough blocks for any number of threads, each long enough to be worth it.
  explicit block_sums(std::size_t n)
      : n_{n},
        size_{std::clamp<std::size_t>(n / 64, 512, 32768)},
        sums_((n + size_ - 1) / size_) {}

  std::size_t blocks() const { return sums_.size(); }
  /// Sum up blocks [first, last). Several threads may, each its own.
  template <class Block>
  void add_up(std::size_t first, std::size_t last, Block&& of) {
    for (std::size_t k = first; k < last; ++k) {
      sums_[k] = of(k * size_, std::min(n_, (k + 1) * size_));
    }
  }
  template <class Op>
  std::optional<T> join(Op& op) {
    std::optional<T> all;
    for (std::optional<T>& sum : sums_) {
      if (all.has_value() && sum.has_value()) {
        all.emplace(op(*std::move(all), *std::move(sum)));
      } else if (sum.has_value()) {
        all = std::move(sum);
      }
    }
    return all;
  }

 private:
  std::size_t n_;
  std::size_t size_;
  std::vector<std::optional<T>> sums_;
};

}  // namespace detail

template <class T, std::invocable<std::size_t, std::size_t> Block, class Op>
std::optional<T> reduce_blocks(const execution& how, std::size_t n, Block&& of, Op op) {
  detail::block_sums<T> sums{n};
  if (n != 0) {
    detail::for_chunks(std::min(detail::count_chunks(how, n), sums.blocks()), sums.blocks(),
                       [&](std::size_t, std::size_t first, std::size_t last) {
                         sums.add_up(first, last, of);
                       });
  }
  return sums.join(op);
}

template <class T, std::invocable<std::size_t> F, class Op>
T reduce(const execution& how, std::size_t n, T init, F&& f, Op op) {
  std::optional<T> all = reduce_blocks<T>(
      how, n,
      [&](std::size_t begin, std::size_t end) {
        return std::optional<T>{reduce_range<T>(begin, end, f, op)};
      },
      op);
  return all.has_value() ? static_cast<T>(op(std::move(init), *std::move(all))) : init;
}

template <class T, class Op>
T exclusive_scan(const execution& how, std::span<const T> in, std::span<T> out, T init, Op op) {
  const std::size_t n = in.size();
  if (n == 0) {
    return init;
  }
  const auto scan = [&](T sum, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      T next = op(sum, in[i]);  // before out[i], which may be in[i]
      out[i] = std::move(sum);
      sum = std::move(next);
    }
    return sum;
  };
  const std::size_t chunks = detail::count_chunks(how, n);
  if (chunks == 1) {
    return scan(std::move(init), 0, n);
  }
  std::vector<std::optional<T>> before(
      chunks);  // first the sums of the chunks, then of all chunks before each
  detail::for_chunks(chunks, n, [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    T sum = in[begin];
    for (std::size_t i = begin + 1; i < end; ++i) {
      sum = op(std::move(sum), in[i]);
    }
    before[chunk].emplace(std::move(sum));
  });
  for (auto& sum : before) {
    T next = op(init, *std::move(sum));
    sum.emplace(std::move(init));
    init = std::move(next);
  }
  detail::for_chunks(chunks, n, [&](std::size_t chunk, std::size_t begin, std::size_t end) {
    scan(*std::move(before[chunk]), begin, end);
  });
  return init;
}

template <class T>
void fill(const execution& how, std::span<T> elements, const std::type_identity_t<T>& value) {
  for_each(how, elements.size(), [&](std::size_t i) { elements[i] = value; });
}

}  // namespace lamellar::on_node
