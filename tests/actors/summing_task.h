// A task of one operator with keyed state, behind two channels.
#pragma once

#include "actors/task_fixture.h"
#include "millrace/core/text.h"
#include "millrace/state/files/memory_checkpoint_store.h"

namespace millrace::detail {

// Sums what it takes; a map of one key, written in so many pieces of work.
class Summing : public Operator, public KeyedBackend {
 public:
  explicit Summing(Lines& log) : log_(log) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& out) override {
    for (; !in.done(); ++in.next) sum_ += in.as<std::int64_t>().values()[in.next];
    out.get<std::int64_t>(0).push(sum_);
    return Progress::kDone;
  }
  Result<Progress> finish(Outputs& out) override {
    out.get<std::int64_t>(0).push(-1);
    return Progress::kDone;
  }
  Status snapshot(Snapshot& snapshot) override {
    if (fail_snapshot) return unavailable("no snapshot");
    snapshot.put("sum", std::to_string(sum_));
    return {};
  }
  Status restore(const Snapshot& snapshot) override {
    note("restore");
    Result<std::string_view> sum = snapshot.get("sum");
    if (!sum) return sum.error();
    sum_ = std::stoll(std::string(*sum));
    return {};
  }
  Status open(const OperatorContext& context) override {
    for (const KeyedSnapshot& keyed : context.state->restored) {
      note(concat("keyed ", keyed.first_group));
    }
    note("open");
    return {};
  }
  KeyedBackend* keyed_backend() override { return this; }

  void save_rows(const SavepointTarget& target) override {
    note(concat("save rows as ", target.operator_id, "-", target.subtask));
  }
  void freeze(const CheckpointName& checkpoint, Done done) override {
    note(concat("freeze ", to_string(checkpoint)));
    done_ = std::move(done);
  }
  Result<bool> work() override {
    if (fail_work) return unavailable("no memory");
    if (pieces == 0) return false;
    if (--pieces == 0 && done_) std::exchange(done_, {})(result);
    return true;
  }
  void abandon(const CheckpointName& checkpoint) override {
    note(concat("abandon ", to_string(checkpoint)));
    done_ = {};
  }
  void completed(const CheckpointName& checkpoint) override {
    note(concat("completed ", to_string(checkpoint)));
  }

  int pieces = 0;
  bool fail_snapshot = false;
  bool fail_work = false;
  Result<KeyedSnapshot> result = KeyedSnapshot{.last_group = 127};

 private:
  void note(std::string what) { log_.push_back(std::move(what)); }

  Lines& log_;
  std::int64_t sum_ = 0;
  Done done_;
};

// Places for rows that nobody writes.
class NamedSavepoints final : public SavepointStores {
 public:
  Result<std::shared_ptr<CheckpointStore>> create(const std::string& path) override {
    return open(path);
  }
  std::shared_ptr<CheckpointStore> open(const std::string& path) override {
    opened.push_back(path);
    return std::make_shared<MemoryCheckpointStore>();
  }
  Result<FoundSnapshot> find(const std::string&) override { return not_found("there is none"); }

  Lines opened;
};

// A task of one summing operator behind two channels.
struct SummingTask : TestTask {
  explicit SummingTask(ChannelLimits limits = {}) : TestTask(limits) {
    auto made = std::make_unique<Summing>(log);
    sum = made.get();
    then<std::int64_t>("sum", std::move(made)).to_channels<std::int64_t>(1);
    from_channels({{}, {}});
  }
  void write_keyed_state() {
    sum->pieces = 1;
    (void)run_until_it_waits();
    for (auto& written : std::exchange(port.written, {})) {
      runner->on_written(written.checkpoint, written.index, std::move(written.keyed));
    }
  }
  void receive_barriers(std::uint64_t checkpoint) {
    receive_barrier(0, checkpoint);
    receive_barrier(1, checkpoint);
  }
  void receive_barriers(std::uint64_t checkpoint, const SavepointNotice& savepoint,
                        std::uint64_t completed = 0) {
    const auto notice = std::make_shared<const SavepointNotice>(savepoint);
    for (const std::size_t channel : {0, 1}) {
      runner->on_element(channel, {.kind = Element::Kind::kBarrier,
                                   .barrier = {.checkpoint = CheckpointId(checkpoint),
                                               .completed = CheckpointId(completed),
                                               .savepoint = notice}});
    }
  }

  Lines log;
  Summing* sum;
};

}  // namespace millrace::detail
