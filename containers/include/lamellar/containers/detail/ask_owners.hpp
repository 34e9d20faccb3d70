// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <lamellar/substrate/detail/reply_slot.hpp>
#include <lamellar/substrate/reply.hpp>
#include <lamellar/substrate/task.hpp>
#include <memory>
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

/// Questions to one owner, and whose they are.
template <class Record>
struct question_batch {
  std::unique_ptr<Record[]> records;
  std::unique_ptr<std::size_t[]> whose;
  std::size_t count = 0;
};

/// Put the questions from number `k` on into their owners' batches, until one of them is full
/// or none is left, and move `k` on. The owner whose batch is full, or the number of owners.
template <class Record, class Question>
std::uint32_t fill_batches(std::vector<question_batch<Record>>& filling, std::size_t& k,
                           std::size_t n, std::size_t per_message, const Question& question) {
  question_batch<Record>* const batches = filling.data();
  for (std::size_t next = k; next < n;) {
    const auto [owner, record] = question(next);
    question_batch<Record>& to = batches[owner];
    to.records[to.count] = record;
    to.whose[to.count] = next++;
    if (++to.count == per_message) {
      k = next;
      return owner;
    }
  }
  k = n;
  return static_cast<std::uint32_t>(filling.size());
}

/// For each k < n: `question(k)` gives {owner's position, Record}. `serve(owner, records,
/// whose)` answers what it can in place, with whose[j] for the number of records[j], and says
/// so; else `send(owner, records)` gives a reply<vector<Answer>>, and `take(k, answer)` gets
/// the answers.
template <class Record, class Answer, class Question, class Serve, class Send, class Take>
task<> ask_owners(std::uint32_t owners, std::size_t n, std::size_t per_message,
                  Question question, Serve serve, Send send, Take take) {
  struct under_way {
    reply<std::vector<Answer>> answers;
    std::unique_ptr<std::size_t[]> whose;
  };
  constexpr std::size_t most_for_each = 4;
  std::vector<question_batch<Record>> filling(owners);
  for (question_batch<Record>& each : filling) {
    each.records = std::make_unique_for_overwrite<Record[]>(per_message);
    each.whose = std::make_unique_for_overwrite<std::size_t[]>(per_message);
  }
  std::deque<under_way> waiting;
  std::vector<std::unique_ptr<std::size_t[]>> spare;
  for (std::size_t k = 0; k < n;) {
    // As far as no batch is full; then its message goes, and at the end all of them.
    const std::uint32_t full = fill_batches(filling, k, n, per_message, question);
    for (std::uint32_t owner = 0; owner < owners; ++owner) {
      question_batch<Record>& to = filling[owner];
      if (to.count == 0 || (k < n && owner != full)) {
        continue;
      }
      const std::span<const Record> records{to.records.get(), to.count};
      to.count = 0;
      if (serve(owner, records, to.whose.get())) {
        continue;
      }
      waiting.push_back({send(owner, records), std::move(to.whose)});
      if (!spare.empty()) {
        to.whose = std::move(spare.back());
        spare.pop_back();
      } else {
        to.whose = std::make_unique_for_overwrite<std::size_t[]>(per_message);
      }
      if (waiting.size() > most_for_each * owners) {
        under_way oldest = std::move(waiting.front());
        waiting.pop_front();
        const std::vector<Answer> answers = co_await oldest.answers;
        for (std::size_t j = 0; j < answers.size(); ++j) {
          take(oldest.whose[j], answers[j]);
        }
        spare.push_back(std::move(oldest.whose));
      }
    }
  }
  while (!waiting.empty()) {
    under_way oldest = std::move(waiting.front());
    waiting.pop_front();
    const std::vector<Answer> answers = co_await oldest.answers;
    for (std::size_t j = 0; j < answers.size(); ++j) {
      take(oldest.whose[j], answers[j]);
    }
  }
}

}  // namespace lamellar::detail
