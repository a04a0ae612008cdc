// What keyed state costs, in the operator alone: a ValueState of a KeyedProcess on one core,
// without tasks and channels, its writer on another thread.
//
//   state_bench updates      within memory, with and without a database below
//   state_bench eviction     ten times the memory, beside plain RocksDB
//   state_bench checkpoints  10 M keys: pauses, throughput and bytes
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "keys.h"
#include "millrace/operators/keyed_process.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "millrace/state/rocksdb/rocksdb_store_factory.h"
#include "plain_rocksdb.h"
#include "support.h"

namespace millrace::bench {
namespace {

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

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A disk, and an operator over it.
class Subject {
 public:
  explicit Subject(std::size_t memory, bool database = true)
      : folder_(fs::temp_directory_path() / ("millrace-bench-" + std::to_string(getpid()))),
        checkpoints_(files_, folder_ / "checkpoints") {
    fs::remove_all(folder_);
    if (database) {
      stores_ = *detail::RocksDbStoreFactory::open(folder_ / "local");
      environment_ = {.stores = stores_.get(),
                      .checkpoints = &checkpoints_,
                      .executor = &executor_,
                      .memory = memory};
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
  ~Subject() {
    operator_.reset();
    fs::remove_all(folder_);
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
  bool is_done() {
    if (done_) operator_->keyed_backend()->completed(name_);
    return done_;
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
};

std::vector<std::uint64_t> all_keys(std::uint64_t keys) {
  std::vector<std::uint64_t> all(keys);
  for (std::uint64_t i = 0; i < keys; ++i) all[i] = i;
  return all;
}

void measure_updates() {
  for (const std::uint64_t keys : {100'000, 1'000'000, 10'000'000}) {
    const std::vector<std::uint64_t> drawn = uniform_keys(keys, 10'000'000);
    std::vector<double> memory;
    std::vector<double> ratios;
    for (int run = 0; run < kRuns; ++run) {
      Subject bare(0, false);
      bare.update(all_keys(keys));
      memory.push_back(10 / bare.update(drawn));
      Subject limited(std::size_t{4} << 30);
      limited.update(all_keys(keys));
      ratios.push_back(10 / limited.update(drawn) / memory.back());
    }
    std::printf("updates, %8zu keys   memory %6.1f M/s   rocksdb, ratio %.2f\n",
                static_cast<std::size_t>(keys), median(memory), median(ratios));
    std::fflush(stdout);
  }
}

void measure_eviction() {
  constexpr std::uint64_t kKeys = 10'000'000;
  constexpr std::size_t kBytes = kKeys * 25;  // of the table with all keys
  const std::vector<std::uint64_t> uniform = uniform_keys(kKeys, 4'000'000);
  const std::vector<std::uint64_t> zipf = zipf_keys(kKeys, 4'000'000);
  PlainRocksDb plain(fs::temp_directory_path() / ("millrace-plain-" + std::to_string(getpid())));
  for (std::uint64_t key = 0; key < kKeys; ++key) plain.update(key);
  Subject subject(kBytes / 10);
  subject.update(all_keys(kKeys));
  for (const auto& [name, keys] : {std::pair{"uniform", &uniform}, std::pair{"Zipf", &zipf}}) {
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> ratios;
    constexpr std::size_t kPart = 200'000;
    (void)subject.update(*keys);  // so that what is hot is in memory
    for (int run = 0; run < kRuns; ++run) {
      const auto part = std::span(*keys).subspan(static_cast<std::size_t>(run) * kPart, kPart);
      theirs.push_back(kPart / 1e6 / seconds_of([&] {
                         for (const std::uint64_t key : part) plain.update(key);
                       }));
      ours.push_back(4 * kPart / 1e6 / subject.update(std::span(*keys).subspan(0, 4 * kPart)));
      ratios.push_back(ours.back() / theirs.back());
    }
    std::printf("ten times the memory, %-8s %6.3f M/s   plain RocksDB %6.3f M/s   ratio %.1f\n",
                name, median(ours), median(theirs), median(ratios));
    std::fflush(stdout);
  }
}

std::uintmax_t bytes_of(const detail::KeyedSnapshot& snapshot, std::uint64_t checkpoint) {
  std::uintmax_t bytes = 0;
  const std::string suffix = "-" + std::to_string(checkpoint) + "-1";
  for (const detail::StoredFile& file : snapshot.files) {
    if (file.path.ends_with(suffix)) bytes += file.bytes;
  }
  return bytes;
}

void measure_checkpoints() {
  constexpr std::uint64_t kKeys = 10'000'000;
  const std::vector<std::uint64_t> drawn = uniform_keys(kKeys, 20'000'000);
  Subject subject(std::size_t{4} << 30);
  subject.update(all_keys(kKeys));
  const double without = 20 / subject.update(drawn);
  std::vector<double> pauses;
  std::uint64_t id = 0;
  std::uintmax_t first = 0;
  std::vector<double> shares;
  const auto checkpoint = [&] {
    pauses.push_back(subject.freeze() * 1e3);
    ++id;
    while (!subject.is_done()) {
      subject.work();
    }
    const std::uintmax_t bytes = bytes_of(subject.snapshot(), id);
    if (id == 1)
      first = bytes;
    else
      shares.push_back(static_cast<double>(bytes) / static_cast<double>(first));
  };
  checkpoint();
  for (int i = 0; i < 20; ++i) {
    (void)subject.update(std::span(drawn).subspan(static_cast<std::size_t>(i) * 100'000, 100'000));
    checkpoint();
  }
  double mean = 0;
  for (const double share : shares) mean += share / static_cast<double>(shares.size());
  std::ranges::sort(pauses);
  std::printf(
      "checkpoints of 10 M keys: pause median %.3f ms, most %.3f ms; %.1f MB the first, "
      "after 1 %% changed %.1f %% of it in the mean\n",
      pauses[pauses.size() / 2], pauses.back(), static_cast<double>(first) / 1e6, mean * 100);
  // Updates go on while a checkpoint of all keys is written.
  std::vector<double> during;
  for (int run = 0; run < kRuns; ++run) {
    (void)subject.update(drawn);
    ++id;
    (void)subject.freeze();
    double seconds = 0;
    std::size_t updates = 0;
    while (!subject.is_done()) {
      seconds += subject.update(std::span(drawn).subspan(updates % 10'000'000, 100'000));
      updates += 100'000;
    }
    during.push_back(static_cast<double>(updates) / 1e6 / seconds);
  }
  std::printf(
      "updates %.1f M/s without, %.1f M/s while a checkpoint of all keys is written; the "
      "longest piece of work %.2f ms\n",
      without, median(during), subject.longest_work() * 1e3);
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  using namespace millrace::bench;
  const auto wanted = [&](const char* name) { return argc < 2 || std::strcmp(argv[1], name) == 0; };
  if (wanted("updates")) measure_updates();
  if (wanted("eviction")) measure_eviction();
  if (wanted("checkpoints")) measure_checkpoints();
}
