// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lamellar/containers/detail/combining_cache.hpp>
#include <lamellar/containers/detail/keyed_part.hpp>
#include <lamellar/containers/detail/map_actions.hpp>
#include <memory>
#include <utility>

// The part of a map: keys with values, and the cache of what this PE's body has reduced and not
// sent yet, by the operation that it has used last.
//
// Thread-safety: as keyed_part; the cache belongs to the PE's main thread.
namespace lamellar::detail {

template <class V, class Op>
struct join_by {
  bool operator()(V& waiting, const V& given) const {
    waiting = Op{}(std::as_const(waiting), given);
    return true;
  }
};

template <class K, class V, class Hash, class Equal>
class map_part : public keyed_part<K, std::pair<K, V>, key_is_first, Hash, Equal> {
 public:
  template <class Op>
  using cache_of = combining_cache<map_part, map_combine<map_part, Op>, V, join_by<V, Op>>;

  explicit map_part(const team& of)
      : keyed_part<K, std::pair<K, V>, key_is_first, Hash, Equal>{of} {}

  template <class Op>
  cache_of<Op>& cache() {
    if (kind_ != &kind_of<Op>) [[unlikely]] {
      this->members().where().flush();  // and with it the cache of another operation
      cache_ = std::make_shared<cache_of<Op>>();
      kind_ = &kind_of<Op>;
    }
    return *static_cast<cache_of<Op>*>(cache_.get());
  }

 private:
  template <class Op>
  static constexpr char kind_of = 0;

  std::shared_ptr<void> cache_;
  const char* kind_ = nullptr;
};

}  // namespace lamellar::detail
