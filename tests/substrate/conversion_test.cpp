// SPDX-License-Identifier: BSD-3-Clause
// A distributed object becomes one of another kind, or all PEs are told why not.
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/global_rw_darc.hpp>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <lamellar/substrate/weak_darc.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "counted.hpp"
#include "pes.hpp"

using namespace lamellar;
using lamellar::testing::alive;
using lamellar::testing::counted;
using lamellar::testing::next_of;
using lamellar::testing::on_pes;
using lamellar::testing::parts_here;

namespace {

struct part : counted {
  part() = default;
  explicit part(int v) : value{v} {}
  int value = 0;
  std::vector<darc<part>> held;
};

template <class Task>
task<std::string> refusal(Task conversion) {
  try {
    co_await conversion;
  } catch (const still_referenced& e) {
    co_return e.what();
  }
  co_return "";
}

bool mentions(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("an object becomes each kind from each kind, and its T stays where it is") {
  on_pes([](world& w) -> task<> {
    co_await w.barrier();
    CHECK(alive == 0);
    co_await w.barrier();
    auto plain = co_await darc<part>::create(w, 1);
    const part* const where = &*plain;
    auto local = co_await std::move(plain).into_local_rw();
    CHECK(!plain);
    CHECK(&*co_await local.read() == where);
    auto global = co_await std::move(local).into_global_rw();
    CHECK(&*co_await global.read() == where);
    local = co_await std::move(global).into_local_rw();
    CHECK(&*co_await local.write() == where);
    plain = co_await std::move(local).into_darc();
    global = co_await std::move(plain).into_global_rw();
    CHECK(&*co_await global.write() == where);
    plain = co_await std::move(global).into_darc();
    CHECK(&*plain == where);
    CHECK(plain->value == 1);
    co_await w.barrier();
    CHECK(alive == parts_here(w));
    plain = {};
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("a conversion waits for messages under way, and the new kind serves at once") {
  on_pes([](world& w) -> task<> {
    auto plain = co_await darc<part>::create(w);
    for (int round = 0; round < 20; ++round) {
      for (int k = 0; k < 10; ++k) plain.send_all([](part& p) { ++p.value; });
      // A handle that is under way counts only if it stays.
      w.send(
          next_of(w),
          [](const darc<part>& got) {
            if (!got) throw std::runtime_error("an empty handle");
          },
          plain);
      auto local = co_await std::move(plain).into_local_rw();
      // Another PE may still be inside its conversion.
      struct look {
        task<int> operator()(context, local_rw_darc<part> at) const {
          co_return (co_await at.read())->value;
        }
      };
      auto asked = local.call(next_of(w), look{});
      CHECK(co_await asked == (round + 1) * 10 * static_cast<int>(w.size()));
      plain = co_await std::move(local).into_darc();
    }
  });
}

TEST_CASE("clone held during conversion: all PEs throw and say who, the source stays valid") {
  on_pes([](world& w) -> task<> {
    auto plain = co_await darc<part>::create(w, 5);
    for (std::uint32_t guilty = 0; guilty < w.size(); ++guilty) {
      std::vector<darc<part>> clones;
      if (w.me().index() == guilty) clones = {plain, plain};
      const std::string text = co_await refusal(std::move(plain).into_global_rw());
      CHECK(mentions(text, "PE " + std::to_string(guilty) + " holds 2 handles"));
      CHECK(mentions(text, "conversion_test.cpp"));
      CHECK(mentions(text, "a darc, cannot become a global_rw_darc"));
      for (std::uint32_t other = 0; other < w.size(); ++other) {
        const bool named = mentions(text, "PE " + std::to_string(other) + " holds");
        CHECK(named == (other == guilty));
      }
      REQUIRE(static_cast<bool>(plain));
      CHECK(plain->value == 5);
      auto asked = plain.call(next_of(w), [](part& p) { return p.value; });
      CHECK(co_await asked == 5);
    }
    auto global = co_await std::move(plain).into_global_rw();
    CHECK((co_await global.read())->value == 5);
  });
}

TEST_CASE("a clone in another object's part, and a guard, are found too") {
  on_pes([](world& w) -> task<> {
    auto keeper = co_await darc<part>::create(w);
    auto plain = co_await darc<part>::create(w);
    const std::uint32_t last = w.size() - 1;
    if (w.me().index() == 0) {
      keeper.send(
          w.at(last), [](part& p, const darc<part>& got) { p.held.push_back(got); }, plain);
    }
    const std::string who = "PE " + std::to_string(last) + " holds 1 ";
    CHECK(mentions(co_await refusal(std::move(plain).into_local_rw()), who + "handle"));
    if (w.me().index() == last) keeper->held.clear();
    auto local = co_await std::move(plain).into_local_rw();
    {
      local_rw_darc<part>::read_guard guard;
      if (w.me().index() == last) guard = co_await local.read();
      CHECK(mentions(co_await refusal(std::move(local).into_darc()), who + "guard"));
      CHECK(static_cast<bool>(local));
    }
    auto global = co_await std::move(local).into_global_rw();
    {
      global_rw_darc<part>::write_guard guard;
      if (w.me().index() == last) guard = co_await global.write();
      const std::string text = co_await refusal(std::move(global).into_darc());
      CHECK(mentions(text, who + "guard"));
      CHECK(!mentions(text, who + "handle"));
    }
    plain = co_await std::move(global).into_darc();
    CHECK(static_cast<bool>(plain));
  });
}

TEST_CASE("a handle in an answer that nobody has read yet counts") {
  on_pes([](world& w) -> task<> {
    auto plain = co_await darc<part>::create(w, 3);
    const auto give_back = [](const darc<part>& got) { return std::vector{got, got}; };
    auto unread = w.call(next_of(w), give_back, plain);
    CHECK(mentions(co_await refusal(std::move(plain).into_local_rw()), "PE 0 holds 2 handles"));
    const std::vector<darc<part>> got = co_await unread;
    CHECK(got[1]->value == 3);
  });
}

TEST_CASE("a weak handle keeps nothing, and gives a handle while there is one to give") {
  on_pes([](world& w) -> task<> {
    co_await w.barrier();
    CHECK(alive == 0);
    co_await w.barrier();
    CHECK(!weak_darc<part>{}.lock());
    auto plain = co_await darc<part>::create(w, 6);
    const weak_darc<part> weak = plain;
    CHECK(weak.lock()->value == 6);
    co_await w.quiesce();
    CHECK(&*weak.lock() == &*plain);
    plain = {};
    CHECK(weak.lock()->value == 6);  // not gone yet: revived, on this PE or all of them
    co_await w.barrier();
    plain = weak.lock();
    CHECK(static_cast<bool>(plain));
    co_await w.quiesce();
    CHECK(plain->value == 6);
    plain = {};
    co_await w.quiesce();
    CHECK(!weak.lock());
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("a weak handle does not hinder a conversion, and gives nothing after it") {
  on_pes([](world& w) -> task<> {
    auto plain = co_await darc<part>::create(w, 6);
    const weak_darc<part> weak = plain;
    auto local = co_await std::move(plain).into_local_rw();
    CHECK(!weak.lock());
    plain = co_await std::move(local).into_darc();
    CHECK(weak.lock()->value == 6);
  });
}

namespace {
struct keeps_weak {
  weak_darc<part> weak;
};
}  // namespace

TEST_CASE("handlers that lock weak handles while the end is decided neither crash nor leak") {
  on_pes([](world& w) -> task<> {
    const auto keeper = co_await darc<keeps_weak>::create(w);
    for (int round = 0; round < 200 / lamellar::testing::work_divisor; ++round) {
      auto plain = co_await darc<part>::create(w, 6);
      keeper.exclusive([&plain](keeps_weak& k) { k.weak = plain; });
      co_await w.barrier();
      plain = {};
      // Whoever leaves the quiesce first asks PEs that are still inside it.
      co_await w.quiesce();
      keeper.send_all([](keeps_weak& k) {
        if (const darc<part> got = k.weak.lock(); got && got->value != 6) {
          throw std::runtime_error("a part that is gone");
        }
      });
    }
    co_await w.quiesce();
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}

TEST_CASE("a handle in an unread answer keeps the object; one in a dropped answer does not") {
  on_pes([](world& w) -> task<> {
    co_await w.barrier();
    CHECK(alive == 0);
    co_await w.barrier();
    const auto give_back = [](const darc<part>& got) { return got; };
    auto plain = co_await darc<part>::create(w, 8);
    auto unread = w.call(next_of(w), give_back, plain);
    plain = {};
    co_await w.quiesce();
    co_await w.quiesce();
    CHECK((co_await unread)->value == 8);
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
    co_await w.barrier();
    plain = co_await darc<part>::create(w, 9);
    {
      auto dropped_late = w.call(next_of(w), give_back, plain);
      co_await w.quiesce();
    }
    (void)w.call(next_of(w), give_back, plain);
    plain = {};
    co_await w.quiesce();
    co_await w.quiesce();
    co_await w.barrier();
    CHECK(alive == 0);
  });
}
