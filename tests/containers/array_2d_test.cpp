// SPDX-License-Identifier: BSD-3-Clause
// Two dimensions: each element has one place, rectangles come and go whole, tiles are here.
#include <algorithm>
#include <lamellar/containers/array_2d.hpp>
#include <set>
#include <vector>

#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::seeded;

namespace {

using number = std::uint32_t;

number value_at(std::size_t r, std::size_t c) { return static_cast<number>(1000 * r + c + 1); }

struct shape {
  std::size_t rows, columns;
};
const std::vector<shape> shapes{{0, 0}, {0, 5}, {1, 1}, {3, 4}, {10, 7}, {37, 23}};

template <class Access, class How>
task<> write_and_read(world& w, shape s, How how) {
  auto making = array_2d<number, Access>::create(w, s.rows, s.columns, how);
  const auto m = co_await making;
  CHECK(m.rows() == s.rows);
  CHECK(m.columns() == s.columns);
  std::set<std::size_t> places;
  for (std::size_t r = 0; r < s.rows; ++r) {
    for (std::size_t c = 0; c < s.columns; ++c) {
      CHECK(m.index(r, c) < m.elements().size());
      places.insert(m.index(r, c));
    }
  }
  CHECK(places.size() == s.rows * s.columns);
  // Each PE writes some rows, whoever owns them.
  std::vector<number> row(s.columns);
  for (std::size_t r = w.me().index(); r < s.rows; r += w.size()) {
    for (std::size_t c = 0; c < s.columns; ++c) row[c] = value_at(r, c);
    co_await m.put_row(r, row);
  }
  co_await w.barrier();
  auto random = seeded(w, s.rows + 10 * w.me().index());
  for (int k = 0; k < 20; ++k) {
    const std::size_t r = random() % (s.rows + 1);
    const std::size_t c = random() % (s.columns + 1);
    const std::size_t rows = k == 0 ? s.rows - r : random() % (s.rows - r + 1);
    const std::size_t columns = k == 1 ? s.columns - c : random() % (s.columns - c + 1);
    std::vector<number> got(rows * columns);
    co_await m.get_tile(r, c, rows, columns, got);
    std::size_t wrong = 0;
    for (std::size_t j = 0; j < got.size(); ++j) {
      wrong += got[j] != value_at(r + j / columns, c + j % columns);
    }
    CHECK(wrong == 0);
  }
  co_await w.barrier();
  // A rectangle in the middle is replaced, and nothing else.
  const std::size_t r = s.rows / 3;
  const std::size_t c = s.columns / 4;
  const std::size_t rows = s.rows / 2;
  const std::size_t columns = s.columns / 2;
  if (w.me() == pe{0}) {
    co_await m.put_tile(r, c, rows, columns, std::vector<number>(rows * columns, 7));
  }
  co_await w.barrier();
  for (std::size_t i = 0; i < s.rows; ++i) {
    std::vector<number> got(s.columns);
    co_await m.get_row(i, got);
    for (std::size_t j = 0; j < s.columns; ++j) {
      const bool inside = i >= r && i < r + rows && j >= c && j < c + columns;
      CHECK(got[j] == (inside ? 7 : value_at(i, j)));
    }
  }
  co_await w.barrier();
}

}  // namespace

TEST_CASE_TEMPLATE("rectangles are written and read, by rows and by tiles", Access,
                   access::atomic, access::unsafe, access::local_lock) {
  on_pes([](world& w) -> task<> {
    for (const shape& s : shapes) {
      for (const std::size_t k : {0, 1, 3}) {
        auto one = write_and_read<Access>(w, s, by_rows{k});
        co_await one;
      }
      auto two = write_and_read<Access>(w, s, by_tiles{4, 5});
      co_await two;
      auto three = write_and_read<Access>(w, s, by_tiles{1, 2});
      co_await three;
    }
  });
}

TEST_CASE("by_rows gives each PE one block of whole rows, or deals them out") {
  on_pes([](world& w) -> task<> {
    const std::size_t rows = 5 * w.size();
    auto m1 = array_2d<number>::create(w, rows, 6);
    const auto blocks = co_await m1;
    auto m2 = array_2d<number>::create(w, rows, 6, by_rows{1});
    const auto dealt = co_await m2;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < 6; ++c) {
        CHECK(blocks.owner(r, c).index() == r / 5);
        CHECK(dealt.owner(r, c).index() == r % w.size());
      }
    }
    CHECK(blocks.local_tile_count() == 1);
    CHECK(dealt.local_tile_count() == 5);
    co_await w.barrier();
  });
}

TEST_CASE("the tiles of all PEs are the whole, each element once") {
  on_pes([](world& w) -> task<> {
    auto making = array_2d<number, access::unsafe>::create(w, 13, 10, by_tiles{4, 3});
    auto m = co_await making;
    for (std::size_t k = 0; k < m.local_tile_count(); ++k) {
      const auto tile = m.local_tile(k);
      CHECK(tile.stride() == 3);
      CHECK(m.owner(tile.first_row(), tile.first_column()) == w.me());
      for (std::size_t r = 0; r < tile.rows(); ++r) {
        CHECK(tile.row(r).size() == tile.columns());
        for (std::size_t c = 0; c < tile.columns(); ++c) {
          CHECK(&tile(r, c) == &tile.row(r)[c]);
          tile(r, c) += value_at(tile.first_row() + r, tile.first_column() + c);
        }
      }
    }
    co_await w.barrier();
    std::vector<number> got(130);
    co_await m.get_tile(0, 0, 13, 10, got);
    for (std::size_t k = 0; k < 130; ++k) CHECK(got[k] == value_at(k / 10, k % 10));
    auto fixing = std::move(m).into_read_only();
    const auto fixed = co_await fixing;
    CHECK(!m);
    CHECK(co_await fixed.at(12, 9) == value_at(12, 9));
    CHECK(fixed.local_tile_count() == 0u + fixed.elements().local_size() / 12);
    co_await w.barrier();
  });
}

TEST_CASE("under a lock, and on another PE") {
  on_pes([](world& w) -> task<> {
    auto making = array_2d<number, access::local_lock>::create(w, 8, 8, by_tiles{2, 2});
    const auto m = co_await making;
    {
      auto guard = co_await m.elements().write_lock();
      for (std::size_t k = 0; k < m.local_tile_count(); ++k) {
        const auto tile = m.local_tile(k, guard.local());
        for (std::size_t r = 0; r < 2; ++r) {
          for (std::size_t c = 0; c < 2; ++c) {
            tile(r, c) = value_at(tile.first_row() + r, tile.first_column() + c);
          }
        }
      }
    }
    co_await w.barrier();
    const auto ask = [](context, array_2d<number, access::local_lock> there) -> task<number> {
      co_return co_await there.at(5, 6);
    };
    CHECK(co_await w.call(lamellar::testing::next_of(w), ask, m) == value_at(5, 6));
    co_await w.barrier();
  });
}
