// SPDX-License-Identifier: BSD-3-Clause
// Checkpoints: what is saved by some PEs is read by others, damage is noticed, and a save that
// fails leaves what was there.
#include <filesystem>
#include <fstream>
#include <lamellar/containers/checkpoint.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "pes.hpp"
#include "shared_directory.hpp"

using namespace lamellar;
using lamellar::testing::on_pes;
using lamellar::testing::shared_directory;

namespace {

/// Saves the numbers [0, n), each by one member; `fails`: on the last one in the middle.
task<std::uint64_t> save_numbers(team of, std::string path, std::uint64_t n,
                                 bool fails = false) {
  const std::uint32_t me = of.position().index();
  const auto each = [&](const auto& put) {
    for (std::uint64_t k = me; k < n; k += of.size()) {
      if (fails && me + 1 == of.size() && k > n / 2) throw std::runtime_error("disk gone");
      put(k);
    }
  };
  auto saving = save_items<std::uint64_t>(of, std::move(path), "numbers", each);
  co_return co_await saving;
}

/// Restores them, and returns their sum on all members.
task<std::uint64_t> sum_of_numbers(team of, std::string path) {
  std::uint64_t sum = 0;
  const auto take = [&sum](std::uint64_t k) { sum += k; };
  auto loading = load_items<std::uint64_t>(of, std::move(path), "numbers", take);
  co_await loading;
  auto adding = all_reduce(of, sum);
  co_return co_await adding;
}

/// What load_items says; "" if it works. The same on all PEs but for the numbers of PEs.
task<std::string> refusal(team of, std::string path) {
  auto summing = sum_of_numbers(of, std::move(path));
  std::string text;
  try {
    co_await summing;
  } catch (const checkpoint_error& e) {
    text = e.what();
  }
  auto waiting = of.barrier();
  co_await waiting;
  co_return text;
}

void change_byte(const std::string& path, std::uint64_t at) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekg(static_cast<std::streamoff>(at));
  const char before = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(before ^ 1));
}

bool holds(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

constexpr std::uint64_t many = 400'000;  // several blocks a part

}  // namespace

TEST_CASE("what some PEs save, others restore") {
  on_pes([](world& w) -> task<> {
    auto making = shared_directory::create(w);
    const shared_directory files = co_await making;
    const std::string path = files / "numbers";
    const team all{w};
    auto first = all.block(0, 1);
    const team one = co_await first;
    for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{1}, many}) {
      auto saving = save_numbers(all, path, n);
      CHECK(co_await saving == n);
      if (one.is_member()) {
        auto summing = sum_of_numbers(one, path);
        CHECK(co_await summing == n * (n - (n != 0)) / 2);
        auto saving_alone = save_numbers(one, path, n);
        co_await saving_alone;
      }
      auto waiting = w.barrier();
      co_await waiting;
      auto summing = sum_of_numbers(all, path);
      CHECK(co_await summing == n * (n - (n != 0)) / 2);
      const checkpoint_info info = inspect_checkpoint(path);
      CHECK(info.parts.size() == 1);
      CHECK(info.items() == n);
      CHECK(info.kind == "numbers");
      CHECK(info.item_bytes == 8);
    }
    // Nothing is left of what is not valid any more: the index and one part.
    std::size_t found = 0;
    for (const auto& each : std::filesystem::directory_iterator(files / "")) {
      found += each.is_regular_file();
    }
    CHECK(found == 2);
    auto waiting = w.barrier();
    co_await waiting;
  });
}

TEST_CASE("a save that fails leaves what was there") {
  on_pes([](world& w) -> task<> {
    auto making = shared_directory::create(w);
    const shared_directory files = co_await making;
    const std::string path = files / "numbers";
    auto saving = save_numbers(w, path, 1000);
    co_await saving;
    auto failing = save_numbers(w, path, many, true);
    std::string text;
    try {
      co_await failing;
    } catch (const checkpoint_error& e) {
      text = e.what();
    }
    CHECK(holds(text, "disk gone"));
    CHECK(holds(text, "PE " + std::to_string(w.size() - 1)));
    // A job that died while it saved may have left anything of the next generation.
    if (w.me().index() == 0) {
      std::ofstream(path + ".2.0", std::ios::binary) << "half a par";
      std::ofstream(path + ".new", std::ios::binary) << "lamellar-check";
    }
    auto waiting = w.barrier();
    co_await waiting;
    auto summing = sum_of_numbers(w, path);
    CHECK(co_await summing == 999 * 500);
    auto saving_again = save_numbers(w, path, 2000);
    co_await saving_again;
    auto summing_again = sum_of_numbers(w, path);
    CHECK(co_await summing_again == 1999 * 1000);
    auto into_nowhere = save_numbers(w, files / "no such directory/numbers", 10);
    text.clear();
    try {
      co_await into_nowhere;
    } catch (const checkpoint_error& e) {
      text = e.what();
    }
    CHECK(holds(text, "cannot be created"));
    waiting = w.barrier();
    co_await waiting;
  });
}

TEST_CASE("damage of any file is noticed by all PEs, and named") {
  on_pes([](world& w) -> task<> {
    auto making = shared_directory::create(w);
    const shared_directory files = co_await making;
    const std::string path = files / "numbers";
    const bool acts = w.me().index() == 0;
    const std::string last = "." + std::to_string(w.size() - 1);

    auto missing = refusal(w, path);
    CHECK(holds(co_await missing, "cannot be opened"));

    auto saving = save_numbers(w, path, many);
    co_await saving;
    const std::string part = path + ".1" + last;
    for (const std::uint64_t at : {0U, 9U, 17U, 24U, 100'000U}) {
      if (acts) change_byte(part, at);
      auto waiting = w.barrier();
      co_await waiting;
      auto damaged = refusal(w, path);
      const std::string text = co_await damaged;
      CHECK(holds(text, part));
      CHECK(holds(text, "is damaged"));
      if (acts) change_byte(part, at);
      waiting = w.barrier();
      co_await waiting;
    }
    if (acts) change_byte(path, 60);
    auto waiting = w.barrier();
    co_await waiting;
    auto damaged = refusal(w, path);
    CHECK(holds(co_await damaged, "is damaged"));
    if (acts) change_byte(path, 60);

    if (acts) std::filesystem::resize_file(part, std::filesystem::file_size(part) - 1);
    waiting = w.barrier();
    co_await waiting;
    auto shorter = refusal(w, path);
    CHECK(holds(co_await shorter, "bytes and should have"));
    if (acts) std::filesystem::remove(part);
    waiting = w.barrier();
    co_await waiting;
    auto gone = refusal(w, path);
    CHECK(holds(co_await gone, "one of the checkpoint's parts"));
    waiting = w.barrier();
    co_await waiting;
  });
}

TEST_CASE("a checkpoint of another kind is refused") {
  on_pes([](world& w) -> task<> {
    auto making = shared_directory::create(w);
    const shared_directory files = co_await making;
    const std::string path = files / "words";
    const std::string word(3 << 20, 'x');  // longer than a block
    const auto each = [&word](const auto& put) {
      put(word);
      put(std::string{"y"});
    };
    auto saving = save_items<std::string>(w, path, "words", each);
    CHECK(co_await saving == 2 * w.size());
    auto refused = refusal(w, path);
    const std::string text = co_await refused;
    CHECK(holds(text, "holds a words with items of varying size"));
    CHECK(holds(text, "numbers with items of 8 bytes"));
    std::uint64_t long_ones = 0;
    const auto take = [&](const std::string& one) { long_ones += one == word; };
    auto loading = load_items<std::string>(w, path, "words", take);
    CHECK(co_await loading == 2 * w.size());
    auto counting = all_reduce(w, long_ones);
    CHECK(co_await counting == w.size());

    const std::string text_file = files / "text";
    if (w.me().index() == 0) std::ofstream(text_file) << "hello";
    auto waiting = w.barrier();
    co_await waiting;
    auto no_checkpoint = refusal(w, text_file);
    CHECK(holds(co_await no_checkpoint, "is no checkpoint"));
  });
}
