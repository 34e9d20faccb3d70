// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lamellar/containers/array.hpp>
#include <lamellar/containers/checkpoint.hpp>
#include <lamellar/containers/sketch.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

// bloom_filter<T>: whether an item was inserted: "no" is certain, "yes" is wrong for some of
// those that were not. The bits are spread over the PEs, in an array of words; those of an item
// lie in one word, so that any PE inserts by one operation on one element and asks by one load.
//
// The handle is cheap to copy and travels. Like the array it goes in the first quiesce after
// the last handle.
//
// Source: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", 2007.
//
// Thread-safety: handles as values; insert and contains: any thread of the PE.
namespace lamellar {

/// How large a bloom filter is.
struct bloom_size {
  std::size_t words = 0;        ///< of 64 bits, on all PEs together
  std::uint32_t item_bits = 0;  ///< that an item sets, 1 to 10
  friend bool operator==(const bloom_size&, const bloom_size&) = default;
};

namespace detail {

/// How many of those that were not inserted are said to be, with so many items in a word.
inline double bloom_mistakes(double items_in_word, std::uint32_t item_bits) {
  double probability = std::exp(-items_in_word);  // of j items in a word
  double mistakes = 0;
  for (int j = 1; j < 400; ++j) {
    probability *= items_in_word / j;
    mistakes +=
        probability * std::pow(1 - std::pow(1 - 1.0 / 64, j * static_cast<int>(item_bits)),
                               static_cast<int>(item_bits));
  }
  return mistakes;
}

}  // namespace detail

template <class T, hash_of<T> Hash = hash<T>>
class bloom_filter {
 public:
  using value_type = T;

  /// No filter; to be assigned to.
  bloom_filter() noexcept = default;

  /// The size for so many items, if at most this share of others may be taken for one of them.
  /// Throws: error, unless 0.0001 <= mistakes < 1.
  static bloom_size size_for(std::size_t items, double mistakes);

  /// Make an empty one on the PEs of the world or of a team. Cost: that of an array of
  /// size.words words. Collective. Requires: the same size on all PEs.
  static task<bloom_filter> create(detail::located_team of, bloom_size size) {
    return create_on(std::move(of), size);
  }

  explicit operator bool() const { return static_cast<bool>(words_); }
  const team& members() const { return words_.members(); }
  bloom_size size() const { return {words_.size(), item_bits_}; }
  std::size_t bytes() const { return words_.size() * sizeof(std::uint64_t); }

  /// Put an item in. Cost: two hashes, and a bit_or of an element of an atomic array: in place,
  /// or by a record of 16 bytes. Done: when quiesce() has returned. Not collective.
  void insert(const T& item) const {
    const place at = place_of(item);
    words_.bit_or(at.word, at.bits);
  }
  /// insert() of each. Cost: as a list of bit_or.
  void insert(std::span<const T> items) const {
    const auto [words, bits] = places_of(items);
    words_.bit_or(words, bits);
  }
  /// Whether it may have been inserted; false is certain. Cost: a load of an element. Not
  /// collective.
  reply<bool> contains(const T& item) const {
    return reply<bool>{look_up(*this, place_of(item))};
  }
  /// The same for many: 1 where an item may have been inserted, else 0. Cost: as a list of
  /// loads.
  reply<std::vector<std::uint8_t>> contains(std::span<const T> items) const {
    auto [words, bits] = places_of(items);
    return reply<std::vector<std::uint8_t>>{
        look_up_all(*this, std::move(words), std::move(bits))};
  }

  /// Let this filter be that of both. Collective over the members. Cost: a quiesce, and an
  /// operation on each word, here. Throws: sketch_mismatch, if the sizes differ. Requires: both
  /// are of the same team.
  task<> merge(const bloom_filter& other,
               std::source_location at = std::source_location::current()) const {
    return merge_all(*this, other, at);
  }
  /// Forget all items. Collective over the members.
  task<> clear(std::source_location at = std::source_location::current()) const {
    return clear_all(*this, at);
  }
  /// The share of bits that are set, on every member: near a half it is full. Collective.
  task<double> fill(std::source_location at = std::source_location::current()) const {
    return fill_of(*this, at);
  }

  /// Save the bits as the checkpoint `path`; see checkpoint.hpp. Returns how many words of 64
  /// bits have some. Collective over the members. Cost: a quiesce, and a pass over the words
  /// here. Throws: checkpoint_error on all members; the checkpoint before is then as it was.
  task<std::uint64_t> checkpoint(
      std::string path, std::source_location at = std::source_location::current()) const {
    return save_all(*this, std::move(path), at);
  }
  /// Put in the items of a checkpoint, which any number of PEs may have saved. Collective over
  /// the members. Cost: a bit_or for each word that it has. Throws: checkpoint_error on all
  /// members, if it is of a filter of another size, or damaged. Requires: the same types of
  /// items and hashes.
  task<std::uint64_t> restore(std::string path,
                              std::source_location at = std::source_location::current()) const {
    return load_all(*this, std::move(path), at);
  }

  // Travelling: the array's name.
  template <class Archive>
  void serialize(Archive& by) {
    by(words_, item_bits_);
  }

 private:
  struct place {
    std::size_t word;
    std::uint64_t bits;
  };

  bloom_filter(atomic_array<std::uint64_t> words, std::uint32_t item_bits)
      : words_{std::move(words)}, item_bits_{item_bits} {}

  place place_of(const T& item) const {
    const std::uint64_t which = detail::sketch_hash<T, Hash>(item, 0);
    std::uint64_t draw = detail::sketch_hash<T, Hash>(item, 1);
    std::uint64_t bits = 0;
    for (std::uint32_t k = 0; k < item_bits_; ++k, draw >>= 6) {
      bits |= std::uint64_t{1} << (draw & 63);
    }
    const auto wide = static_cast<detail::uint128>(which) * words_.size();
    return {static_cast<std::size_t>(wide >> 64), bits};
  }
  std::pair<std::vector<std::size_t>, std::vector<std::uint64_t>> places_of(
      std::span<const T> items) const {
    std::pair<std::vector<std::size_t>, std::vector<std::uint64_t>> all;
    all.first.reserve(items.size());
    all.second.reserve(items.size());
    for (const T& item : items) {
      const place at = place_of(item);
      all.first.push_back(at.word);
      all.second.push_back(at.bits);
    }
    return all;
  }

  static task<bloom_filter> create_on(detail::located_team of, bloom_size size);
  static task<bool> look_up(bloom_filter in, place at);
  static task<std::vector<std::uint8_t>> look_up_all(bloom_filter in,
                                                     std::vector<std::size_t> words,
                                                     std::vector<std::uint64_t> bits);
  static task<> merge_all(bloom_filter to, bloom_filter from, std::source_location at);
  static task<> clear_all(bloom_filter of, std::source_location at);
  static task<double> fill_of(bloom_filter of, std::source_location at);
  static task<std::uint64_t> save_all(bloom_filter from, std::string path,
                                      std::source_location at);
  static task<std::uint64_t> load_all(bloom_filter into, std::string path,
                                      std::source_location at);
  /// The size is part of what a checkpoint is of.
  std::string kind() const {
    return "bloom_filter_of_" + std::to_string(words_.size()) + "x" +
           std::to_string(item_bits_);
  }

  atomic_array<std::uint64_t> words_;
  std::uint32_t item_bits_ = 0;
};

// ---- detail ---------------------------------------------------------------------------------

template <class T, hash_of<T> Hash>
bloom_size bloom_filter<T, Hash>::size_for(std::size_t items, double mistakes) {
  if (!(mistakes >= 0.0001 && mistakes < 1)) {
    detail::refuse_size("bloom_filter", "a share of mistakes from 0.0001 to 1", mistakes);
  }
  double most = 0;
  std::uint32_t item_bits = 1;
  for (std::uint32_t bits = 1; bits <= 10; ++bits) {
    double low = 0;
    double high = 64;
    for (int step = 0; step < 40; ++step) {
      const double middle = (low + high) / 2;
      (detail::bloom_mistakes(middle, bits) <= mistakes ? low : high) = middle;
    }
    if (low > most) {
      most = low;
      item_bits = bits;
    }
  }
  const double words = std::ceil(static_cast<double>(items) / most);
  return {std::max<std::size_t>(1, static_cast<std::size_t>(words)), item_bits};
}

template <class T, hash_of<T> Hash>
task<bloom_filter<T, Hash>> bloom_filter<T, Hash>::create_on(detail::located_team of,
                                                             bloom_size size) {
  if (size.words == 0 || size.item_bits < 1 || size.item_bits > 10) {
    detail::refuse_size("bloom_filter", "words, 1 or more, and 1 to 10 bits of an item",
                        size.item_bits);
  }
  auto making = atomic_array<std::uint64_t>::create(of, size.words);
  atomic_array<std::uint64_t> words = co_await making;
  co_return bloom_filter{std::move(words), size.item_bits};
}

template <class T, hash_of<T> Hash>
task<bool> bloom_filter<T, Hash>::look_up(bloom_filter in, place at) {
  auto loading = in.words_.load(at.word);
  const std::uint64_t word = co_await loading;
  co_return (word & at.bits) == at.bits;
}

template <class T, hash_of<T> Hash>
task<std::vector<std::uint8_t>> bloom_filter<T, Hash>::look_up_all(
    bloom_filter in, std::vector<std::size_t> words, std::vector<std::uint64_t> bits) {
  auto loading = in.words_.load(words);
  const std::vector<std::uint64_t> found = co_await loading;
  std::vector<std::uint8_t> answers;
  answers.reserve(found.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    answers.push_back((found[k] & bits[k]) == bits[k] ? 1 : 0);
  }
  co_return answers;
}

template <class T, hash_of<T> Hash>
task<> bloom_filter<T, Hash>::merge_all(bloom_filter to, bloom_filter from,
                                        std::source_location at) {
  if (to.size() != from.size()) {
    detail::refuse_merge("bloom_filter", to.size().words, from.size().words);
  }
  auto settling = to.members().quiesce(at);
  co_await settling;
  const auto bits = from.words_.local();
  for (std::size_t k = 0; k < from.words_.local_size(); ++k) {
    to.words_.bit_or(to.words_.global_index(k), bits[k].load());
  }
  auto ending = to.members().quiesce(at);
  co_await ending;
}

template <class T, hash_of<T> Hash>
task<> bloom_filter<T, Hash>::clear_all(bloom_filter of, std::source_location at) {
  auto settling = of.members().quiesce(at);
  co_await settling;
  for (std::size_t k = 0; k < of.words_.local_size(); ++k) {
    of.words_.local()[k].store(0);
  }
  auto meeting = of.members().barrier(at);
  co_await meeting;
}

template <class T, hash_of<T> Hash>
task<double> bloom_filter<T, Hash>::fill_of(bloom_filter of, std::source_location at) {
  auto settling = of.members().quiesce(at);
  co_await settling;
  std::uint64_t set = 0;
  for (std::size_t k = 0; k < of.words_.local_size(); ++k) {
    set += static_cast<std::uint64_t>(std::popcount(of.words_.local()[k].load()));
  }
  auto adding = all_reduce({of.members(), at}, set);
  const std::uint64_t all = co_await adding;
  co_return static_cast<double>(all) / 64 / static_cast<double>(of.words_.size());
}

template <class T, hash_of<T> Hash>
task<std::uint64_t> bloom_filter<T, Hash>::save_all(bloom_filter from, std::string path,
                                                    std::source_location at) {
  auto settling = from.members().quiesce(at);
  co_await settling;
  const auto each = [&from](const auto& put) {
    for (std::size_t k = 0; k < from.words_.local_size(); ++k) {
      const std::uint64_t bits = from.words_.local()[k].load();
      if (bits != 0) {
        put(place{from.words_.global_index(k), bits});
      }
    }
  };
  auto saving = save_items<place>({from.members(), at}, std::move(path), from.kind(), each);
  co_return co_await saving;
}

template <class T, hash_of<T> Hash>
task<std::uint64_t> bloom_filter<T, Hash>::load_all(bloom_filter into, std::string path,
                                                    std::source_location at) {
  auto settling = into.members().quiesce(at);
  co_await settling;
  const auto take = [&into](const place& each) { into.words_.bit_or(each.word, each.bits); };
  auto loading = load_items<place>({into.members(), at}, std::move(path), into.kind(), take);
  const std::uint64_t words = co_await loading;
  auto ending = into.members().quiesce(at);
  co_await ending;
  co_return words;
}

}  // namespace lamellar
