// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/substrate/detail/reply_slot.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <span>
#include <utility>
#include <vector>

// Many questions to the owners of elements, and their answers in the order of the questions:
// gathered into one message for each owner, as many as fill a buffer, a few of which are under
// way at a time. More would not be faster: their answers would leave the cache before they are
// read.
namespace lamellar::detail {

/// Questions in a message: it and its answer fill a buffer each.
template <class Record, class Answer>
std::size_t questions_in_a_message(std::size_t largest_record) {
  return std::max<std::size_t>(
      1, (largest_record - 64) /
             std::max(sizeof(Record), std::max<std::size_t>(1, sizeof(Answer))));
}

/// For each k < n: `question(k)` gives {owner's position, Record}; `send(owner, records)` gives
/// a reply<vector<Answer>>; `take(k, answer)` gets the answer.
template <class Record, class Answer, class Question, class Send, class Take>
task<> ask_owners(std::uint32_t owners, std::size_t n, std::size_t per_message,
                  Question question, Send send, Take take) {
  struct batch {
    std::vector<Record> records;
    std::vector<std::uint32_t> whose;  // place of each question, counted from `base`
    std::size_t base = 0;
  };
  struct under_way {
    reply<std::vector<Answer>> answers;
    std::vector<std::uint32_t> whose;
    std::size_t base = 0;
  };
  constexpr std::size_t most_for_each = 4;
  constexpr std::size_t span = std::size_t{1}
                               << 20;  // batches are cut here: places fit 32 bits
  std::vector<batch> filling(owners);
  std::deque<under_way> waiting;
  const auto finish = [&take](under_way& done, const std::vector<Answer>& answers) {
    for (std::size_t j = 0; j < answers.size(); ++j) {
      take(done.base + done.whose[j], answers[j]);
    }
  };
  for (std::size_t base = 0; base < n; base += span) {
    const std::size_t end = std::min(n, base + span);
    for (std::size_t k = base; k < end;) {
      // As far as no batch is full; then its message goes.
      std::uint32_t full = owners;
      for (; k < end && full == owners; ++k) {
        const auto [owner, record] = question(k);
        batch& to = filling[owner];
        to.records.push_back(record);
        to.whose.push_back(static_cast<std::uint32_t>(k - base));
        if (to.records.size() == per_message) {
          full = owner;
        }
      }
      for (std::uint32_t owner = 0; owner < owners; ++owner) {
        batch& to = filling[owner];
        if (to.records.empty() || (owner != full && k < end)) {
          continue;
        }
        waiting.push_back({send(owner, std::span<const Record>{to.records}),
                           std::exchange(to.whose, {}), base});
        to.records.clear();
        if (waiting.size() > most_for_each * owners) {
          under_way oldest = std::move(waiting.front());
          waiting.pop_front();
          const std::vector<Answer> answers = co_await oldest.answers;
          finish(oldest, answers);
        }
      }
    }
  }
  while (!waiting.empty()) {
    under_way oldest = std::move(waiting.front());
    waiting.pop_front();
    const std::vector<Answer> answers = co_await oldest.answers;
    finish(oldest, answers);
  }
}

}  // namespace lamellar::detail
