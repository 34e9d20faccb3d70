// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <filesystem>
#include <lamellar/containers/checkpoint.hpp>
#include <sstream>
#include <system_error>
#include <utility>

namespace lamellar {

namespace detail {

namespace {

constexpr unsigned version = 1;
constexpr std::size_t header_bytes = 3 * sizeof(std::uint64_t);
constexpr std::size_t block_bytes = std::size_t{1} << 20;
constexpr const char* byte_order =
    std::endian::native == std::endian::little ? "little" : "big";

std::string text_of_errno() { return std::generic_category().message(errno); }

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw checkpoint_error{fmt::format("checkpoint {}: {}", path, why)};
}

/// A file that is closed at the end of the scope.
struct open_file {
  int descriptor;
  ~open_file() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

void write_all(int file, const std::string& path, const std::byte* from, std::size_t bytes) {
  while (bytes != 0) {
    const ssize_t now = ::write(file, from, bytes);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) refuse(path, "cannot be written: " + text_of_errno());
    from += now;
    bytes -= static_cast<std::size_t>(now);
  }
}

int create(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) {
    refuse(path, fmt::format("cannot be created: {}; choose a directory that exists and may be "
                             "written to",
                             text_of_errno()));
  }
  return file;
}

void synchronise(int file, const std::string& path) {
  if (::fsync(file) != 0) refuse(path, "cannot be brought to the disk: " + text_of_errno());
}

/// What has been renamed in a directory lasts only if the directory is on the disk, too.
void synchronise_directory_of(const std::string& path) {
  std::filesystem::path directory = std::filesystem::path{path}.parent_path();
  if (directory.empty()) directory = ".";
  const open_file file{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (file.descriptor >= 0) ::fsync(file.descriptor);  // not every file system can
}

std::string read_text(const std::string& path) {
  const open_file file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.descriptor < 0) {
    refuse(path, fmt::format("cannot be opened: {}; is it the path that was given to save it?",
                             text_of_errno()));
  }
  std::string text;
  char some[4096];
  for (;;) {
    const ssize_t now = ::read(file.descriptor, some, sizeof some);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) refuse(path, "cannot be read: " + text_of_errno());
    if (now == 0) return text;
    text.append(some, static_cast<std::size_t>(now));
  }
}

std::uint64_t checksum_of_text(std::string_view text) {
  return checksum_of(std::as_bytes(std::span{text.data(), text.size()}), 0);
}

std::string text_of(const checkpoint_index& index) {
  std::string text = fmt::format(
      "lamellar-checkpoint {}\nendian {}\nkind {}\nitem_bytes {}\ngeneration {}\n"
      "parts {}\n",
      version, byte_order, index.kind, index.item_bytes, index.generation, index.parts.size());
  for (const checkpoint_part& part : index.parts) {
    fmt::format_to(std::back_inserter(text), "part {} {} {} {:016x}\n", part.items, part.bytes,
                   part.blocks, part.checksum);
  }
  const std::uint64_t sum = checksum_of_text(text);
  fmt::format_to(std::back_inserter(text), "checksum {:016x}\n", sum);
  return text;
}

/// Reads "name value" lines of an index.
class index_reader {
 public:
  index_reader(const std::string& path, const std::string& text) : path_{path}, in_{text} {}

  template <class T>
  T value(const char* name) {
    std::string found;
    T result{};
    if (!(in_ >> found >> result) || found != name) {
      refuse(path_, fmt::format("is damaged: no '{}' where it should be", name));
    }
    return result;
  }
  checkpoint_part part() {
    checkpoint_part one;
    one.items = value<std::uint64_t>("part");
    in_ >> one.bytes >> one.blocks >> std::hex >> one.checksum >> std::dec;
    if (!in_) refuse(path_, "is damaged: a part's line is cut off");
    return one;
  }

 private:
  const std::string& path_;
  std::istringstream in_;
};

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  const uint128 product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::uint64_t seed) {
  constexpr std::uint64_t a = 0x9e3779b97f4a7c15U;
  constexpr std::uint64_t b = 0xd6e8feb86659fd93U;
  std::uint64_t sum = mixed(seed ^ a, bytes.size() ^ b);
  std::size_t k = 0;
  for (; k + 16 <= bytes.size(); k += 16) {
    std::uint64_t word[2];
    std::memcpy(word, bytes.data() + k, 16);
    sum = mixed(sum ^ word[0] ^ a, std::rotl(sum, 32) ^ word[1] ^ b);
  }
  std::uint64_t word[2] = {0, 0};
  if (k != bytes.size()) {
    std::memcpy(word, bytes.data() + k, bytes.size() - k);
  }
  return mixed(sum ^ word[0] ^ a, std::rotl(sum, 32) ^ word[1] ^ b);
}

std::string name_of_part(const std::string& path, std::uint64_t generation, std::uint32_t k) {
  return fmt::format("{}.{}.{}", path, generation, k);
}

checkpoint_index read_index(const std::string& path) {
  const std::string text = read_text(path);
  index_reader in{path, text};
  if (!text.starts_with("lamellar-checkpoint ")) refuse(path, "is no checkpoint");
  if (const auto found = in.value<unsigned>("lamellar-checkpoint"); found != version) {
    refuse(path,
           fmt::format("is of version {}; this program reads version {}", found, version));
  }
  if (const auto order = in.value<std::string>("endian"); order != byte_order) {
    refuse(path, fmt::format("was written on a {}-endian machine, this one is {}-endian", order,
                             byte_order));
  }
  const std::size_t end = text.rfind("checksum ");
  checkpoint_index index;
  index.kind = in.value<std::string>("kind");
  index.item_bytes = in.value<std::uint64_t>("item_bytes");
  index.generation = in.value<std::uint64_t>("generation");
  const auto parts = in.value<std::uint64_t>("parts");
  if (parts > text.size()) refuse(path, "is damaged: it cannot have that many parts");
  for (std::uint64_t k = 0; k < parts; ++k) index.parts.push_back(in.part());
  if (end == std::string::npos ||
      text.substr(end) !=
          fmt::format("checksum {:016x}\n", checksum_of_text(text.substr(0, end)))) {
    refuse(path, "is damaged: its checksum is wrong");
  }
  return index;
}

std::uint64_t next_generation(const std::string& path) {
  try {
    return read_index(path).generation + 1;
  } catch (const checkpoint_error&) {
    return 1;
  }
}

void check_kind(const std::string& path, const checkpoint_index& index, std::string_view kind,
                std::uint64_t item_bytes) {
  if (index.kind != kind || index.item_bytes != item_bytes) {
    const auto items = [](std::uint64_t bytes) {
      return bytes == 0 ? std::string{"items of varying size"}
                        : fmt::format("items of {} bytes", bytes);
    };
    refuse(path, fmt::format("holds a {} with {}; it cannot be restored to a {} with {}",
                             index.kind, items(index.item_bytes), kind, items(item_bytes)));
  }
}

void commit_checkpoint(const std::string& path, const checkpoint_index& index) {
  checkpoint_index before;
  try {
    before = read_index(path);
  } catch (const checkpoint_error&) {
    // There is none, or none of use.
  }
  const std::string beside = path + ".new";
  {
    const std::string text = text_of(index);
    const open_file file{create(beside)};
    write_all(file.descriptor, beside, reinterpret_cast<const std::byte*>(text.data()),
              text.size());
    synchronise(file.descriptor, beside);
  }
  synchronise_directory_of(path);  // the parts' names first
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    refuse(path, "cannot be replaced: " + text_of_errno());
  }
  synchronise_directory_of(path);
  for (std::uint32_t k = 0; k < before.parts.size(); ++k) {
    ::unlink(name_of_part(path, before.generation, k).c_str());
  }
}

// ---- parts ----------------------------------------------------------------------------------

checkpoint_part_writer::checkpoint_part_writer(std::string path)
    : path_{std::move(path)}, file_{create(path_)}, block_(header_bytes + block_bytes) {
  used_ = header_bytes;
}

checkpoint_part_writer::~checkpoint_part_writer() {
  if (file_ >= 0) {  // not finished: nobody will want it
    ::close(file_);
    ::unlink(path_.c_str());
  }
}

void checkpoint_part_writer::make_room(std::size_t bytes) {
  if (block_items_ != 0) write_block();
  if (block_.size() - used_ < bytes) block_.resize(used_ + bytes);
}

void checkpoint_part_writer::write_block() {
  const std::span<const std::byte> items{block_.data() + header_bytes, used_ - header_bytes};
  const std::uint64_t header[3] = {items.size(), block_items_,
                                   checksum_of(items, block_items_)};
  std::memcpy(block_.data(), header, header_bytes);
  write_all(file_, path_, block_.data(), used_);
  all_.items += block_items_;
  all_.bytes += used_;
  ++all_.blocks;
  all_.checksum = mixed(all_.checksum ^ header[2], all_.blocks | 1U << 31);
  used_ = header_bytes;
  block_items_ = 0;
}

checkpoint_part checkpoint_part_writer::finish() {
  if (block_items_ != 0) write_block();
  synchronise(file_, path_);
  if (::close(std::exchange(file_, -1)) != 0) {
    refuse(path_, "cannot be written: " + text_of_errno());
  }
  return all_;
}

checkpoint_part_reader::checkpoint_part_reader(std::string path,
                                               const checkpoint_part& expected)
    : path_{std::move(path)}, expected_{expected} {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file_ < 0 || ::fstat(file_, &status) != 0) {
    const std::string why = text_of_errno();
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    refuse(path_, "cannot be opened: " + why + "; it is one of the checkpoint's parts");
  }
  if (static_cast<std::uint64_t>(status.st_size) != expected_.bytes) {
    ::close(std::exchange(file_, -1));
    refuse(path_, fmt::format("is damaged: it has {} bytes and should have {}", status.st_size,
                              expected_.bytes));
  }
}

checkpoint_part_reader::~checkpoint_part_reader() {
  if (file_ >= 0) ::close(file_);
}

void checkpoint_part_reader::damaged(const std::string& what) const {
  refuse(path_, "is damaged: " + what);
}

void checkpoint_part_reader::read_at(std::uint64_t offset, std::byte* to, std::size_t bytes) {
  while (bytes != 0) {
    const ssize_t now = ::pread(file_, to, bytes, static_cast<off_t>(offset));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) refuse(path_, "cannot be read: " + text_of_errno());
    if (now == 0) damaged("it ends too early");
    to += now;
    offset += static_cast<std::uint64_t>(now);
    bytes -= static_cast<std::size_t>(now);
  }
}

bool checkpoint_part_reader::next() {
  if (next_ == expected_.bytes) {
    if (found_.items != expected_.items || found_.blocks != expected_.blocks ||
        found_.checksum != expected_.checksum) {
      damaged("it is not the part that the index speaks of");
    }
    return false;
  }
  at_ = next_;
  if (expected_.bytes - at_ < header_bytes) damaged("a block is cut off");
  read_at(at_, reinterpret_cast<std::byte*>(header_), header_bytes);
  const std::uint64_t left = expected_.bytes - at_ - header_bytes;
  if (header_[0] > left) damaged("a block is longer than the file");
  next_ = at_ + header_bytes + header_[0];
  found_.items += header_[1];
  ++found_.blocks;
  found_.checksum = mixed(found_.checksum ^ header_[2], found_.blocks | 1U << 31);
  return true;
}

std::span<const std::byte> checkpoint_part_reader::read() {
  block_.resize(header_[0]);
  read_at(at_ + header_bytes, block_.data(), block_.size());
  if (checksum_of(block_, header_[1]) != header_[2]) {
    damaged(fmt::format("the checksum of the block at byte {} is wrong", at_));
  }
  return block_;
}

task<> fail_together(located_team of, std::string doing, std::string why) {
  struct trouble {
    std::uint32_t pe;
    std::string text;
  };
  trouble mine{of.value.where().me().index(), std::move(why)};
  const auto first = [](trouble a, trouble b) { return a.text.empty() ? b : a; };
  auto joining = all_reduce(of, std::move(mine), first);
  const trouble found = co_await joining;
  if (!found.text.empty()) {
    throw checkpoint_error{fmt::format("cannot {}: PE {}: {}", doing, found.pe, found.text)};
  }
}

}  // namespace detail

checkpoint_info inspect_checkpoint(const std::string& path) {
  const detail::checkpoint_index index = detail::read_index(path);
  checkpoint_info info{index.kind, index.item_bytes, index.generation, {}};
  for (const detail::checkpoint_part& part : index.parts) {
    info.parts.push_back({part.items, part.bytes});
  }
  return info;
}

}  // namespace lamellar
