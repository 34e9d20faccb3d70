// SPDX-License-Identifier: BSD-3-Clause
// Remote atomics: each operation gives what it should, and many PEs at one word lose nothing,
// also when some of them reach it by messages and others by atomic instructions.
#include <lamellar/substrate/shared_memory_region.hpp>
#include <lamellar/substrate/world.hpp>
#include <limits>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;

namespace {

template <class T>
task<> every_operation(world& w) {
  auto r = co_await shared_memory_region<T>::create(w, 3);
  const pe to = next_of(w);
  const T most = std::numeric_limits<T>::max();
  co_await r.store(to, 1, T{40});
  CHECK(co_await r.load(to, 1) == 40);
  CHECK(co_await r.fetch_add(to, 1, T{5}) == 40);
  CHECK(co_await r.fetch_sub(to, 1, T{3}) == 45);
  CHECK(co_await r.fetch_and(to, 1, T{0x2b}) == 42);
  CHECK(co_await r.fetch_or(to, 1, T{4}) == 42);
  CHECK(co_await r.fetch_xor(to, 1, T{1}) == 46);
  CHECK(co_await r.swap(to, 1, most) == 47);
  CHECK(r.fetch_add(to, 1, T{1}).get() == most);
  CHECK(co_await r.load(to, 1) == std::numeric_limits<T>::min());  // atomics wrap around
  co_await r.store(to, 1, T{7});
  co_await r.add(to, 1, T{2});
  const exchanged<T> no = co_await r.compare_exchange(to, 1, T{7}, T{1});
  CHECK(!no);
  CHECK(no.before == 9);
  const exchanged<T> yes = r.compare_exchange(to, 1, T{9}, T{1}).get();
  CHECK(yes.done);
  CHECK(yes.before == 9);
  co_await w.barrier();
  CHECK(r.at(0) == 0);
  CHECK(r.at(1) == 1);
  CHECK(r.at(2) == 0);
  co_await w.barrier();
}

/// The words of `to`'s part of a region, as they are reached from a PE where that part is
/// mapped, or from one where it is not.
class words_of {
 public:
  using word = std::uint64_t;
  words_of(const shared_memory_region<word>& r, pe to, bool mapped)
      : at_{r.parts()->home, mapped ? r.parts()->bases[to.index()] : nullptr, to.index(),
            detail::shared_region_id(r.parts().number())} {}

  auto load(std::size_t k) const { return fetch<detail::atomic_op::load>(k, 0); }
  auto fetch_add(std::size_t k, word by) const { return fetch<detail::atomic_op::add>(k, by); }
  auto add(std::size_t k, word by) const {
    return detail::change_op<detail::atomic_op::add, word>(at_, k * sizeof(word), by);
  }
  auto compare_exchange(std::size_t k, word expected, word desired) const {
    return detail::compare_exchange_op<word>(at_, k * sizeof(word), expected, desired);
  }

 private:
  template <detail::atomic_op Op>
  completion<word> fetch(std::size_t k, word operand) const {
    return detail::fetch_op<Op, word>(at_, k * sizeof(word), operand);
  }

  detail::region_reach at_;
};

}  // namespace

TEST_CASE("each operation gives what was there and leaves what it should") {
  on_pes([](world& w) -> task<> {
    co_await every_operation<std::uint64_t>(w);
    co_await every_operation<std::int64_t>(w);
    co_await every_operation<std::uint32_t>(w);
    co_await every_operation<std::int32_t>(w);
  });
}

TEST_CASE("one word is hammered by messages and by instructions, and no update is lost") {
  on_pes([](world& w) -> task<> {
    const std::uint64_t each = 20000 / lamellar::testing::work_divisor;
    auto r = co_await shared_memory_region<std::uint64_t>::create(w, 4);
    const pe target = w.at(0);
    const words_of words{r, target, w.me().index() % 2 == 0};
    std::uint64_t last = 0;
    bool grows = true;
    for (std::uint64_t k = 0; k < each; ++k) {
      (void)words.add(0, 1);
      const std::uint64_t before = co_await words.fetch_add(1, 3);
      grows = grows && before >= last;
      last = before;
      if (k % 64 == 0) co_await w.yield();
    }
    CHECK(grows);
    // A lock-free maximum, and a sum by compare_exchange.
    for (std::uint64_t k = 0; k < each / 50; ++k) {
      std::uint64_t known = co_await words.load(2);
      for (;;) {
        const exchanged<std::uint64_t> tried =
            co_await words.compare_exchange(2, known, known + 1);
        if (tried) break;
        known = tried.before;
      }
    }
    w.wait_all();
    co_await w.barrier();
    CHECK(co_await r.load(target, 0) == each * w.size());
    CHECK(co_await r.load(target, 1) == 3 * each * w.size());
    CHECK(co_await r.load(target, 2) == each / 50 * w.size());
    co_await w.barrier();
  });
}

TEST_CASE("a spawned task and handlers add beside the body") {
  on_pes([](world& w) -> task<> {
    const std::uint32_t each = 2000 / lamellar::testing::work_divisor;
    auto r = co_await shared_memory_region<std::uint32_t>::create(w, 1);
    const auto adds = [](shared_memory_region<std::uint32_t> to, world& at,
                         std::uint32_t count) -> task<> {
      for (std::uint32_t k = 0; k < count; ++k) {
        (void)co_await to.fetch_add(at.at(k % at.size()), 0, 1);
      }
    };
    auto beside = w.spawn(adds(r, w, each));
    for (std::uint32_t k = 0; k < 10; ++k) {
      w.send(
          next_of(w),
          [](context at, shared_memory_region<std::uint32_t> to,
             std::uint32_t count) -> task<> {
            for (std::uint32_t n = 0; n < count; ++n) {
              co_await to.add(pe{n % at.size()}, 0, 1);
            }
          },
          r, each / 10);
    }
    co_await adds(r, w, each);
    co_await beside;
    co_await w.quiesce();
    std::uint64_t sum = 0;
    for (std::uint32_t other = 0; other < w.size(); ++other) {
      sum += co_await r.load(w.at(other), 0);
    }
    CHECK(sum == std::uint64_t{w.size()} * (2 * each + each / 10 * 10));
    co_await w.barrier();
  });
}
