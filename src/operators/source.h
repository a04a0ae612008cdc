// A source of one's own. Source is the simple form: one instance, never in parallel, whose position
// is its SourceState. SplitSource is read in parallel: it divides its input into splits, and each
// subtask reads one split after the other.
//
// poll() never blocks. It emits at least one record, or none if there is none now, and says when to
// be called again; a poll that could emit more stops when the collector is full().
//
// With event time, what a split's records allow is the watermark of the subtask that reads it. It
// never goes back: splits should come in the order of their times, since a record of one split that
// is older than the records of the split before it is late.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/operators/any_source.h"
#include "millrace/operators/collector.h"
#include "millrace/operators/side_outputs.h"
#include "millrace/operators/task_context.h"
#include "millrace/state/operator_list_state.h"
#include "millrace/state/piece_codec.h"

namespace millrace {

using SourceContext = TaskContext;

template <class T>
class Source : public SideOutputs, public detail::OperatorStates {
 public:
  using value_type = T;

  // A source that ends says so, for the automatic choice of batch mode: declare the same constant.
  static constexpr bool kBounded = false;

  virtual ~Source() = default;

  virtual Status open(SourceContext&) { return {}; }
  virtual Result<Poll> poll(Collector<T>& out) = 0;
  virtual Status close() { return {}; }
};

// A value that a checkpoint keeps: how far a source has read.
template <class T>
class SourceState final : private detail::AnyOperatorState {
 public:
  template <class Owner>
  SourceState(Owner& source, std::string name, T initial = T())
      : AnyOperatorState(detail::states_of(source), std::move(name),
                         detail::Redistribution::kSplit),
        value_(std::move(initial)) {}

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  T& edit() { return value_; }
  SourceState& operator=(T value) {
    value_ = std::move(value);
    return *this;
  }

 private:
  const detail::Type& element_type() const override { return type_of<T>(); }
  detail::Rows elements() const override { return {&value_, sizeof value_, 1}; }
  detail::MutableRows make_elements(std::size_t) override { return {&value_, sizeof value_, 1}; }
  bool may_be_new() const override { return false; }  // it would read all again

  T value_;
};

// S is a plain struct: where the split is, and how far it was read.
template <class T, class S>
class SplitSource : public SideOutputs, public detail::OperatorStates {
 public:
  using value_type = T;
  using Split = S;

  static constexpr bool kBounded = false;

  virtual ~SplitSource() = default;

  // Finds the splits; called on an instance of its own, once in a job's life.
  virtual Result<std::vector<S>> discover(std::uint32_t parallelism) = 0;

  virtual Status open(SourceContext&) { return {}; }
  // Begins to read a split, or goes on where it says.
  virtual Status open_split(const S& split) = 0;
  // Emits records and moves `split` past them; Poll::end() ends this split.
  virtual Result<Poll> poll(S& split, Collector<T>& out) = 0;
  virtual Status close() { return {}; }
};

}  // namespace millrace

namespace millrace::detail {

// Calls poll(collector) until the outputs are full, or there is no more for now.
template <class T, class Call>
Result<Poll> poll_until_full(Outputs& outputs, std::size_t limit, SideOutputs& side_outputs,
                             Call&& call) {
  Collector<T> collector(outputs.get<T>(0), limit);
  side_outputs.bind(outputs);
  while (!collector.full() && !(outputs.count() > 1 && outputs.full())) {
    const std::size_t before = outputs.records();
    Result<Poll> poll = call(collector);
    if (!side_outputs.emission_status()) return side_outputs.emission_status().error();
    if (!poll || poll->kind() != Poll::Kind::kMore) return poll;
    if (outputs.records() == before) break;  // all dropped: let others have their turn
  }
  return Poll::more();
}

template <class F>
class SourceOperator final : public AnySource {
  using T = typename F::value_type;

 public:
  template <class Make>
  explicit SourceOperator(const Make& make) : source_(make()) {}

  Status open(const OperatorContext& context) override {
    Status opened = states().check_names();
    SourceContext place(context);
    if (opened) opened = source_.F::open(place);
    return opened ? source_.SideOutputs::emission_status() : opened;
  }
  Status close() override { return source_.F::close(); }

  Result<Poll> poll(Outputs& outputs) override {
    Result<Poll> poll =
        poll_until_full<T>(outputs, limit(read_, outputs), source_,
                           [this](Collector<T>& out) { return source_.F::poll(out); });
    if (poll && stamp(read_, outputs, poll->kind())) {
      watermarks_->advance(watermarks_->watermark_of(read_));
    }
    return poll;
  }

  Status snapshot(Snapshot& snapshot) override {
    Status status = states().snapshot_states(snapshot);
    if (!status || !watermarks_) return status;
    status = put_value(snapshot, kReadPiece, read_);
    return status ? watermarks_->snapshot(snapshot) : status;
  }
  Status restore(const Snapshot& snapshot) override {
    Status status = states().restore_states(snapshot);
    if (status && snapshot.find(kReadPiece) != nullptr) {
      status = get_value(snapshot, kReadPiece, read_);
    }
    return status && watermarks_ ? watermarks_->restore(snapshot) : status;
  }

 private:
  static constexpr std::string_view kReadPiece = ".read";  // no user's state is called so

  OperatorStates& states() { return source_; }

  F source_;
  SplitTime read_;
};

// A split and how far it was read; the element of the snapshot's piece ".splits".
template <class S>
struct ReadSplit {
  S split;
  SplitTime time;
};

template <class F>
class SplitSourceOperator final : public AnySource {
  using T = typename F::value_type;
  using Split = typename F::Split;

 public:
  template <class Make>
  explicit SplitSourceOperator(const Make& make) : source_(make()) {}

  Status open(const OperatorContext& context) override {
    Status opened = states().check_names();
    SourceContext place(context);
    if (opened) opened = source_.F::open(place);
    return opened ? source_.SideOutputs::emission_status() : opened;
  }
  Status close() override { return source_.F::close(); }

  bool wants_split() const override { return splits_.empty() && !complete_; }
  Status assign(std::string_view bytes, std::string_view schema = {}) override {
    ReadSplit<Split> assigned;
    Status decoded = decode_element(bytes, schema, assigned.split);
    if (decoded) splits_.push_back(std::move(assigned));
    return decoded;
  }
  void no_more_splits() override { complete_ = true; }

  Result<Poll> poll(Outputs& outputs) override {
    while (!splits_.empty()) {
      Result<Poll> poll = read_first(outputs);
      if (!poll || poll->kind() != Poll::Kind::kEnd) return poll;
      splits_.pop_front();
      open_ = false;
      if (watermarks_) break;  // records of two splits are stamped apart
    }
    if (!splits_.empty()) return Poll::more();
    return complete_ ? Poll::end() : Poll::idle();
  }

  Status snapshot(Snapshot& snapshot) override {
    StatePiece piece;
    for (const ReadSplit<Split>& split : splits_) {
      Status added = add_element(piece, split);
      if (!added) return added;
    }
    snapshot.put(kSplits, std::move(piece));
    Status taken = states().snapshot_states(snapshot);
    return taken && watermarks_ ? watermarks_->snapshot(snapshot) : taken;
  }
  // Each split is opened again; whether there are more the enumerator will say.
  Status restore(const Snapshot& snapshot) override {
    const StatePiece* const piece = snapshot.find(kSplits);
    if (piece == nullptr) return not_found("the snapshot holds no splits of this source");
    for (const std::string& bytes : piece->elements) {
      ReadSplit<Split> split;
      Status decoded = decode_element(bytes, piece->schema, split);
      if (!decoded) return decoded.error().with_context("a split that was being read");
      splits_.push_back(std::move(split));
    }
    Status restored = states().restore_states(snapshot);
    return restored && watermarks_ ? watermarks_->restore(snapshot) : restored;
  }

 private:
  static constexpr std::string_view kSplits = ".splits";  // no user's state is called so

  OperatorStates& states() { return source_; }

  Result<Poll> read_first(Outputs& outputs) {
    ReadSplit<Split>& first = splits_.front();
    if (!open_) {
      Status opened = source_.F::open_split(first.split);
      if (!opened) return opened.error();
      open_ = true;
    }
    Result<Poll> poll =
        poll_until_full<T>(outputs, limit(first.time, outputs), source_,
                           [&](Collector<T>& out) { return source_.F::poll(first.split, out); });
    if (poll && stamp(first.time, outputs, poll->kind())) {
      watermarks_->advance(least_watermark(poll->kind() == Poll::Kind::kEnd));
    }
    return poll;
  }

  // Over the splits that are still to be read. There are several only after a restore.
  Timestamp least_watermark(bool first_has_ended) const {
    auto split = splits_.begin();
    if (first_has_ended && splits_.size() > 1) ++split;
    Timestamp least = kMaxTimestamp;
    for (; split != splits_.end(); ++split) {
      least = std::min(least, watermarks_->watermark_of(split->time));
    }
    return least;
  }

  F source_;
  std::deque<ReadSplit<Split>> splits_;  // the first one is read
  bool open_ = false;                    // the first split is being read
  bool complete_ = false;                // no further split will be assigned
};

template <class F>
class SplitSourceEnumerator final : public SplitEnumerator {
 public:
  template <class Make>
  explicit SplitSourceEnumerator(const Make& make) : source_(make()) {}

  Status discover(std::uint32_t parallelism) override {
    auto splits = source_.F::discover(parallelism);
    if (!splits) return splits.error();
    const Status& emitted = source_.SideOutputs::emission_status();
    if (!emitted) return emitted;
    for (const auto& split : *splits) {
      Result<std::string> bytes = encode_value(split);
      if (!bytes) return bytes.error();
      splits_.push_back(*std::move(bytes));
    }
    return {};
  }
  std::optional<std::string> next() override {
    if (splits_.empty()) return std::nullopt;
    std::string bytes = std::move(splits_.front());
    splits_.pop_front();
    return bytes;
  }
  std::string schema() const override { return schema_text<typename F::Split>(); }

 private:
  F source_;
  std::deque<std::string> splits_;  // encoded
};

}  // namespace millrace::detail
