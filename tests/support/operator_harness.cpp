#include "support/operator_harness.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "millrace/core/text.h"
#include "millrace/state/memory_environment.h"

namespace millrace::detail {
namespace {

using Step = OperatorHarness::Step;

enum class Snapshots : std::uint8_t { kNone, kTaken, kRestored };

// One way to run a script.
struct Manner {
  std::size_t rows = kBatchRecords;  // in a batch, at most
  bool empty_batches = false;
  std::size_t limit = kBatchRecords;
  Snapshots snapshots = Snapshots::kNone;
  bool shared = false;
  std::size_t memory = 0;  // for keyed state: 0 is no limit, 1 is none at all

  std::string text() const {
    constexpr const char* kSnapshots[] = {"no snapshots", "snapshots", "snapshots restored"};
    return concat("batches of ", rows, ", ", shared ? "shared" : "exclusive", ", outputs of ",
                  limit, ", ", kSnapshots[static_cast<int>(snapshots)],
                  memory == 0 ? "" : ", no memory for state");
  }
};

std::vector<Manner> hostile_manners() {
  std::vector<Manner> manners;
  for (const std::size_t rows : {std::size_t{1}, std::size_t{3}, kBatchRecords}) {
    for (const std::size_t limit :
         {std::size_t{1}, std::size_t{2}, std::size_t{7}, kBatchRecords}) {
      for (const auto snapshots : {Snapshots::kNone, Snapshots::kTaken, Snapshots::kRestored}) {
        for (const bool shared : {false, true}) {
          manners.push_back({rows, true, limit, snapshots, shared, shared ? 1U : 0U});
        }
      }
    }
  }
  return manners;
}

// The life of one operator: a script, run in one manner.
class Run {
 public:
  Run(const OperatorHarness::Make& make, const std::vector<OutputOf>& outputs,
      const HarnessOptions& options, Manner manner)
      : make_(make), options_(options), manner_(manner), recorder_(outputs, manner.limit) {
    keyed_.get().memory = manner.memory;
  }

  std::vector<Lines> follow(const std::vector<Step>& script) {
    operator_ = opened();
    for (const Step& step : script) {
      take(step);
      expect_well(operator_->flush());
      if (broken_) break;
    }
    if (!broken_) expect_well(operator_->close());
    return options_.any_order ? recorder_.sorted_lines() : recorder_.lines();
  }

 private:
  void take(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kBatch:
        return take_batch(step);
      case Step::Kind::kWatermark:
        return drive(0, [&](Outputs& out) { return operator_->on_watermark(step.time, out); });
      case Step::Kind::kTimer:
        return drive(0, [&](Outputs& out) { return operator_->on_timer(step.time, out); });
      case Step::Kind::kFinish:
        return drive(0, [&](Outputs& out) { return operator_->finish(out); });
    }
  }

  void take_batch(const Step& step) {
    const BatchPtr whole = step.make_batch();
    for (std::size_t row = 0; row < whole->size() && !broken_; row += manner_.rows) {
      if (manner_.empty_batches) process(step, whole->make_empty());
      BatchPtr part = whole->make_empty();
      part->append(*whole, row, std::min(row + manner_.rows, whole->size()), true);
      process(step, std::move(part));
    }
    if (manner_.empty_batches || whole->empty()) process(step, whole->make_empty());
  }

  void process(const Step& step, BatchPtr batch) {
    const bool shared = manner_.shared && step.shareable;
    const Lines before = shared ? step.lines(*batch) : Lines();
    const std::size_t rows = batch->size();
    Cursor cursor{.batch = &*batch, .next = 0, .shared = shared};
    drive(rows, [&](Outputs& out) { return operator_->process(step.input, cursor, out); });
    if (broken_) return;
    EXPECT_EQ(batch->size(), rows) << "the operator changed the size of its input";
    EXPECT_TRUE(cursor.done()) << "the operator is done, but has not read all of its input";
    if (shared) {
      EXPECT_EQ(step.lines(*batch), before) << "the operator changed input that others read";
    }
  }

  // Calls until the work is done.
  template <class Call>
  void drive(std::size_t rows, const Call& call) {
    while (!broken_) {
      recorder_.collect_watermark(*operator_);
      Result<Progress> progress = call(recorder_.outputs());
      if (!progress) return fail(progress.error());
      const std::size_t records =
          recorder_.collect(manner_.limit + rows + options_.most_per_record);
      recorder_.collect_watermark(*operator_);
      if (manner_.snapshots != Snapshots::kNone) snapshot();
      if (*progress == Progress::kDone) return;
      if (records > 0) continue;
      broken_ = true;
      ADD_FAILURE() << "the operator wants to be called again, but gave nothing";
    }
  }

  void snapshot() {
    Snapshot snapshot;
    expect_well(operator_->snapshot(snapshot));
    expect_well(keyed_.take(operator_->keyed_backend()));
    if (manner_.snapshots != Snapshots::kRestored || broken_) return;
    operator_ = opened(&snapshot);  // the old one is gone without a word, as after a crash
  }

  std::unique_ptr<Operator> opened(const Snapshot* from = nullptr) {
    std::unique_ptr<Operator> made = make_();
    if (from) expect_well(made->restore(*from));
    OperatorContext context = options_.context;
    context.state = &keyed_.get();
    expect_well(made->open(context));
    return made;
  }

  void expect_well(const Status& status) {
    if (!status) fail(status.error());
  }
  void fail(const Error& error) {
    broken_ = true;
    ADD_FAILURE() << error.message();
  }

  const OperatorHarness::Make& make_;
  const HarnessOptions& options_;
  const Manner manner_;
  OutputRecorder recorder_;
  MemoryEnvironment keyed_;
  std::unique_ptr<Operator> operator_;
  bool broken_ = false;  // the test has failed in a way that makes going on pointless
};

}  // namespace

OperatorHarness::OperatorHarness(Make make, std::vector<OutputOf> outputs, HarnessOptions options)
    : make_(std::move(make)), outputs_(std::move(outputs)), options_(std::move(options)) {}

OperatorHarness& OperatorHarness::watermark(Timestamp watermark) {
  script_.push_back({.kind = Step::Kind::kWatermark, .time = watermark});
  return *this;
}

OperatorHarness& OperatorHarness::timer(Timestamp now) {
  script_.push_back({.kind = Step::Kind::kTimer, .time = now});
  return *this;
}

OperatorHarness& OperatorHarness::finish() {
  script_.push_back({.kind = Step::Kind::kFinish});
  return *this;
}

std::vector<Lines> OperatorHarness::run() const {
  const std::vector<Lines> reference = Run(make_, outputs_, options_, {}).follow(script_);
  for (const Manner& manner : hostile_manners()) {
    SCOPED_TRACE(manner.text());
    const std::vector<Lines> lines = Run(make_, outputs_, options_, manner).follow(script_);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      EXPECT_EQ(lines[i], reference[i]) << "output " << i << " differs";
    }
    if (testing::Test::HasFailure()) break;  // one manner is enough to look at
  }
  return reference;
}

}  // namespace millrace::detail
