// SPDX-License-Identifier: BSD-3-Clause
// Sketches in files: what the sketches of all PEs answer, those restored answer too, on any
// number of PEs.
#include <algorithm>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cstdint>
#include <filesystem>
#include <lamellar/containers/bloom_filter.hpp>
#include <lamellar/containers/count_min.hpp>
#include <lamellar/containers/hyperloglog.hpp>
#include <lamellar/containers/quantile.hpp>
#include <lamellar/containers/reservoir.hpp>
#include <string>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::shared_directory;

namespace {

using number = std::uint64_t;

// Empty sketches of a size, and what they answer when all is merged.
hyperloglog<number> make(hyperloglog<number>*, number, bool large) {
  return hyperloglog<number>{large ? 12U : 8U};
}
count_min<std::string> make(count_min<std::string>*, number, bool large) {
  return count_min<std::string>{large ? 500U : 100U, 4};
}
quantile<number> make(quantile<number>*, number seed, bool large) {
  return quantile<number>{large ? 300U : 100U, seed};
}
reservoir<std::string> make(reservoir<std::string>*, number seed, bool large) {
  return reservoir<std::string>{large ? 20U : 10U, seed};
}

auto answer(const hyperloglog<number>& s) { return s.estimate(); }
auto answer(const count_min<std::string>& s) {
  return std::pair{s.total(), s.estimate("item 7")};
}
auto answer(const quantile<number>& s) { return s.seen(); }  // the items kept depend on order
auto answer(const reservoir<std::string>& s) { return std::pair{s.seen(), s.items()}; }

template <class T>
T item(number k) {
  if constexpr (std::same_as<T, std::string>) {
    return "item " + std::to_string(k);
  } else {
    return k;
  }
}

/// The text of the checkpoint_error that a task ends with; "" if with none.
template <class Task>
task<std::string> refusal(Task work) {
  std::string text;
  try {
    co_await work;
  } catch (const checkpoint_error& e) {
    text = e.what();
  }
  co_return text;
}

bool holds(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE_TEMPLATE("sketches are saved, and restored to any number of PEs", S,
                   hyperloglog<number>, count_min<std::string>, quantile<number>,
                   reservoir<std::string>) {
  on_pes([](world& w) -> task<> {
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    const std::string path = files / "sketches";
    const auto sketch_of = [](team of, number items) {
      const std::uint32_t me = of.position().index();
      S mine = make(static_cast<S*>(nullptr), me, true);
      for (number k = me; k < items; k += of.size()) {
        mine.insert(item<typename S::value_type>(k));
      }
      return mine;
    };
    const team all{w};
    auto first = all.block(0, 1);
    const team one = co_await first;
    for (const number items : {0, 1, 3000}) {
      // Saved by all, restored by one; and the other way round.
      S mine = sketch_of(all, items);
      auto saving = checkpoint(w, mine, path);
      CHECK(co_await saving == w.size());
      auto merging = all_merge(w, mine);
      const auto expected = answer(co_await merging);
      if (one.is_member()) {
        S empty = make(static_cast<S*>(nullptr), 0, true);
        auto restoring = restore(one, empty, path);
        const S restored = co_await restoring;
        CHECK(answer(restored) == expected);
        mine = sketch_of(one, items);
        auto saving_alone = checkpoint(one, mine, path);
        CHECK(co_await saving_alone == 1);
      }
      auto telling = broadcast(w, answer(mine));
      const auto expected_of_one = co_await telling;
      const S empty = make(static_cast<S*>(nullptr), w.me().index(), true);
      auto restoring = restore(w, empty, path);
      S restored = co_await restoring;
      auto merging_again = all_merge(w, restored);
      CHECK(answer(co_await merging_again) == expected_of_one);

      S other = make(static_cast<S*>(nullptr), 0, false);
      auto failing = refusal(restore(w, other, path));
      CHECK(holds(co_await failing, "cannot be merged"));
      auto missing = refusal(restore(w, empty, files / "nowhere"));
      CHECK(holds(co_await missing, "cannot be opened"));
      co_await w.barrier();
    }
  });
}

TEST_CASE("a sample goes on with random numbers that it has not had") {
  on_pes([](world& w) -> task<> {
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    reservoir<number> saved{5, w.me().index()};
    for (number k = 0; k < 100; ++k) saved.insert(k);
    auto saving = checkpoint(w, saved, files / "sample");
    co_await saving;
    reservoir<number> empty{5, w.me().index()};
    auto restoring = restore(w, empty, files / "sample");
    reservoir<number> restored = co_await restoring;
    for (number k = 100; k < 200; ++k) {
      saved.insert(k);
      restored.insert(k);
    }
    CHECK(restored.items() == saved.items());
    co_await w.barrier();
  });
}

TEST_CASE("a checkpoint of another sketch, or a damaged one, is refused") {
  on_pes([](world& w) -> task<> {
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    const std::string path = files / "sketches";
    hyperloglog<number> mine;
    mine.insert(1);
    auto saving = checkpoint(w, mine, path);
    co_await saving;
    auto failing = refusal(restore(w, count_min<number>{}, path));
    CHECK(holds(co_await failing, "holds a hyperloglog"));
    co_await w.barrier();
    if (w.me() == pe(0)) {
      const std::string part = path + ".1.0";
      std::filesystem::resize_file(part, std::filesystem::file_size(part) - 1);
    }
    co_await w.barrier();
    auto damaged = refusal(restore(w, mine, path));
    CHECK(holds(co_await damaged, "is damaged"));
    co_await w.barrier();
  });
}

TEST_CASE("a bloom filter is saved, and restored to any number of PEs") {
  on_pes([](world& w) -> task<> {
    using filter = bloom_filter<std::string>;
    auto making_directory = shared_directory::create(w);
    const shared_directory files = co_await making_directory;
    const std::string path = files / "filter";
    const bloom_size size = filter::size_for(500, 0.01);
    const auto fill = [](const filter& of, number items) {
      const team& members = of.members();
      for (number k = members.position().index(); k < items; k += members.size()) {
        of.insert(item<std::string>(k));
      }
    };
    const team all{w};
    auto first = all.block(0, 1);
    const team one = co_await first;
    std::vector<std::string> asked;
    for (number k = 0; k < 2000; ++k) asked.push_back(item<std::string>(k));
    for (const number items : {0, 1, 500}) {
      auto making = filter::create(w, size);
      const filter saved = co_await making;
      fill(saved, items);
      auto saving = saved.checkpoint(path);
      co_await saving;
      const auto expected = co_await saved.contains(asked);
      if (one.is_member()) {
        auto making_one = filter::create(one, size);
        const filter alone = co_await making_one;
        auto restoring = alone.restore(path);
        co_await restoring;
        CHECK(co_await alone.contains(asked) == expected);
        auto saving_alone = alone.checkpoint(path);
        co_await saving_alone;
      }
      co_await w.barrier();
      auto making_again = filter::create(w, size);
      const filter again = co_await making_again;
      auto restoring = again.restore(path);
      co_await restoring;
      CHECK(co_await again.contains(asked) == expected);

      auto making_other = filter::create(w, filter::size_for(100, 0.01));
      const filter other = co_await making_other;
      auto failing = refusal(other.restore(path));
      CHECK(holds(co_await failing, "holds a bloom_filter_of_"));
      co_await w.barrier();
    }
  });
}
