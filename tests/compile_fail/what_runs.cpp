// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <lamellar/substrate/local_rw_darc.hpp>
#include <span>

// What cannot be a handler, and what the compiler says then.

struct record_that_fits {
  std::array<char, 2016> bytes;
};
struct large_record {
  std::array<char, 2017> bytes;
};

template <class Record>
struct take_all {
  void operator()(int& count, std::span<const Record> records) const {
    count += static_cast<int>(records.size());
  }
};

struct account {
  int value = 0;
};

inline void what_runs(lamellar::darc<int> counts, lamellar::local_rw_darc<account> guarded) {
  guarded.send(lamellar::pe{0}, [](const lamellar::local_rw_darc<account>&) {});
#ifdef UNGUARDED_PART
  guarded.send(lamellar::pe{0}, [](account& mine) { ++mine.value; });
#endif
  counts.send(lamellar::pe{0}, take_all<record_that_fits>{}, record_that_fits{});
#ifdef LARGE_RECORD
  counts.send(lamellar::pe{0}, take_all<large_record>{}, large_record{});
#endif
}
