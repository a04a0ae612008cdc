// Runs sources and sinks by hand, without a cluster: what a task would call, in its order.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "millrace/connectors/files/bad_record.h"
#include "millrace/core/json/json.h"
#include "millrace/core/log.h"
#include "millrace/operators/any_sink.h"
#include "millrace/operators/endpoints.h"
#include "millrace/testing/manual_clock.h"

namespace millrace::test {

using detail::ManualClock;

inline detail::OperatorContext context_of(const Clock& clock, std::string name = "tested",
                                          bool named = false, std::uint32_t subtask = 0) {
  return {.name = std::move(name),
          .named = named,
          .subtask = SubtaskIndex(subtask),
          .parallelism = 1,
          .key_groups = {},
          .clock = &clock};
}

struct ReadOptions {
  std::uint32_t parallelism = 1;      // how many readers splits are made for
  std::size_t limit = kBatchRecords;  // of records per poll
  bool restore_after_each_poll = false;
};

template <class T>
struct Reading {
  std::vector<T> records;
  std::vector<BadRecord> bad;
  Status status;
};

// A source and the splits that are left to it.
template <class T>
class SourceDrive {
 public:
  SourceDrive(SourceSpec<T> spec, ReadOptions options = {})
      : spec_(std::move(spec)), options_(options) {}

  Status start() {
    if (spec_.enumerator) {
      auto enumerator = spec_.enumerator();
      Status discovered = enumerator->discover(options_.parallelism);
      if (!discovered) return discovered;
      while (auto split = enumerator->next()) splits_.push_back(*std::move(split));
    }
    return make();
  }

  Result<Poll> poll() {
    if (source_->wants_split()) {
      if (splits_.empty()) {
        source_->no_more_splits();
      } else {
        Status assigned = source_->assign(splits_.front());
        if (!assigned) return assigned.error();
        splits_.pop_front();
      }
    }
    Result<Poll> poll = source_->poll(outputs_);
    for (T& record : outputs_.template get<T>(0).values()) {
      reading_.records.push_back(std::move(record));
    }
    for (BadRecord& bad : outputs_.template get<BadRecord>(1).values()) {
      reading_.bad.push_back(std::move(bad));
    }
    outputs_.clear();
    return poll;
  }

  // Goes on in a new instance, from a snapshot of this one.
  Status restart() {
    detail::Snapshot snapshot;
    Status status = source_->snapshot(snapshot);
    return status ? make(&snapshot) : status;
  }

  Reading<T> read_all() {
    reading_.status = start();
    while (reading_.status) {
      Result<Poll> result = poll();
      if (!result) {
        reading_.status = result.error();
        break;
      }
      if (result->kind() == Poll::Kind::kEnd) break;
      if (result->kind() == Poll::Kind::kIdle) clock_.advance(result->pause());
      if (options_.restore_after_each_poll) reading_.status = restart();
    }
    if (source_ && reading_.status) reading_.status = source_->close();
    return std::move(reading_);
  }

  std::vector<T>& records() { return reading_.records; }
  std::vector<BadRecord>& bad() { return reading_.bad; }
  detail::AnySource& source() { return *source_; }
  ManualClock& clock() { return clock_; }

 private:
  Status make(const detail::Snapshot* from = nullptr) {
    operator_ = spec_.make();
    source_ = dynamic_cast<detail::AnySource*>(operator_.get());
    outputs_.set_limit(options_.limit);
    Status restored = from ? source_->restore(*from) : Status();
    return restored ? source_->open(context_of(clock_)) : restored;
  }

  SourceSpec<T> spec_;
  ReadOptions options_;
  ManualClock clock_;
  std::deque<std::string> splits_;
  std::unique_ptr<detail::Operator> operator_;
  detail::AnySource* source_ = nullptr;
  detail::Outputs outputs_{{detail::make_batch<T>(), detail::make_batch<BadRecord>()},
                           {std::string(kBadRecords.name)}};
  Reading<T> reading_;
};

template <class T>
Reading<T> read_all(SourceSpec<T> spec, ReadOptions options = {}) {
  return SourceDrive<T>(std::move(spec), options).read_all();
}

// The records of a source that gives no error.
template <class T>
std::vector<T> records_of(SourceSpec<T> spec, ReadOptions options = {}) {
  Reading<T> reading = read_all(std::move(spec), options);
  if (!reading.status) ADD_FAILURE() << reading.status.error().message();
  return std::move(reading.records);
}

template <class T>
std::string error_of(SourceSpec<T> spec) {
  const Reading<T> reading = read_all(std::move(spec));
  return reading.status ? "no error" : reading.status.error().message();
}

template <class T>
std::vector<std::string> as_json(const std::vector<T>& records) {
  std::vector<std::string> lines;
  for (const T& record : records) detail::append_json(lines.emplace_back(), record);
  return lines;
}

// A sink and what a task does with it.
template <class T>
class SinkDrive {
 public:
  explicit SinkDrive(const SinkSpec& spec) : operator_(spec.make()) {
    sink_ = dynamic_cast<detail::AnySink*>(operator_.get());
  }

  Status open(detail::OperatorContext context) { return sink_->open(context); }
  Status open() { return open(context_of(clock_)); }

  // As a task does that goes on from a checkpoint.
  Status go_on_from(const detail::Snapshot& snapshot, CheckpointId checkpoint,
                    const Logger* log = nullptr) {
    detail::OperatorContext context = context_of(clock_);
    context.log = log;
    Status status = sink_->restore(snapshot);
    if (status) status = open(context);
    return status ? sink_->commit(checkpoint) : status;
  }

  Status write(std::vector<T> records) {
    detail::BatchPtr batch = detail::make_batch<T>();
    for (T& record : records) static_cast<detail::Batch<T>&>(*batch).push(std::move(record));
    detail::Cursor cursor{.batch = &*batch, .next = 0, .shared = false};
    detail::Outputs outputs({}, {});
    Result<detail::Progress> progress = sink_->process(0, cursor, outputs);
    if (!progress) return progress.error();
    EXPECT_TRUE(cursor.done());
    return {};
  }

  detail::AnySink& sink() { return *sink_; }
  detail::AnySink* operator->() { return sink_; }

 private:
  SystemClock clock_;
  std::unique_ptr<detail::Operator> operator_;
  detail::AnySink* sink_ = nullptr;
};

// The message of what should have failed.
inline std::string message_of(const Status& status) {
  return status ? "no error" : status.error().message();
}

}  // namespace millrace::test
