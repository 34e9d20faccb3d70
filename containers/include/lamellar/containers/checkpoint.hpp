// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <lamellar/containers/detail/checkpoint_files.hpp>
#include <lamellar/substrate/codec.hpp>
#include <lamellar/substrate/collectives.hpp>
#include <lamellar/substrate/error.hpp>
#include <lamellar/substrate/task.hpp>
#include <lamellar/substrate/team.hpp>
#include <lamellar/substrate/transferable.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The items of a distributed container in files, to be read again by any number of PEs: each PE
// writes the items that it has, and hands what it reads back to the container, which knows
// where an item belongs. Nothing here knows what kind of container it is.
//
// A checkpoint named `path` is a small text file of that name, the index, and beside it the
// parts, `path.<generation>.<k>`, one for each PE that has saved. Parts are rows of blocks,
// each with a checksum. A new generation is written beside the old one, and the index, written
// last and renamed to its name, says which is valid: a job that dies while it saves, at
// whatever step, leaves the checkpoint that was there before. All PEs must see the same files.
//
// What is read must be what was written: version, byte order, kind of container, size of items,
// lengths and checksums are compared, and the error says which file differs.
//
// Thread-safety: the body.
namespace lamellar {

/// A checkpoint cannot be written or read. The text names the file, what is wrong, and what to
/// do.
class checkpoint_error : public error {
 public:
  using error::error;
};

/// What an index says.
struct checkpoint_info {
  std::string kind;              ///< of container
  std::uint64_t item_bytes = 0;  ///< of each item; 0: they differ
  std::uint64_t generation = 0;  ///< counts the times it was saved
  struct part {
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<part> parts;

  std::uint64_t items() const {
    std::uint64_t sum = 0;
    for (const part& each : parts) sum += each.items;
    return sum;
  }
};

/// Write the items of all members as the checkpoint `path`, and return how many they are.
/// `each(put)` calls `put(item)` for every item of this PE; items of type Item.
///
/// `kind` names the sort of container; load_items() wants the same. A relative path counts from
/// the working directory. Cost: one pass over the items; encoded, in blocks of about 1 MiB;
/// every file is synchronised with its disk. Collective over `of`. Throws: checkpoint_error on
/// all members, if one cannot write or its `each` throws; what was there before is then still
/// there.
template <transferable Item, class Each>
task<std::uint64_t> save_items(detail::located_team of, std::string path, std::string kind,
                               Each each);

/// Read the checkpoint `path` and call `take(Item&&)` for its items, each on one of the
/// members; return how many items all members have read. As many members as you like.
///
/// Blocks are dealt out evenly. `take` may send; what it sends is not waited for. Cost: each
/// byte is read by one member. Collective over `of`. Throws: checkpoint_error on all members,
/// if there is no such checkpoint, it is of another kind, or damaged; some items may have been
/// taken by then.
template <transferable Item, class Take>
task<std::uint64_t> load_items(detail::located_team of, std::string path, std::string kind,
                               Take take);

/// What the index of checkpoint `path` says. Not collective. Throws: checkpoint_error.
checkpoint_info inspect_checkpoint(const std::string& path);

// ---- detail ---------------------------------------------------------------------------------

namespace detail {

template <class Item>
constexpr std::uint64_t checkpoint_item_bytes() {
  if constexpr (bitwise<Item>) {
    return bitwise_size<Item>;
  } else {
    return 0;
  }
}

/// Append an item as its bytes.
template <class Item>
void put_into_part(checkpoint_part_writer& part, const Item& item) {
  if constexpr (bitwise<Item>) {
    write_bitwise(part.room(bitwise_size<Item>), item);
  } else {
    byte_writer measure{std::span<std::byte>{}};
    encode<Item>(measure, item);
    byte_writer out{part.room(measure.size())};
    encode<Item>(out, item);
  }
}

/// Call `work()`; what it throws as a text, "" if nothing.
template <class Work>
std::string text_of_failure(const Work& work) {
  try {
    work();
    return {};
  } catch (const std::exception& e) {
    return *e.what() == '\0' ? "an exception without a text" : e.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

/// Throw checkpoint_error on all members, if `why` is not empty on one. Collective.
task<> fail_together(located_team of, std::string doing, std::string why);

}  // namespace detail

template <transferable Item, class Each>
task<std::uint64_t> save_items(detail::located_team of, std::string path, std::string kind,
                               Each each) {
  const team_position me = of.value.position(of.where);
  std::uint64_t generation = 0;
  if (me.index() == 0) {
    generation = detail::next_generation(path);
  }
  auto agreeing = broadcast(of, generation);
  generation = co_await agreeing;
  detail::checkpoint_part mine;
  std::string why = detail::text_of_failure([&] {
    detail::checkpoint_part_writer part{detail::name_of_part(path, generation, me.index())};
    each([&part](const Item& item) { detail::put_into_part<Item>(part, item); });
    mine = part.finish();
  });
  auto checking = detail::fail_together(of, "save " + path, std::move(why));
  co_await checking;
  auto gathering = gather(of, mine);
  std::vector<detail::checkpoint_part> parts = co_await gathering;
  why.clear();
  if (me.index() == 0) {
    why = detail::text_of_failure([&] {
      detail::commit_checkpoint(
          path, {std::move(kind), detail::checkpoint_item_bytes<Item>(), generation, parts});
    });
  }
  auto committing = detail::fail_together(of, "save " + path, std::move(why));
  co_await committing;
  auto counting = all_reduce(of, mine.items);
  co_return co_await counting;
}

template <transferable Item, class Take>
task<std::uint64_t> load_items(detail::located_team of, std::string path, std::string kind,
                               Take take) {
  const std::uint32_t me = of.value.position(of.where).index();
  const std::uint32_t readers = of.value.size();
  void* const owner = &detail::engine_of(of.value.where());
  std::uint64_t items = 0;
  std::string why = detail::text_of_failure([&] {
    const detail::checkpoint_index index = detail::read_index(path);
    detail::check_kind(path, index, kind, detail::checkpoint_item_bytes<Item>());
    std::uint64_t block = 0;
    for (std::uint32_t k = 0; k < index.parts.size(); ++k) {
      detail::checkpoint_part_reader part{detail::name_of_part(path, index.generation, k),
                                          index.parts[k]};
      for (; part.next(); ++block) {
        if (block % readers != me) {
          continue;
        }
        byte_reader in{part.read(), owner};
        for (std::uint64_t left = part.items(); left != 0; --left, ++items) {
          if constexpr (bitwise<Item>) {
            take(in.get_value<Item>());
          } else {
            take(decode<Item>(in));
          }
        }
        in.finish();
      }
    }
  });
  auto checking = detail::fail_together(of, "restore " + path, std::move(why));
  co_await checking;
  auto counting = all_reduce(of, items);
  co_return co_await counting;
}

}  // namespace lamellar
