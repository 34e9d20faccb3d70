// SPDX-License-Identifier: BSD-3-Clause
// Counts the k-mers of DNA: all stretches of k letters. Every PE reads its share of FASTA or
// FASTQ files and adds each k-mer to a counting_map. A k-mer and its reverse complement are
// one, for a read may be of either strand. A k-mer of up to 31 letters is a number, two bits a
// letter. The answer is the same on any number of PEs.
#include <fmt/format.h>

#include <lamellar/lamellar.hpp>

#include "support/progress.hpp"

namespace io = lamellar::io;

constexpr const char* usage = R"(Usage: kmer_count [--k K] [--top N] [--skip-bad-lines] FILE...
Count the stretches of K letters (21, at most 31) in the sequences of FASTA or FASTQ FILEs; print the N most frequent ones (10),
how many come once, twice, ... up to ten times, and totals. A stretch and its reverse complement are counted as one, by the name
that comes first in the alphabet; stretches with letters other than ACGT, acgt are passed over. Files may be compressed by gzip.

FASTA: a line that begins with '>' names the sequence in the lines that follow. FASTQ: four lines each, name, sequence, '+',
quality. A line with other letters than those of IUPAC's codes is an error, unless --skip-bad-lines counts and skips it.
)";

using kmer_counts = lamellar::counting_map<std::uint64_t>;

// Two bits of a letter; 4: another letter of a sequence; 5: none.
constexpr std::array<std::uint8_t, 256> codes = [] {
  std::array<std::uint8_t, 256> code{};
  code.fill(5);
  for (const char c : std::string_view("RYKMSWBDHVNUrykmswbdhvnu-*.")) {
    code[static_cast<unsigned char>(c)] = 4;
  }
  for (std::uint8_t k = 0; k < 4; ++k) {
    code[static_cast<unsigned char>("ACGT"[k])] = k;
    code[static_cast<unsigned char>("acgt"[k])] = k;
  }
  return code;
}();

std::string letters_of(std::uint64_t kmer, unsigned k) {
  std::string text(k, 'A');
  for (unsigned i = 0; i < k; ++i) text[k - 1 - i] = "ACGT"[kmer >> (2 * i) & 3];
  return text;
}

// Takes a sequence letter by letter and counts its k-mers.
class window {
 public:
  window(const kmer_counts& counts, unsigned k)
      : counts_{counts}, k_{k}, mask_{(std::uint64_t{1} << (2 * k)) - 1} {}

  void begin() { letters_ = 0; }
  void add(std::string_view line) {
    for (const char c : line) {
      const std::uint8_t code = codes[static_cast<unsigned char>(c)];
      if (code > 3) {
        begin();
        continue;
      }
      forward_ = (forward_ << 2 | code) & mask_;
      backward_ = backward_ >> 2 | std::uint64_t{3U - code} << (2 * (k_ - 1));
      if (++letters_ >= k_) counts_.add(std::min(forward_, backward_));
    }
  }

 private:
  const kmer_counts& counts_;
  unsigned k_;
  std::uint64_t mask_;
  std::uint64_t forward_ = 0;   // the last k letters
  std::uint64_t backward_ = 0;  // their reverse complement
  std::uint64_t letters_ = 0;   // since the sequence began
};

class bad_line : public lamellar::error {
 public:
  using error::error;
};

// Reads the records that fall to this PE: of a file with n records, every P-th. A sequence may
// be longer than any share of bytes, so that records are dealt out, not bytes.
class reader {
 public:
  reader(lamellar::world& world, const kmer_counts& counts, unsigned k, bool skip,
         std::uint64_t all_bytes)
      : world_{world}, kmers_{counts, k}, skip_{skip}, all_bytes_{all_bytes} {}

  void read(const io::input_file& file) {
    const std::string& path = file.path;
    io::line_reader lines(io::whole(file));
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    bool fastq = false;
    for (auto line = lines.next(); line; line = lines.next()) {
      ++number;
      bytes += line->size() + 1;
      // Where a compressed file ends is not known before.
      if (number % 4096 == 0 && !file.compressed) show(bytes_ + std::min(bytes, file.size - 1));
      if (number == 1 && line->starts_with('@')) fastq = true;
      if (fastq ? number % 4 == 1 : line->starts_with('>')) {
        mine_ = record_++ % world_.size() == world_.me().index();
        kmers_.begin();
        if (fastq && !line->starts_with('@')) refuse(path, number, "a name begins with '@'");
      } else if (fastq && number % 4 == 3) {
        if (!line->starts_with('+')) refuse(path, number, "a line with '+' comes here");
      } else if (!fastq || number % 4 == 2) {
        take(path, number, *line);
      }
    }
    show(bytes_ += file.size);
  }
  std::uint64_t bad_lines() const { return bad_lines_; }
  std::uint64_t records() const { return record_; }

 private:
  void take(const std::string& path, std::uint64_t number, std::string_view line) {
    if (!mine_) return;
    for (const char c : line) {
      if (codes[static_cast<unsigned char>(c)] == 5) {
        refuse(path, number, fmt::format("'{}' is no letter of a sequence", c));
        return;
      }
    }
    kmers_.add(line);
  }
  void refuse(const std::string& path, std::uint64_t number, const std::string& why) {
    if (!skip_) {
      throw bad_line(fmt::format("{}:{}: {}; --skip-bad-lines counts and skips such lines",
                                 path, number, why));
    }
    kmers_.begin();
    if (mine_) ++bad_lines_;
  }
  void show(std::uint64_t bytes) const {
    if (world_.me().index() == 0) show_progress(bytes, all_bytes_);
  }

  lamellar::world& world_;
  window kmers_;
  bool skip_;
  std::uint64_t all_bytes_;
  std::uint64_t bytes_ = 0;  // of the files that have been read
  bool mine_ = false;
  std::uint64_t record_ = 0;  // of all files
  std::uint64_t bad_lines_ = 0;
};

struct settings {
  unsigned k = 21;
  std::uint64_t top = 10;
  bool skip = false;
  std::vector<std::string> files;
};

void count(lamellar::world& world, const settings& set) {
  const auto counts = kmer_counts::create(world).get();
  const auto files = io::inspect(set.files);
  reader in{world, counts, set.k, set.skip, io::total_bytes(files)};
  const bool reports = world.me().index() == 0;
  for (const io::input_file& file : files) in.read(file);
  const auto top = counts.top_k(set.top).get();
  const auto spectrum = counts.histogram().get();
  const std::uint64_t total = counts.total().get();
  const std::uint64_t distinct = size(counts).get();
  const std::uint64_t bad = all_reduce(world, in.bad_lines()).get();
  if (!reports) return;
  for (const auto& [kmer, n] : top) fmt::print("{:7} {}\n", n, letters_of(kmer, set.k));
  for (const auto& [n, kmers] : spectrum) {
    if (n <= 10) fmt::print("{} come {} times\n", kmers, n);
  }
  fmt::print("{} {}-mers, {} of them distinct, in {} sequences; {} bad lines\n", total, set.k,
             distinct, in.records(), bad);
}

int main(int argc, char** argv) {
  settings set;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--k" && i + 1 < argc) {
      set.k = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
    } else if (argument == "--top" && i + 1 < argc) {
      set.top = std::strtoull(argv[++i], nullptr, 10);
    } else if (argument == "--skip-bad-lines") {
      set.skip = true;
    } else if (argument.starts_with("-")) {
      fmt::print(argument == "--help" ? stdout : stderr, "{}", usage);
      return argument == "--help" ? 0 : 2;
    } else {
      set.files.emplace_back(argument);
    }
  }
  if (set.files.empty() || set.k < 1 || set.k > 31) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  return lamellar::run(argc, argv, [&](lamellar::world& world) { count(world, set); });
}
