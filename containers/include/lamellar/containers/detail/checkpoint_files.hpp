// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The files of a checkpoint, see checkpoint.hpp: the index, and the parts with their blocks.
//
// A part is a row of blocks: {bytes, items, checksum}, 8 bytes each, in the writer's byte
// order, then the bytes, items back to back. The checksum covers all of it.
//
// Thread-safety: a writer or reader belongs to one thread. All throw checkpoint_error.
namespace lamellar::detail {

/// What the index says of a part.
struct checkpoint_part {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;  // of the file
  std::uint64_t blocks = 0;
  std::uint64_t checksum = 0;  // of the checksums of its blocks, in order
};

struct checkpoint_index {
  std::string kind;
  std::uint64_t item_bytes = 0;
  std::uint64_t generation = 0;
  std::vector<checkpoint_part> parts;
};

/// A hash of these bytes that notices any change of a few of them; not meant to withstand
/// somebody who means harm.
std::uint64_t checksum_of(std::span<const std::byte> bytes, std::uint64_t seed);

std::string name_of_part(const std::string& path, std::uint64_t generation, std::uint32_t k);
/// One more than that of the valid checkpoint; 1 if there is none.
std::uint64_t next_generation(const std::string& path);
checkpoint_index read_index(const std::string& path);
/// Throws unless the checkpoint is of this kind.
void check_kind(const std::string& path, const checkpoint_index& index, std::string_view kind,
                std::uint64_t item_bytes);
/// Make these parts the valid ones, and remove those that were.
void commit_checkpoint(const std::string& path, const checkpoint_index& index);

/// Writes a part.
class checkpoint_part_writer {
 public:
  explicit checkpoint_part_writer(std::string path);
  ~checkpoint_part_writer();
  checkpoint_part_writer(const checkpoint_part_writer&) = delete;
  checkpoint_part_writer& operator=(const checkpoint_part_writer&) = delete;

  /// Room for one more item, of so many bytes.
  std::byte* room(std::size_t bytes) {
    if (block_.size() - used_ < bytes) [[unlikely]] {
      make_room(bytes);
    }
    std::byte* const at = block_.data() + used_;
    used_ += bytes;
    ++block_items_;
    return at;
  }
  /// Write the rest and wait until all of it is on the disk.
  checkpoint_part finish();

 private:
  void make_room(std::size_t bytes);
  void write_block();

  std::string path_;
  int file_ = -1;
  std::vector<std::byte> block_;  // its header first
  std::size_t used_;
  std::uint64_t block_items_ = 0;
  checkpoint_part all_;
};

/// Reads a part, block by block; what is not wanted is passed over.
class checkpoint_part_reader {
 public:
  checkpoint_part_reader(std::string path, const checkpoint_part& expected);
  ~checkpoint_part_reader();
  checkpoint_part_reader(const checkpoint_part_reader&) = delete;
  checkpoint_part_reader& operator=(const checkpoint_part_reader&) = delete;

  /// Go on to the next block; false after the last, when the whole part has been found to be
  /// what the index says.
  bool next();
  /// How many items the block has.
  std::uint64_t items() const { return header_[1]; }
  /// Its items; valid until the next call.
  std::span<const std::byte> read();

 private:
  void read_at(std::uint64_t offset, std::byte* to, std::size_t bytes);
  [[noreturn]] void damaged(const std::string& what) const;

  std::string path_;
  checkpoint_part expected_;
  int file_ = -1;
  std::uint64_t header_[3] = {};
  std::uint64_t at_ = 0;    // of the block's header
  std::uint64_t next_ = 0;  // of the next one's
  checkpoint_part found_;
  std::vector<std::byte> block_;
};

}  // namespace lamellar::detail
