// A keyed operator on its own, over a disk: what the benchmarks of state are made with.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "counter.h"
#include "keys.h"
#include "millrace/operators/keyed_process.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "support.h"

namespace millrace::bench {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Update {
  std::uint64_t key;
  std::uint64_t amount;
};

class Totals : public KeyedProcess<std::uint64_t, Update, Update> {
 public:
  void process(const Update& update, Context&, Collector<Update>&) override {
    Counter& counter = counter_.edit();
    counter.count += update.amount;
    counter.last = update.key;
  }

 private:
  ValueState<Counter> counter_{*this, "counter"};
};

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A disk, and an operator over it.
class Subject {
 public:
  // Goes on from a snapshot in the folder's checkpoints, if there is one. A folder of its own goes
  // with it.
  explicit Subject(std::size_t memory, bool database = true,
                   const detail::KeyedSnapshot* restored = nullptr, const fs::path& folder = {})
      : owns_folder_(folder.empty()),
        folder_(owns_folder_ ? temporary_folder() : folder),
        checkpoints_(files_, folder_ / "checkpoints") {
    if (owns_folder_) fs::remove_all(folder_);
    if (database) {
      stores_ = *detail::RocksDbStoreFactory::open(folder_ / "local");
      environment_ = {.stores = stores_.get(),
                      .checkpoints = &checkpoints_,
                      .executor = &executor_,
                      .memory = memory};
      if (restored != nullptr) environment_.restored = {*restored};
    }
    operator_.emplace([] { return Totals(); }, Selector{&Update::key});
    detail::OperatorContext context{.name = "totals",
                                    .key_groups = {KeyGroup(0), KeyGroup(127)},
                                    .max_parallelism = 128,
                                    .clock = &clock_,
                                    .state = &environment_};
    if (!operator_->open(context)) std::abort();
    for (int i = 0; i < 64; ++i) batches_.push_back(detail::make_batch<Update>());
  }
  static fs::path temporary_folder() {
    return fs::temp_directory_path() / ("millrace-bench-" + std::to_string(getpid()));
  }
  ~Subject() {
    operator_.reset();
    if (owns_folder_) fs::remove_all(folder_);
  }

  // Returns the seconds that it took.
  double update(std::span<const std::uint64_t> keys) {
    double seconds = 0;
    std::size_t next = 0;
    while (next < keys.size()) {
      std::size_t batches = 0;
      for (; batches < batches_.size() && next < keys.size(); ++batches) {
        next = fill(*batches_[batches], keys, next);
      }
      const auto begin = Clock::now();
      for (std::size_t i = 0; i < batches; ++i) process(*batches_[i]);
      seconds += seconds_since(begin);
    }
    return seconds;
  }

  // Freezes the state, and returns how long that took; update() goes on with the work.
  double freeze() {
    const auto begin = Clock::now();
    done_ = false;
    name_.id = CheckpointId(name_.id.value() + 1);
    operator_->keyed_backend()->freeze(name_, [this](Result<detail::KeyedSnapshot> result) {
      if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        std::abort();
      }
      result_ = *std::move(result);
      done_ = true;
    });
    return seconds_since(begin);
  }
  // What was frozen is written.
  bool is_done() {
    if (done_) operator_->keyed_backend()->completed(name_);
    return done_;
  }
  // The part of all lookups since the last call that asked the database.
  double database_reads() {
    const std::uint64_t lookups = metrics_.lookups.value();
    const std::uint64_t reads = metrics_.database_reads.value();
    operator_->keyed_backend()->report(metrics_);
    return static_cast<double>(metrics_.database_reads.value() - reads) /
           static_cast<double>(metrics_.lookups.value() - lookups);
  }
  const detail::KeyedSnapshot& snapshot() const { return result_; }
  const fs::path& folder() const { return folder_; }
  void work() { (void)operator_->keyed_backend()->work(); }
  double longest_work() const { return longest_work_; }

 private:
  using Selector = detail::MemberKey<Update, std::uint64_t>;

  static std::size_t fill(detail::AnyBatch& any, std::span<const std::uint64_t> keys,
                          std::size_t next) {
    auto& batch = static_cast<detail::Batch<Update>&>(any);
    batch.clear();
    const std::size_t end = std::min(next + kBatchRecords, keys.size());
    for (; next < end; ++next) batch.push(Update{keys[next], 1});
    return next;
  }

  void process(detail::AnyBatch& batch) {
    detail::Cursor cursor{.batch = &batch};
    if (!operator_->process(0, cursor, outputs_)) std::abort();
    detail::KeyedBackend& state = *operator_->keyed_backend();
    const auto begin = Clock::now();
    (void)state.work();
    longest_work_ = std::max(longest_work_, seconds_since(begin));
    while (state.congested()) {
      if (!*state.work()) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  const bool owns_folder_;
  const fs::path folder_;
  detail::RealFileSystem files_;
  detail::DirectoryCheckpointStore checkpoints_;
  std::unique_ptr<detail::RocksDbStoreFactory> stores_;
  ThreadExecutor executor_;
  SystemClock clock_;
  detail::StateEnvironment environment_;
  std::optional<detail::KeyedProcessOperator<Totals, Selector>> operator_;
  detail::Outputs outputs_{{detail::make_batch<Update>()}, {}};
  std::vector<detail::BatchPtr> batches_;
  detail::CheckpointName name_{CheckpointId(0), 1};
  std::atomic<bool> done_ = false;
  detail::KeyedSnapshot result_;
  double longest_work_ = 0;
  detail::StateMetrics metrics_;
};

inline std::vector<std::uint64_t> all_keys(std::uint64_t keys) {
  std::vector<std::uint64_t> all(keys);
  for (std::uint64_t i = 0; i < keys; ++i) all[i] = i;
  return all;
}

}  // namespace millrace::bench
