// SPDX-License-Identifier: BSD-3-Clause
// What all containers of items have in common. A further one joins by a line in the list.
#include <lamellar/containers/distributed_container.hpp>
#include <lamellar/substrate/darc.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common_behaviour.hpp"

using namespace lamellar;

namespace {

// The least that is a container: items dealt out in turn.
template <class T>
class dealt_items {
  struct part {
    team members;
    std::vector<T> items;
    std::uint32_t next = 0;
  };
  struct put {
    void operator()(part& here, const T& item) const { here.items.push_back(item); }
  };

 public:
  using item_type = T;
  static constexpr std::string_view kind = "dealt_items";

  dealt_items() = default;
  static task<dealt_items> create(detail::located_team of) {
    auto making = darc<part>::create(of, part{of.value, {}});
    dealt_items made;
    made.parts_ = co_await making;
    co_return made;
  }
  explicit operator bool() const { return static_cast<bool>(parts_); }
  const team& members() const { return parts_->members; }
  std::size_t local_size() const { return parts_->items.size(); }
  std::size_t local_bytes() const { return parts_->items.capacity() * sizeof(T); }
  template <class F>
  void local_for_each(F f) const {
    const auto later = members().where().defer_handlers();
    for (const T& item : parts_->items) f(item);
  }
  void local_clear() const { parts_->items.clear(); }
  void add_item(const T& item) const {
    part& here = *parts_;
    parts_.send(here.members.at(team_position{here.next++ % here.members.size()}), put{}, item);
  }

 private:
  darc<part> parts_;
};

}  // namespace

TEST_CASE_TEMPLATE("a container can do what all can", C, dealt_items<std::uint32_t>,
                   dealt_items<std::string>) {
  lamellar::testing::check_common_behaviour<C>();
}
