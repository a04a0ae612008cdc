// A source of one's own. Source is the simple form: one instance, never in parallel, whose position
// is its SourceState. SplitSource is read in parallel: it divides its input into splits, and each
// subtask reads one split after the other.
//
// poll() never blocks. It emits at least one record, or none if there is none now, and says when to
// be called again; a poll that could emit more stops when the collector is full().
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "millrace/core/codec/codec.h"
#include "millrace/operators/any_source.h"
#include "millrace/operators/collector.h"
#include "millrace/operators/side_outputs.h"
#include "millrace/operators/task_context.h"

namespace millrace {

using SourceContext = TaskContext;

template <class T>
class SourceState;

}  // namespace millrace

namespace millrace::detail {

class AnySourceState {
 public:
  AnySourceState(std::string name) : name_(std::move(name)) {}
  AnySourceState(const AnySourceState&) = delete;
  AnySourceState& operator=(const AnySourceState&) = delete;
  virtual ~AnySourceState() = default;

  const std::string& name() const { return name_; }
  virtual Result<std::string> encode() const = 0;
  virtual Status decode(std::string_view bytes) = 0;

 private:
  std::string name_;
};

// The states that a source has declared as members.
class SourceStates {
 public:
  SourceStates() = default;
  SourceStates(const SourceStates&) = delete;
  SourceStates& operator=(const SourceStates&) = delete;

  Status snapshot(Snapshot& snapshot) const;
  Status restore(const Snapshot& snapshot);

 private:
  template <class T>
  friend class millrace::SourceState;

  std::vector<AnySourceState*> states_;
};

}  // namespace millrace::detail

namespace millrace {

template <class T>
class Source : public SideOutputs, public detail::SourceStates {
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
class SourceState final : public detail::AnySourceState {
 public:
  SourceState(detail::SourceStates& source, std::string name, T initial = T())
      : AnySourceState(std::move(name)), value_(std::move(initial)) {
    source.states_.push_back(this);
  }

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }
  T& edit() { return value_; }
  SourceState& operator=(T value) {
    value_ = std::move(value);
    return *this;
  }

  Result<std::string> encode() const override { return detail::encode_value(value_); }
  Status decode(std::string_view bytes) override { return detail::decode_value(bytes, value_); }

 private:
  T value_;
};

// S is a plain struct: where the split is, and how far it was read.
template <class T, class S>
class SplitSource : public SideOutputs {
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

template <class F>
class SourceOperator final : public AnySource {
  using T = typename F::value_type;

 public:
  template <class Make>
  explicit SourceOperator(const Make& make) : source_(make()) {}

  Status open(const OperatorContext& context) override {
    SourceContext place(context);
    Status opened = source_.F::open(place);
    return opened ? source_.SideOutputs::emission_status() : opened;
  }
  Status close() override { return source_.F::close(); }

  Result<Poll> poll(Outputs& outputs) override {
    Collector<T> collector(outputs.get<T>(0), outputs.limit());
    source_.SideOutputs::bind(outputs);
    while (!collector.full() && !(outputs.count() > 1 && outputs.full())) {
      const std::size_t before = outputs.records();
      Result<Poll> poll = source_.F::poll(collector);
      const Status& emitted = source_.SideOutputs::emission_status();
      if (!emitted) return emitted.error();
      if (!poll || poll->kind() != Poll::Kind::kMore) return poll;
      if (outputs.records() == before) break;  // all dropped: let others have their turn
    }
    return Poll::more();
  }

  Status snapshot(Snapshot& snapshot) override { return source_.SourceStates::snapshot(snapshot); }
  Status restore(const Snapshot& snapshot) override {
    return source_.SourceStates::restore(snapshot);
  }

 private:
  F source_;
};

template <class F>
class SplitSourceOperator final : public AnySource {
  using T = typename F::value_type;
  using Split = typename F::Split;

 public:
  template <class Make>
  explicit SplitSourceOperator(const Make& make) : source_(make()) {}

  Status open(const OperatorContext& context) override {
    SourceContext place(context);
    Status opened = source_.F::open(place);
    return opened ? source_.SideOutputs::emission_status() : opened;
  }
  Status close() override { return source_.F::close(); }

  bool wants_split() const override { return splits_.empty() && !complete_; }
  Status assign(std::string_view bytes) override {
    Split split;
    Status decoded = decode_value(bytes, split);
    if (!decoded) return decoded;
    splits_.push_back(std::move(split));
    return {};
  }
  void no_more_splits() override { complete_ = true; }

  // The first split is the one that is read.
  Result<Poll> poll(Outputs& outputs) override {
    Collector<T> collector(outputs.get<T>(0), outputs.limit());
    source_.SideOutputs::bind(outputs);
    while (!splits_.empty() && !collector.full() && !(outputs.count() > 1 && outputs.full())) {
      if (!open_) {
        Status opened = source_.F::open_split(splits_.front());
        if (!opened) return opened.error();
        open_ = true;
      }
      const std::size_t before = outputs.records();
      Result<Poll> poll = source_.F::poll(splits_.front(), collector);
      const Status& emitted = source_.SideOutputs::emission_status();
      if (!emitted) return emitted.error();
      if (!poll || poll->kind() == Poll::Kind::kIdle) return poll;
      if (poll->kind() == Poll::Kind::kEnd) {
        splits_.pop_front();
        open_ = false;
      } else if (outputs.records() == before) {
        break;  // all dropped: let others have their turn
      }
    }
    if (!splits_.empty()) return Poll::more();
    return complete_ ? Poll::end() : Poll::idle();
  }

  Status snapshot(Snapshot& snapshot) override {
    Result<std::string> splits = encode_value(std::vector<Split>(splits_.begin(), splits_.end()));
    if (!splits) return splits.error();
    snapshot.put("splits", *std::move(splits));
    snapshot.put("complete", complete_ ? "1" : "0");
    return {};
  }
  Status restore(const Snapshot& snapshot) override {
    Result<std::string_view> bytes = snapshot.get("splits");
    if (!bytes) return bytes.error();
    std::vector<Split> splits;
    Status decoded = decode_value(*bytes, splits);
    if (!decoded) return decoded;
    splits_.assign(std::make_move_iterator(splits.begin()), std::make_move_iterator(splits.end()));
    bytes = snapshot.get("complete");
    if (!bytes) return bytes.error();
    complete_ = *bytes == "1";
    return {};
  }

 private:
  F source_;
  std::deque<Split> splits_;
  bool open_ = false;      // the first split is being read
  bool complete_ = false;  // no further split will be assigned
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

 private:
  F source_;
  std::deque<std::string> splits_;  // encoded
};

}  // namespace millrace::detail
