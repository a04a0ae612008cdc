// collect(results): hands the records of a stream to the program that runs the job.
//
//   Collected<WordCount> counts;
//   job.from(...)....to(collect(counts));
//   // once the job has ended:
//   for (const WordCount& count : counts.values()) ...
//
// For jobs that run embedded, in the process that asks; elsewhere the results stay in the process
// that made them. Exactly once: records appear with the checkpoint after them, for a bounded job
// without checkpoints when it ends. Those of one subtask are in order. Everything is kept in
// memory. Any thread may ask at any time. A Collected is a handle: copies share the results.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "millrace/operators/endpoints.h"
#include "millrace/operators/two_phase_sink.h"

namespace millrace::detail {

// Where the sink's subtasks, of all attempts, and the program meet.
template <class T>
class CollectedRecords {
 public:
  explicit CollectedRecords(std::vector<T>& shown) : shown_(shown) {}

  std::vector<T> copy() const {
    std::lock_guard lock(mutex_);
    return shown_;
  }

  // Forgets what a subtask staged and never showed.
  void drop_staged(std::uint32_t subtask) {
    std::lock_guard lock(mutex_);
    std::erase_if(staged_, [&](const auto& entry) { return entry.first.first == subtask; });
  }
  void stage(const Transaction& transaction, std::vector<T> records) {
    std::lock_guard lock(mutex_);
    staged_.insert_or_assign({transaction.subtask, transaction.checkpoint}, std::move(records));
  }
  void show(const Transaction& transaction) {
    std::lock_guard lock(mutex_);
    const auto found = staged_.find({transaction.subtask, transaction.checkpoint});
    if (found == staged_.end()) return;  // shown before
    std::move(found->second.begin(), found->second.end(), std::back_inserter(shown_));
    staged_.erase(found);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T>& shown_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<T>> staged_;
};

template <class T>
class CollectSink final : public TwoPhaseSink {
 public:
  explicit CollectSink(std::shared_ptr<CollectedRecords<T>> records)
      : records_(std::move(records)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    Status begun = ready();
    if (!begun) return begun.error();
    const auto values = in.as<T>().values().subspan(in.next);
    if constexpr (std::is_copy_constructible_v<T>) {
      pending_.insert(pending_.end(), values.begin(), values.end());
    } else {
      check(!in.shared, "a batch of move-only records was shared");
      std::move(values.begin(), values.end(), std::back_inserter(pending_));
    }
    in.next += values.size();
    return Progress::kDone;
  }

 private:
  Status begin(bool) override {
    records_->drop_staged(subtask());
    return {};
  }
  Result<bool> stage(const Transaction& transaction) override {
    if (pending_.empty()) return false;
    records_->stage(transaction, std::exchange(pending_, {}));
    return true;
  }
  Status publish(const Transaction& transaction) override {
    records_->show(transaction);
    return {};
  }

  std::shared_ptr<CollectedRecords<T>> records_;
  std::vector<T> pending_;  // since the last checkpoint
};

template <class T>
struct Collecting {
  std::shared_ptr<CollectedRecords<T>> records;

  template <class Record>
  SinkSpec bind() const {
    static_assert(std::is_same_v<Record, T>,
                  "Millrace: collect() takes a vector or Collected of the stream's own type");
    SinkSpec spec;
    spec.kind = "collect";
    spec.make = [records = records] { return std::make_unique<CollectSink<T>>(records); };
    return spec;
  }
};

}  // namespace millrace::detail

namespace millrace {

template <class T>
class Collected {
 public:
  std::vector<T> values() const { return shared_->records->copy(); }

 private:
  template <class U>
  friend detail::Collecting<U> collect(const Collected<U>& into);

  struct Shared {
    std::vector<T> shown;
    std::shared_ptr<detail::CollectedRecords<T>> records =
        std::make_shared<detail::CollectedRecords<T>>(shown);
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

template <class T>
detail::Collecting<T> collect(const Collected<T>& into) {
  // The records keep alive the vector that they refer to.
  return {std::shared_ptr<detail::CollectedRecords<T>>(into.shared_, into.shared_->records.get())};
}

// Appends to a vector, which must outlive the job and may be read once the job has ended.
template <class T>
detail::Collecting<T> collect(std::vector<T>& into) {
  return {std::make_shared<detail::CollectedRecords<T>>(into)};
}

}  // namespace millrace
