#include "support/source_harness.h"

#include <gtest/gtest.h>

#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

constexpr int kMostPollsForNothing = 1'000;

enum class Snapshots : std::uint8_t { kNone, kTaken, kRestored };

// The life of one source, until its end.
class Reading {
 public:
  Reading(const SourceHarness::Make& make, std::vector<std::string> splits, Snapshots snapshots,
          OutputRecorder& recorder)
      : make_(make), splits_(std::move(splits)), snapshots_(snapshots), recorder_(recorder) {}

  void read(std::size_t most) {
    source_ = opened();
    for (int polls_for_nothing = 0; polls_for_nothing < kMostPollsForNothing;) {
      if (source_->wants_split()) give_split();
      recorder_.collect_watermark(*source_);
      Result<Poll> poll = source_->poll(recorder_.outputs());
      if (!poll) return void(ADD_FAILURE() << poll.error().message());
      polls_for_nothing = recorder_.collect(most) > 0 ? 0 : polls_for_nothing + 1;
      recorder_.collect_watermark(*source_);
      if (snapshots_ != Snapshots::kNone) snapshot();
      if (poll->kind() == Poll::Kind::kEnd) return expect_well(source_->close());
    }
    ADD_FAILURE() << "the source gives nothing, but does not end";
  }

 private:
  void give_split() {
    if (next_split_ == splits_.size()) return source_->no_more_splits();
    expect_well(source_->assign(splits_[next_split_++]));
  }

  void snapshot() {
    Snapshot snapshot;
    expect_well(source_->snapshot(snapshot));
    if (snapshots_ == Snapshots::kRestored) source_ = opened(&snapshot);
  }

  std::unique_ptr<AnySource> opened(const Snapshot* from = nullptr) {
    std::unique_ptr<AnySource> made = make_();
    if (from) expect_well(made->restore(*from));
    expect_well(made->open({}));
    return made;
  }

  void expect_well(const Status& status) {
    if (!status) ADD_FAILURE() << status.error().message();
  }

  const SourceHarness::Make& make_;
  const std::vector<std::string> splits_;
  const Snapshots snapshots_;
  OutputRecorder& recorder_;
  std::size_t next_split_ = 0;
  std::unique_ptr<AnySource> source_;
};

}  // namespace

SourceHarness::SourceHarness(Make make, std::vector<OutputOf> outputs,
                             std::vector<std::string> splits)
    : make_(std::move(make)), outputs_(std::move(outputs)), splits_(std::move(splits)) {}

SourceHarness& SourceHarness::most_per_poll(std::size_t records) {
  most_per_poll_ = records;
  return *this;
}

std::vector<Lines> SourceHarness::run() const {
  std::vector<Lines> reference;
  for (const std::size_t limit : {kBatchRecords, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    for (const auto snapshots : {Snapshots::kNone, Snapshots::kTaken, Snapshots::kRestored}) {
      SCOPED_TRACE(concat("outputs of ", limit, ", snapshots: ", static_cast<int>(snapshots)));
      OutputRecorder recorder(outputs_, limit);
      Reading(make_, splits_, snapshots, recorder).read(limit + most_per_poll_);
      if (reference.empty()) reference = recorder.lines();
      EXPECT_EQ(recorder.lines(), reference);
    }
  }
  return reference;
}

}  // namespace millrace::detail
